// Talking to the server: sessions, messages, and what went wrong.

import type { Choice, Message, Reply, Said } from "./types";

const TIMEOUT = 30_000;
/** Pauses before a message is sent again by itself after the connection was lost. */
const PAUSES = [1500, 4000];

export interface Answer {
  /** The HTTP status; 0 when there was no connection. */
  status: number;
  body: {
    error?: string;
    replies?: Reply[];
    starters?: Choice[];
    messages?: Said[];
    token?: string;
    expires_in?: number;
  };
  /** Seconds to wait before another try. */
  wait: number;
}

interface Kept {
  token: string;
  /** Milliseconds since the epoch. */
  until: number;
  from: number;
}

export class Server {
  private kept: Kept | null = null;

  /** @param base the channel's address, without a slash at its end */
  constructor(private readonly base: string) {
    try {
      // The token alone: no word of the conversation is stored in the browser.
      this.kept = JSON.parse(sessionStorage.getItem(this.key) ?? "null") as Kept | null;
    } catch {
      this.kept = null;
    }
  }

  get hasSession(): boolean {
    return this.kept !== null && this.kept.until > Date.now();
  }

  async open(): Promise<Answer> {
    const answer = await this.call("POST", "/session", { consent: true });
    if (answer.status === 201) this.keep(answer);
    return answer;
  }

  history(): Promise<Answer> {
    return this.call("GET", "/history");
  }

  /** Sends a message; `retrying` is told before it is sent again after a lost connection. */
  async send(message: Message, retrying: () => void): Promise<Answer> {
    await this.refresh();
    const body = message.button
      ? { id: message.id, button: message.button }
      : { id: message.id, text: message.text };
    let answer = await this.call("POST", "/messages", body);
    for (const pause of PAUSES) {
      if (answer.status) break;
      retrying();
      await new Promise((done) => setTimeout(done, pause));
      answer = await this.call("POST", "/messages", body);
    }
    return answer;
  }

  async end(): Promise<Answer> {
    const answer = await this.call("DELETE", "/session");
    if (answer.status === 200 || answer.status === 401) this.forget();
    return answer;
  }

  forget(): void {
    this.store(null);
  }

  private get key(): string {
    return `kap-chat ${this.base}`;
  }

  private async refresh(): Promise<void> {
    const { kept } = this;
    if (!kept || Date.now() < (kept.from + kept.until) / 2) return;
    const answer = await this.call("POST", "/session/refresh", {});
    if (answer.status === 200) this.keep(answer);
  }

  private keep({ body }: Answer): void {
    const from = Date.now();
    this.store({ token: body.token ?? "", from, until: from + (body.expires_in ?? 0) * 1000 });
  }

  private store(kept: Kept | null): void {
    this.kept = kept;
    try {
      if (kept) sessionStorage.setItem(this.key, JSON.stringify(kept));
      else sessionStorage.removeItem(this.key);
    } catch {
      // Without storage the session lasts as long as the page.
    }
  }

  private async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), TIMEOUT);
    const headers: Record<string, string> = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (this.kept && path !== "/session" || method === "DELETE")
      headers["Authorization"] = `Bearer ${this.kept?.token}`;
    try {
      const response = await fetch(this.base + path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: stop.signal,
        cache: "no-store",
        credentials: "omit",
        referrerPolicy: "no-referrer",
      });
      const wait = Number(response.headers.get("Retry-After")) || 0;
      // A proxy in front may answer with a page of its own.
      const parsed = (await response.json().catch(() => null)) as Answer["body"] | null;
      const usable = parsed !== null && typeof parsed === "object";
      return { status: usable ? response.status : response.ok ? 502 : response.status, body: usable ? parsed : {}, wait };
    } catch {
      return { status: 0, body: {}, wait: 0 };
    } finally {
      clearTimeout(timer);
    }
  }
}
