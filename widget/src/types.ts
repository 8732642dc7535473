// The contract of the server's replies; channels/web_openapi.yml describes it in full.

export interface Choice {
  id: string;
  title: string;
  type: "topic" | "action";
}

export interface Contact {
  label: string;
  tel?: string;
  sms?: string;
  /** The number to call as people write it. */
  number?: string;
}

export interface Source {
  title: string;
  publisher: string;
  date: string;
  url: string;
  read: string;
}

export interface Reply {
  kind: string;
  text: string;
  title?: string;
  sources?: Source[];
  buttons?: Choice[];
  /** That the answer helped, and that it did not. */
  feedback?: Choice[];
  contacts?: Contact[];
  review?: string;
}

export type Said = { from: "person"; text: string } | { from: "guide"; reply: Reply };

/** Whom to call in one country, as in content/crisis_lines.yml. */
export interface Lines {
  name: string;
  call: string;
  text: string;
  emergency: string;
  numbers: Contact[];
}

/** A message on its way; the id makes sending it again safe. */
export interface Message {
  id: string;
  text: string;
  button?: string;
}
