// The element <kap-chat>: launcher, panel, and what happens between them.

import crisisLines from "crisis-lines";
import { h, icon } from "./dom";
import { fill, LABELS, type Labels } from "./labels";
import { choices, contactLinks, helpContent, page, paragraphs, PHONE, replyCard } from "./render";
import { Server, type Answer } from "./server";
import style from "./style.css";
import type { Choice, Lines, Message, Reply } from "./types";

const MAX_TEXT = 2000;
const WARN_BELOW = 200;
const WAITING_AFTER = 400;
const SLOW_AFTER = 8000;
const ANNOUNCED_FOR = 1500;

const CHAT = "M4 5.5A2.5 2.5 0 0 1 6.5 3h11A2.5 2.5 0 0 1 20 5.5v8a2.5 2.5 0 0 1-2.5 2.5H10l-5 4.5V16a2.5 2.5 0 0 1-1-2Z";
const CROSS = "M6 6l12 12M18 6 6 18";
const ARROW = "M12 19V5M5.5 11.5 12 5l6.5 6.5";

const script = document.currentScript as HTMLScriptElement | null;
const home = script?.src ? new URL(".", script.src).href.replace(/\/$/, "") : "";
const sheet = new CSSStyleSheet();
sheet.replaceSync(style);

function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Returns black or white, whichever reads better on a colour such as #1f5f5b. */
function readableOn(colour: string): string {
  const parts = colour.match(/^#(..)(..)(..)$/);
  if (!parts) return "";
  const [red, green, blue] = parts.slice(1).map((part) => {
    const value = parseInt(part, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue! > 0.179 ? "#000" : "#fff";
}

class KapChat extends HTMLElement {
  private labels: Labels = LABELS;
  private lines!: Lines;
  /** The channel's address, without a slash at its end. */
  private base!: string;
  private server!: Server;
  private panel!: HTMLDialogElement;
  private launcher!: HTMLButtonElement;
  private heading!: HTMLElement;
  private help!: HTMLElement;
  private helpButton!: HTMLButtonElement;
  private endButton!: HTMLButtonElement;
  private main!: HTMLElement;
  private log!: HTMLElement;
  private form!: HTMLFormElement;
  private input!: HTMLTextAreaElement;
  private count!: HTMLElement;
  private live!: HTMLElement;
  private began = false;
  /** Grows when a chat ends, so that late answers of it are not shown. */
  private chat = 0;
  private queue: Promise<void> = Promise.resolve();
  private retryNow: (() => void) | undefined;
  private clearing = 0;
  private readonly online = (): void => this.retryNow?.();

  connectedCallback(): void {
    if (!this.shadowRoot) this.build();
    addEventListener("online", this.online);
  }

  disconnectedCallback(): void {
    removeEventListener("online", this.online);
  }

  /** Opens the panel. */
  open(): void {
    if (this.panel.open) return;
    // Where the panel covers the page, nothing behind it may be reached.
    if (matchMedia("(max-width: 30rem), (max-height: 30rem)").matches) this.panel.showModal();
    else this.panel.show();
    this.launcher.setAttribute("aria-expanded", "true");
    this.toggleAttribute("open", true);
    if (!this.began) {
      this.began = true;
      if (this.server.hasSession) void this.resume();
      else this.welcome();
    }
    this.rest();
    this.tell("open");
  }

  /** Closes the panel; the chat goes on when it is opened again. */
  close(): void {
    this.panel.close();
    this.launcher.setAttribute("aria-expanded", "false");
    this.toggleAttribute("open", false);
    this.launcher.focus();
    this.tell("close");
  }

  // The parts

  private build(): void {
    const json = <T>(name: string): Partial<T> => {
      try {
        return JSON.parse(this.getAttribute(name) ?? "{}") as Partial<T>;
      } catch {
        console.error(`kap-chat: the attribute ${name} is not JSON`);
        return {};
      }
    };
    const { countries, fallback } = crisisLines;
    const labels = (this.labels = { ...LABELS, ...json<Labels>("labels") });
    const country = this.getAttribute("country") ?? fallback;
    const own = countries[country] ?? countries[fallback]!;
    this.lines = { ...own, ...json<Lines>("crisis-lines") };
    this.base = (this.getAttribute("server-url") ?? home).replace(/\/$/, "");
    this.server = new Server(this.base);

    const accent = this.getAttribute("accent");
    if (accent) {
      this.style.setProperty("--kap-accent", accent);
      this.style.setProperty("--kap-on-accent", readableOn(accent));
    }

    // A landmark, so that screen readers find the chat among the parts of the page.
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", this.getAttribute("widget-title") ?? labels.guide);

    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const button = (name: string, text: string | Node, click: () => void, more = {}): HTMLButtonElement =>
      h("button", { type: "button", class: name, click, ...more }, text);

    this.launcher = button("launcher", icon(CHAT), () => (this.panel.open ? this.close() : this.open()), {
      "aria-expanded": "false",
      "aria-controls": "panel",
      "aria-haspopup": "dialog",
    });
    this.launcher.append(h("span", {}, labels.launcher));

    this.heading = h("h2", { id: "title", tabindex: -1 }, this.getAttribute("widget-title") ?? "KAP Guide");
    this.endButton = button("plain", labels.end, () => this.askToEnd());
    this.endButton.hidden = true;
    const close = button("plain close", icon(CROSS), () => this.close(), { "aria-label": labels.close });
    this.helpButton = button("help-button", icon(PHONE), () => this.showHelp(this.help.hasAttribute("hidden")), {
      "aria-expanded": "false",
      "aria-controls": "help",
    });
    this.helpButton.append(h("span", {}, labels.help));

    this.help = this.helpPanel(country, countries);
    this.main = h("div", { class: "main" });
    this.log = h("div", {
      class: "log",
      role: "log",
      "aria-live": "off", // the live region below speaks; a log of its own would say all twice
      "aria-label": labels.transcript,
      tabindex: 0,
    });
    this.input = h("textarea", {
      id: "input",
      rows: 1,
      placeholder: labels.placeholder,
      "aria-label": labels.input,
      "aria-describedby": "count",
      enterkeyhint: "send",
      keydown: (event) => this.typed(event as KeyboardEvent),
      input: () => this.measure(),
    });
    this.count = h("p", { id: "count", class: "count", role: "status" });
    this.form = h(
      "form",
      { class: "composer", submit: (event) => this.submit(event) },
      this.input,
      h("button", { class: "send", "aria-label": labels.send }, icon(ARROW)),
      this.count,
    );
    this.form.hidden = true;
    this.live = h("div", { class: "hidden", "aria-live": "polite" });

    this.panel = h(
      "dialog",
      { id: "panel", "aria-labelledby": "title", keydown: (event) => this.escape(event as KeyboardEvent) },
      h("div", { class: "header" }, h("div", {}, this.heading, h("p", {}, labels.subtitle)), this.endButton, close),
      this.helpButton,
      this.help,
      this.main,
      this.form,
      this.live,
    );
    // Escape is dealt with above; a browser may close the dialog in other ways too.
    this.panel.addEventListener("cancel", (event) => event.preventDefault());
    root.append(this.launcher, this.panel);
  }

  private helpPanel(country: string, countries: Record<string, Lines>): HTMLElement {
    const { labels } = this;
    const lines = h("div", {}, ...helpContent(this.lines, labels));
    const select = h(
      "select",
      {
        id: "country",
        change: () => {
          this.lines = countries[select.value] ?? this.lines;
          lines.replaceChildren(...helpContent(this.lines, labels));
        },
      },
      ...Object.entries(countries).map(([code, entry]) =>
        h("option", { value: code, selected: code === country }, entry.name),
      ),
    );
    const own = this.hasAttribute("crisis-lines");
    const back = h(
      "button",
      { type: "button", class: "secondary", click: () => this.showHelp(false) },
      labels.helpBack,
    );
    const panel = h(
      "section",
      { id: "help", class: "help", "aria-labelledby": "help-title" },
      h("h3", { id: "help-title", tabindex: -1 }, labels.helpTitle),
      lines,
      own ? undefined : h("label", { for: "country" }, labels.helpCountry),
      own ? undefined : select,
      back,
    );
    panel.hidden = true;
    return panel;
  }

  // First view

  private welcome(): void {
    const { labels, lines } = this;
    const values = { call: lines.call, number: lines.emergency };
    const item = (title: string, text: string): HTMLElement =>
      h("div", {}, h("dt", {}, title), h("dd", {}, text));
    const privacy = this.getAttribute("privacy-url");
    const agree = h("button", { type: "button", class: "primary" }, labels.agree);
    agree.addEventListener("click", () => void this.start(agree));
    const view = h(
      "div",
      { class: "welcome" },
      h("h3", {}, labels.welcome),
      h(
        "dl",
        {},
        item(labels.isTitle, labels.is),
        item(labels.isNotTitle, labels.isNot),
        item(labels.emergencyTitle, fill(labels.emergency, values)),
        item(labels.dataTitle, labels.data),
      ),
      h(
        "p",
        { class: "links" },
        page(`${this.base}/crisis-protocol`, labels.protocol, labels),
        privacy ? page(privacy, labels.privacy, labels) : undefined,
      ),
      h("p", { class: "label" }, labels.examplesTitle),
      h("ul", { class: "examples" }, ...labels.examples.split("|").map((text) => h("li", {}, text))),
      h("div", { class: "agree" }, h("p", {}, labels.agreeNote), agree),
    );
    this.main.replaceChildren(view);
    this.form.hidden = this.endButton.hidden = true;
  }

  private async start(agree: HTMLButtonElement): Promise<void> {
    agree.setAttribute("aria-busy", "true");
    agree.disabled = true;
    const answer = await this.server.open();
    if (answer.status !== 201) {
      this.main.replaceChildren(this.failure(answer, () => void this.start(agree)));
      return;
    }
    this.begin();
    this.show(answer.body.replies ?? []);
    this.suggest(answer.body.starters);
    this.rest();
    this.tell("start");
  }

  private async resume(): Promise<void> {
    this.begin();
    const waiting = this.waiting();
    const answer = await this.server.history();
    waiting.remove();
    if (answer.status === 401) {
      this.server.forget();
      this.welcome();
    } else if (answer.status !== 200) {
      this.log.append(this.failure(answer, () => void this.resume()));
    } else {
      for (const said of answer.body.messages ?? [])
        if (said.from === "person") this.person(said.text);
        else this.log.append(this.card(said.reply));
      if ((answer.body.messages?.length ?? 0) < 2) this.suggest(answer.body.starters);
      this.log.scrollTop = this.log.scrollHeight;
    }
  }

  private begin(): void {
    this.log.replaceChildren();
    this.main.replaceChildren(this.log);
    this.form.hidden = this.endButton.hidden = false;
  }

  private suggest(starters: Choice[] | undefined): void {
    if (starters?.length)
      this.log.append(
        h("div", { class: "starters" }, ...choices(starters, this.labels.suggestions, this.press)),
      );
  }

  // Messages

  private submit(event: Event): void {
    event.preventDefault();
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = "";
    this.measure();
    this.send({ id: newId(), text });
  }

  private readonly press = (choice: Choice): void => {
    this.send({ id: newId(), text: choice.title, button: choice.id });
    this.rest();
  };

  /** Sends a judgement aside from the conversation; the thanks take the place of the thumbs. */
  private readonly judge = async (choice: Choice, row: HTMLElement): Promise<void> => {
    const thumbs = row.querySelectorAll("button");
    this.rest();
    thumbs.forEach((thumb) => (thumb.disabled = true));
    const answer = await this.server.send({ id: newId(), text: "", button: choice.id }, () => undefined);
    const thanks = answer.status === 200 && answer.body.replies?.[0]?.text;
    if (!thanks) {
      thumbs.forEach((thumb) => (thumb.disabled = false));
      return;
    }
    row.replaceChildren(thanks);
    this.say(thanks);
  };

  private send(message: Message): void {
    const bubble = this.person(message.text);
    bubble.scrollIntoView({ block: "nearest" });
    this.tell("message");
    const { chat } = this;
    this.queue = this.queue.then(() => this.deliver(message, chat));
  }

  private async deliver(message: Message, chat: number): Promise<void> {
    const waiting = this.waiting();
    const retrying = (): void => waiting.say(`${this.labels.lost} ${this.labels.retrying}`);
    let answer = await this.server.send(message, retrying);
    let fresh = false;
    if (answer.status === 401) {
      // The session ran out. Consent was given on this page, so the message goes into a new one.
      const opened = await this.server.open();
      fresh = opened.status === 201;
      answer = fresh ? await this.server.send(message, retrying) : opened;
    }
    if (answer.status === 404 && message.button) {
      // A button of an earlier session: its title says what was meant.
      message = { id: newId(), text: message.text };
      answer = await this.server.send(message, retrying);
    }
    waiting.remove();
    if (chat !== this.chat) return;
    // An answer without a reply is a failure too: silence would be worse than an apology.
    if (answer.status === 200 && answer.body.replies?.length) {
      if (fresh) this.log.append(h("p", { class: "note" }, this.labels.fresh));
      this.show(answer.body.replies);
      this.tell("reply");
      return;
    }
    const failure = this.failure(answer, () => {
      this.queue = this.queue.then(() => this.deliver(message, chat));
    });
    this.log.append(failure);
    failure.scrollIntoView({ block: "nearest" });
    this.tell("error");
  }

  private person(text: string): HTMLElement {
    const bubble = h(
      "div",
      { class: "person" },
      h("span", { class: "hidden" }, `${this.labels.you}: `),
      h("span", { dir: "auto" }, text),
    );
    this.log.append(bubble);
    return bubble;
  }

  private card(reply: Reply): HTMLElement {
    return replyCard(reply, this.labels, this.press, this.judge);
  }

  /** Shows new replies: the first one's beginning comes into view, the live region says them. */
  private show(replies: Reply[]): void {
    const cards = replies.map((reply) => this.card(reply));
    this.log.append(...cards);
    const first = cards.find((card) => !card.classList.contains("disclosure")) ?? cards[0];
    if (first) this.reveal(first);
    this.say(replies.map((reply) => reply.text).join("\n"), replies.some(({ kind }) => kind === "crisis"));
  }

  /** Scrolls a card's beginning to just below the help button, with the question above it. */
  private reveal(card: HTMLElement): void {
    // Where there is little height the whole panel scrolls instead of the conversation.
    const whole = getComputedStyle(this.panel).overflowY === "auto";
    const below = this.helpButton.getBoundingClientRect().height + (whole ? 12 : 56);
    const offset = card.getBoundingClientRect().top - this.helpButton.getBoundingClientRect().top;
    (whole ? this.panel : this.log).scrollTop += offset - below;
  }

  /** Shows that something happens; `remove` ends it. */
  private waiting(): { remove: () => void; say: (text: string) => void } {
    const text = h("span", {}, this.labels.waiting);
    const row = h("div", { class: "waiting" }, h("span", { class: "dots", "aria-hidden": "true" }), text);
    const say = (words: string): void => {
      this.log.append(row);
      text.textContent = words;
      this.say(words);
      row.scrollIntoView({ block: "nearest" });
    };
    const timers = [
      setTimeout(() => {
        this.log.append(row);
        row.scrollIntoView({ block: "nearest" });
      }, WAITING_AFTER),
      setTimeout(() => say(this.labels.slow), SLOW_AFTER),
    ];
    return {
      say,
      remove: () => {
        timers.forEach(clearTimeout);
        row.remove();
      },
    };
  }

  /** Returns the card for a request that failed: what happened, whom to call, and another try. */
  private failure(answer: Answer, again: () => void): HTMLElement {
    const { labels, lines } = this;
    const reply = answer.body.replies?.find(({ kind }) => kind === "error");
    const reason =
      answer.status === 429 ? fill(labels.busy, { count: answer.wait || 60 }) : answer.status ? labels.failed : labels.lost;
    const card = h(
      "div",
      { class: "reply error", role: "alert" },
      h("p", { class: "strong" }, reason),
      ...(reply ? paragraphs(reply.text) : [h("p", {}, labels.lostUrgent)]),
      contactLinks((reply?.contacts ?? lines.numbers).slice(0, 2), labels),
    );
    const retry = (): void => {
      this.retryNow = undefined;
      card.remove();
      again();
      this.rest();
    };
    card.append(h("button", { type: "button", class: "secondary", click: retry }, labels.retry));
    // When the browser is online again, a message that was lost goes out by itself.
    if (!answer.status) this.retryNow = retry;
    return card;
  }

  // Ending

  private askToEnd(): void {
    const { labels } = this;
    this.showHelp(false);
    this.log.querySelector(".ending")?.remove();
    const button = (name: string, text: string, click: () => void): HTMLButtonElement =>
      h("button", { type: "button", class: name, click }, text);
    const keep = button("secondary", labels.endNo, () => {
      box.remove();
      this.rest();
    });
    const box = h(
      "div",
      { class: "ending", role: "group", "aria-label": labels.end },
      h("p", { class: "strong" }, labels.endAsk),
      button("primary", labels.endYes, () => void this.end()),
      keep,
    );
    this.log.append(box);
    box.scrollIntoView({ block: "nearest" });
    keep.focus();
  }

  private async end(): Promise<void> {
    const { labels } = this;
    this.chat += 1;
    this.retryNow = undefined;
    this.log.replaceChildren();
    this.input.value = "";
    this.form.hidden = this.endButton.hidden = true;
    const answer = await this.server.end();
    const done = answer.status === 200 || answer.status === 401;
    const next = done
      ? h("button", { type: "button", class: "primary", click: () => this.welcome() }, labels.restart)
      : h("button", { type: "button", class: "primary", click: () => void this.end() }, labels.retry);
    const view = h("div", { class: "ended", role: "status" }, h("p", { class: "strong" }, done ? labels.ended : labels.endFailed), next);
    this.main.replaceChildren(view);
    next.focus();
    this.tell("end");
  }

  // Help, focus, keys

  private showHelp(shown: boolean): void {
    this.help.hidden = !shown;
    this.panel.classList.toggle("helping", shown);
    this.helpButton.setAttribute("aria-expanded", String(shown));
    if (shown) this.help.querySelector<HTMLElement>("h3")!.focus();
    else if (this.help.contains(this.shadowRoot!.activeElement) || !this.shadowRoot!.activeElement) this.helpButton.focus();
  }

  /** Puts the focus where typing goes on; a touch screen's keyboard would hide the answers. */
  private rest(): void {
    if (!this.form.hidden && matchMedia("(pointer: fine)").matches) this.input.focus();
    else if (!this.form.hidden) this.log.focus({ preventScroll: true });
    else this.heading.focus();
  }

  private escape(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    if (this.help.hidden) this.close();
    else {
      this.showHelp(false);
      this.helpButton.focus();
    }
  }

  private typed(event: KeyboardEvent): void {
    // While a word is being composed, Enter belongs to the input method (229 in older browsers).
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
      event.preventDefault();
      this.form.requestSubmit();
    }
  }

  /** Lets the input grow with its text, and says when the text gets too long. */
  private measure(): void {
    const { input, labels } = this;
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight + 2}px`;
    const left = MAX_TEXT - input.value.length;
    this.count.textContent =
      left < 0 ? fill(labels.tooLong, { count: -left }) : left < WARN_BELOW ? fill(labels.left, { count: left }) : "";
  }

  /** Lets screen readers say a new text, and only that. */
  private say(text: string, urgent = false): void {
    clearTimeout(this.clearing);
    this.live.setAttribute("aria-live", urgent ? "assertive" : "polite");
    this.live.textContent = text;
    this.clearing = setTimeout(() => (this.live.textContent = ""), ANNOUNCED_FOR);
  }

  /** Tells the page what happened; never what was said. */
  private tell(what: string): void {
    this.dispatchEvent(new CustomEvent(`kap-${what}`, { bubbles: true, composed: true }));
  }
}

customElements.define("kap-chat", KapChat);

function insert(): void {
  if (!script || document.querySelector("kap-chat")) return;
  const element = document.createElement("kap-chat");
  for (const { name, value } of Array.from(script.attributes))
    if (name.startsWith("data-")) element.setAttribute(name.slice(5), value);
  document.body.append(element);
}

// One <script> line is enough: without an element on the page there is one at its end.
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", insert);
else insert();
