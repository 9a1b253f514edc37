// The WebSocket to the server: says hello, and comes back after a drop, each time a little later.
import { VERSION, packFrame, unpackFrame } from "./protocol.js";
const FIRST_DELAY_S = 0.5;
const LONGEST_DELAY_S = 15;
const FULL_DELAY_S = 20;
export class Connection {
    events;
    query;
    socket = null;
    delay = FIRST_DELAY_S;
    timer = 0;
    welcomed = false;
    constructor(events, query = location.search) {
        this.events = events;
        this.query = query;
    }
    /** Connects now, whatever was waited for. */
    open() {
        clearTimeout(this.timer);
        this.drop();
        this.events.state({ kind: "connecting" });
        const scheme = location.protocol === "https:" ? "wss" : "ws";
        const socket = new WebSocket(`${scheme}://${location.host}/ws${tokenQuery(this.query)}`);
        socket.binaryType = "arraybuffer";
        this.socket = socket;
        this.welcomed = false;
        let last = null;
        socket.onopen = () => this.send({ type: "hello", version: VERSION });
        socket.onmessage = (event) => {
            if (typeof event.data !== "string") {
                const { number, jpeg } = unpackFrame(event.data);
                this.events.frame(number, jpeg);
                return;
            }
            const message = JSON.parse(event.data);
            if (message.type === "welcome") {
                this.welcomed = true;
                this.delay = FIRST_DELAY_S;
                this.events.state({ kind: "open" });
                this.events.welcome(message);
            }
            else if (message.type === "full") {
                last = { kind: "waiting", seconds: FULL_DELAY_S, reason: sentence(message.message) };
            }
            else if (message.type === "error" && message.fatal) {
                last = { kind: "ended", reason: sentence(message.message) };
            }
            else {
                this.events.message(message);
            }
        };
        socket.onclose = () => void this.closed(last);
    }
    get isOpen() {
        return this.welcomed && this.socket?.readyState === WebSocket.OPEN;
    }
    send(message) {
        if (this.socket?.readyState === WebSocket.OPEN)
            this.socket.send(JSON.stringify(message));
    }
    sendFrame(number, ms, jpeg) {
        if (this.socket?.readyState === WebSocket.OPEN)
            this.socket.send(packFrame(number, ms, jpeg));
    }
    drop() {
        if (!this.socket)
            return;
        this.socket.onclose = this.socket.onmessage = null;
        this.socket.close();
        this.socket = null;
    }
    async closed(last) {
        const had = this.welcomed;
        this.socket = null;
        this.welcomed = false;
        let state = last;
        if (!state && !had && (await serverAnswers())) {
            const reason = "The server refuses this page. Open the full address that it printed when it started, token included.";
            state = { kind: "ended", reason };
        }
        if (this.socket !== null)
            return; // opened again meanwhile
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
export function tokenQuery(query = location.search) {
    const token = new URLSearchParams(query).get("token");
    return token === null ? "" : `?token=${encodeURIComponent(token)}`;
}
/** With a capital and a full stop. */
export function sentence(text) {
    return text.charAt(0).toUpperCase() + text.slice(1).replace(/\.?$/, ".");
}
async function serverAnswers() {
    try {
        return (await fetch("/health", { cache: "no-store" })).ok;
    }
    catch {
        return false;
    }
}
