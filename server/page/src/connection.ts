// The WebSocket to the server: says hello, and comes back after a drop, each time a little later.

import { type ClientMessage, type ServerMessage, type Welcome, VERSION, packFrame, unpackFrame } from "./protocol.js";

const FIRST_DELAY_S = 0.5;
const LONGEST_DELAY_S = 15;
const FULL_DELAY_S = 20;

/** "waiting" tries again by itself; "ended" does not. */
export type ConnectionState =
  | { kind: "connecting" }
  | { kind: "open" }
  | { kind: "waiting"; seconds: number; reason: string }
  | { kind: "ended"; reason: string };

export interface ConnectionEvents {
  state(state: ConnectionState): void;
  welcome(welcome: Welcome): void;
  message(message: Exclude<ServerMessage, Welcome>): void;
  frame(number: number, jpeg: Blob): void;
}

export class Connection {
  private socket: WebSocket | null = null;
  private delay = FIRST_DELAY_S;
  private timer = 0;
  private welcomed = false;

  constructor(
    private readonly events: ConnectionEvents,
    private readonly query = location.search,
  ) {}

  /** Connects now, whatever was waited for. */
  open(): void {
    clearTimeout(this.timer);
    this.drop();
    this.events.state({ kind: "connecting" });
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws${tokenQuery(this.query)}`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.welcomed = false;
    let last: ConnectionState | null = null;
    socket.onopen = () => this.send({ type: "hello", version: VERSION });
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (typeof event.data !== "string") {
        const { number, jpeg } = unpackFrame(event.data);
        this.events.frame(number, jpeg);
        return;
      }
      const message = JSON.parse(event.data) as ServerMessage;
      if (message.type === "welcome") {
        this.welcomed = true;
        this.delay = FIRST_DELAY_S;
        this.events.state({ kind: "open" });
        this.events.welcome(message);
      } else if (message.type === "full") {
        last = { kind: "waiting", seconds: FULL_DELAY_S, reason: sentence(message.message) };
      } else if (message.type === "error" && message.fatal) {
        last = { kind: "ended", reason: sentence(message.message) };
      } else {
        this.events.message(message);
      }
    };
    socket.onclose = () => void this.closed(last);
  }

  get isOpen(): boolean {
    return this.welcomed && this.socket?.readyState === WebSocket.OPEN;
  }

  send(message: ClientMessage): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  sendFrame(number: number, ms: number, jpeg: Blob): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(packFrame(number, ms, jpeg));
  }

  private drop(): void {
    if (!this.socket) return;
    this.socket.onclose = this.socket.onmessage = null;
    this.socket.close();
    this.socket = null;
  }

  private async closed(last: ConnectionState | null): Promise<void> {
    const had = this.welcomed;
    this.socket = null;
    this.welcomed = false;
    let state = last;
    if (!state && !had && (await serverAnswers())) {
      const reason = "The server refuses this page. Open the full address that it printed when it started, token included.";
      state = { kind: "ended", reason };
    }
    if (this.socket !== null) return; // opened again meanwhile
    state ??= {
      kind: "waiting",
      seconds: this.delay,
      reason: had ? "The connection dropped." : "The server does not answer.",
    };
    if (state.kind === "waiting") {
      this.timer = window.setTimeout(() => this.open(), state.seconds * 1000);
      this.delay = Math.min(2 * this.delay, LONGEST_DELAY_S);
    }
    this.events.state(state);
  }
}

/** The part of the page's address that bears the token, for requests to the same server. */
export function tokenQuery(query = location.search): string {
  const token = new URLSearchParams(query).get("token");
  return token === null ? "" : `?token=${encodeURIComponent(token)}`;
}

/** With a capital and a full stop. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/\.?$/, ".");
}

async function serverAnswers(): Promise<boolean> {
  try {
    return (await fetch("/health", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}
