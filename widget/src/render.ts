// Replies as elements: every character of a text is shown, and only known kinds of links are links.

import { h, icon } from "./dom";
import { fill, type Labels } from "./labels";
import type { Choice, Contact, Lines, Reply, Source } from "./types";

// Replies whose text introduces their questions.
const WITHOUT_HEADING = ["clarify", "unknown", "control", "smalltalk"];
const SCHEMES = ["https:", "mailto:", "tel:", "sms:"];
// https addresses, and bare names such as findahelpline.com where no other sign stands before them.
const ADDRESS = /https:\/\/[^\s<>"'“”]*[^\s<>"'“”.,;:!?)\]]|(?:[a-z0-9-]+\.)+(?:com|org)\b/g;

export const PHONE = "M6.6 3.5 9.4 3l1.9 4.4-2 1.6a13 13 0 0 0 5.7 5.7l1.6-2 4.4 1.9-.5 2.8a3 3 0 0 1-3 2.6C9.9 20 4 14.1 4 6.5a3 3 0 0 1 2.6-3Z";
const BUBBLE = "M4 5.5A2.5 2.5 0 0 1 6.5 3h11A2.5 2.5 0 0 1 20 5.5v8a2.5 2.5 0 0 1-2.5 2.5H10l-5 4.5V16a2.5 2.5 0 0 1-1-2Z";
const THUMB = "M8 11v9H4v-9ZM8 11l3.6-7.2A2.2 2.2 0 0 1 14 6l-.6 4h5a2 2 0 0 1 2 2.4l-1.2 6a2 2 0 0 1-2 1.6H8";

/** Returns whether a link may lead there. */
export function allowed(url: string): boolean {
  try {
    return SCHEMES.includes(new URL(url).protocol);
  } catch {
    return false;
  }
}

function tab(url: string, text: string, labels?: Labels): HTMLElement {
  const anchor = h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text);
  if (labels) anchor.append(h("span", { class: "hidden" }, ` ${labels.newTab}`));
  return anchor;
}

/** Returns a link, or the mere text where the address is not one we link to. */
export function link(url: string, text: string, labels?: Labels): HTMLElement {
  if (!allowed(url)) return h("span", {}, text);
  return url.startsWith("https:") ? tab(url, text, labels) : h("a", { href: url }, text);
}

/** Returns a link to a page that the website itself names, seen from this page. */
export function page(address: string, text: string, labels: Labels): HTMLElement {
  const url = new URL(address, location.href);
  return /^https?:$/.test(url.protocol) ? tab(url.href, text, labels) : h("span", {}, text);
}

/** Returns the paragraphs of a text, split at blank lines, with its https addresses as links. */
export function paragraphs(text: string): HTMLElement[] {
  return text.split(/\n{2,}/).map((part) => {
    const paragraph = h("p");
    let end = 0;
    for (const { 0: found, index } of part.matchAll(ADDRESS)) {
      const bare = !found.startsWith("https:");
      if (bare && /[^\s(]/.test(part[index - 1] ?? " ")) continue;
      paragraph.append(part.slice(end, index), link(bare ? `https://${found}` : found, found));
      end = index + found.length;
    }
    paragraph.append(part.slice(end));
    return paragraph;
  });
}

function written(digits = ""): string {
  return digits.replace(/^1(\d{3})(\d{3})(\d{4})$/, "1-$1-$2-$3");
}

/** Returns the buttons to call and to text, with the number written out on each. */
export function contactLinks(contacts: Contact[], labels: Labels): HTMLElement {
  const list = h("ul", { class: "contacts" });
  const digits = (text: string): string => text.replace(/\D/g, "");
  const item = (url: string, text: string, path: string): void =>
    list.append(
      h(
        "li",
        { class: text.length > 16 && "wide" },
        h("a", { class: "contact", href: url }, icon(path), h("span", {}, text)),
      ),
    );
  for (const { label, tel, sms, number = written(tel) } of contacts) {
    const name = label.replace(/^(Call or text|Call|Text) /, "");
    const full = (digitsToDial: string, shown: string): string =>
      digits(name).includes(digits(digitsToDial)) ? name : `${name} ${shown}`;
    if (tel) item(`tel:${tel}`, fill(labels.callNumber, { name: full(tel, number) }), PHONE);
    if (sms) item(`sms:${sms}`, fill(labels.textNumber, { name: full(sms, sms) }), BUBBLE);
  }
  return list;
}

/** Returns the sentences and buttons of the help panel for one country. */
export function helpContent(lines: Lines, labels: Labels): HTMLElement[] {
  return [
    h("p", { class: "strong" }, fill(labels.helpDanger, { number: lines.emergency })),
    ...paragraphs(fill(labels.helpAnyHour, { call: lines.call })),
    contactLinks(lines.numbers, labels),
    ...paragraphs(fill(labels.helpQuiet, { text: lines.text })),
  ];
}

function sources(list: Source[], review: string | undefined, labels: Labels): HTMLElement {
  const reading: Record<string, string> = { yes: labels.read, partly: labels.partly };
  const items = list.map((source) => {
    const facts = [source.publisher, source.date, reading[source.read]].filter(Boolean).join(" · ");
    return h("li", {}, link(source.url, source.title, labels), h("span", { class: "facts" }, facts));
  });
  const state = review && h("p", { class: "facts" }, review === "approved" ? labels.approved : labels.drafted);
  return h(
    "details",
    {},
    h("summary", {}, `${labels.sources} (${list.length})`),
    h("ol", {}, ...items),
    state || undefined,
  );
}

/**
 * Returns the buttons of a reply: what can be done with it, and questions under a heading. Without
 * a heading the questions are the point, and come first.
 */
export function choices(
  list: Choice[],
  heading: string,
  press: (choice: Choice) => void,
): HTMLElement[] {
  const group = (type: string, label: string): HTMLElement | undefined => {
    const buttons = list
      .filter((choice) => choice.type === type)
      .map((choice) =>
        h("button", { class: "choice", type: "button", click: () => press(choice) }, choice.title),
      );
    return buttons.length
      ? h(
          "div",
          { class: `choices ${type}s`, role: "group", "aria-label": label || undefined },
          label ? h("p", { class: "label", "aria-hidden": "true" }, label) : undefined,
          ...buttons,
        )
      : undefined;
  };
  const groups = [group("action", ""), group("topic", heading)];
  if (!heading) groups.reverse();
  return groups.filter((element): element is HTMLElement => element !== undefined);
}

/** Returns two small thumbs, up and down, below an answer. */
function thumbs(
  list: Choice[],
  labels: Labels,
  judge: (choice: Choice, row: HTMLElement) => void,
): HTMLElement {
  const row = h("div", { class: "judge", role: "group", "aria-label": labels.judge });
  row.append(
    h("span", { "aria-hidden": "true" }, labels.judge),
    ...list.map((choice) =>
      h(
        "button",
        { type: "button", "aria-label": choice.title, title: choice.title, click: () => judge(choice, row) },
        icon(THUMB),
      ),
    ),
  );
  return row;
}

/** Returns a reply of the guide. */
export function replyCard(
  reply: Reply,
  labels: Labels,
  press: (choice: Choice) => void,
  judge: (choice: Choice, row: HTMLElement) => void,
): HTMLElement {
  const { kind, contacts = [], sources: works = [], buttons = [], feedback = [] } = reply;
  const card = h("article", { class: `reply ${kind}`, "aria-label": labels.guide });
  const title = kind === "crisis" ? labels.crisis : reply.title;
  if (title) card.append(h("h3", {}, title));
  // In a crisis the first numbers stand where the eye falls first, before the text.
  const first = kind === "crisis" ? contacts.slice(0, 2) : [];
  const others = contacts.slice(first.length);
  if (first.length) card.append(contactLinks(first, labels));
  card.append(h("div", { class: "text" }, ...paragraphs(reply.text)));
  if (others.length) card.append(contactLinks(others, labels));
  // The text of a list of sources already names them.
  if (works.length && kind !== "sources") card.append(sources(works, reply.review, labels));
  card.append(...choices(buttons, WITHOUT_HEADING.includes(kind) ? "" : labels.related, press));
  if (feedback.length) card.append(thumbs(feedback, labels, judge));
  return card;
}
