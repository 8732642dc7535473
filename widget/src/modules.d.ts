declare module "*.css" {
  const text: string;
  export default text;
}

declare module "crisis-lines" {
  const data: {
    fallback: string;
    countries: Record<string, import("./types").Lines>;
  };
  export default data;
}
