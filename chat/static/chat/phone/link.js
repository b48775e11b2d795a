/**
 * One socket from hello to its end: handshake, replies, heartbeat. It never comes back; `Connection` opens the next.
 *
 * @typedef {import("./protocol.js").Frame} Frame
 * @typedef {{code: number, afterMs?: number}} End
 *
 * @typedef {object} LinkHooks
 * @property {(body: any) => void} welcome
 * @property {(frame: Frame, size: number) => void} frame     size in UTF-8 bytes
 * @property {(end: End) => void} end                         exactly once, unless the link was abandoned
 * @property {(direction: "in"|"out", text: string) => void} wire
 */

import { measureBytes } from "./digests.js";
import { HELLO_TIMEOUT_MS, PROBE_MS, REPLY_TIMEOUT_MS, SILENCE_GRACE_MS } from "./protocol.js";

/**
 * @param {string} text
 * @returns {Frame|null} null for what no server of ours sends: something on the way broke it
 */
function parseFrame(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The link ended before the reply came; whether the command was done is unknown. */
export class LinkLost extends Error {}

/** The server refused a command. */
export class CommandRefused extends Error {
  /** @param {import("./protocol.js").WireError} error */
  constructor(error) {
    super(error.code);
    this.code = error.code;
    this.isRetryable = Boolean(error.retryable);
    this.retryAfterMs = error.retry_after_ms;
    this.field = error.field;
  }
}

const ABNORMAL = 1006;

export class Link {
  isWelcome = false;
  welcomedAt = 0;
  #socket;
  #hooks;
  #lastId = 0;
  #waiting = /** @type {Map<string, {resolve: (body: any) => void, reject: (error: Error) => void}>} */ (new Map());
  #silenceMs = HELLO_TIMEOUT_MS;
  #timer = 0;
  #probe = 0;
  #bye = /** @type {End|null} */ (null);
  #isOver = false;

  /** @param {WebSocket} socket @param {object} hello @param {LinkHooks} hooks */
  constructor(socket, hello, hooks) {
    this.#socket = socket;
    this.#hooks = hooks;
    socket.onopen = () => this.#transmit({ t: "hello", id: this.#nextId(), d: hello });
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#end({ code: event.code });
    this.#listen();
  }

  /** Send without wanting a reply; a link that is not open swallows it, the next hello says all that matters. */
  send(/** @type {object} */ frame) {
    if (this.isWelcome && !this.#isOver) this.#transmit(frame);
  }

  /**
   * Send a command.
   * @param {string} type
   * @param {{c?: string, d?: object}} parts
   * @returns {Promise<any>} the reply's body; rejects with CommandRefused or LinkLost
   */
  request(type, parts) {
    if (!this.isWelcome || this.#isOver) return Promise.reject(new LinkLost());
    const id = this.#nextId();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail(), REPLY_TIMEOUT_MS);
      const settle = (/** @type {(value: any) => void} */ act) => (/** @type {any} */ value) => {
        clearTimeout(timer);
        act(value);
      };
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#transmit({ t: type, id, ...parts });
    });
  }

  /** Find out fast whether the link still lives. */
  probe() {
    if (!this.isWelcome || this.#probe !== 0) return;
    this.send({ t: "ping", d: { n: 0 } });
    this.#probe = setTimeout(() => this.fail(), PROBE_MS);
  }

  /** Leave politely. */
  leave(/** @type {string} */ reason) {
    this.send({ t: "bye", d: { reason } });
    this.abandon();
  }

  /**
   * Fall silent at once, as if the network were gone: nothing that arrives later is seen. A page cannot drop a socket
   * without its closing handshake, but it can stop listening before it.
   */
  abandon() {
    if (this.#isOver) return;
    this.#close();
    this.#socket.close(1000);
  }

  /** Drop a link that does not answer, and report it as lost. */
  fail() {
    if (this.#isOver) return;
    this.abandon();
    this.#hooks.end({ code: ABNORMAL });
  }

  #nextId() {
    this.#lastId += 1;
    return String(this.#lastId);
  }

  #listen() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.fail(), this.#silenceMs);
  }

  /** @param {object} frame */
  #transmit(frame) {
    const text = JSON.stringify(frame);
    this.#socket.send(text);
    this.#hooks.wire("out", text);
  }

  /** @param {string} text */
  #receive(text) {
    clearTimeout(this.#probe);
    this.#probe = 0;
    this.#hooks.wire("in", text);
    const frame = parseFrame(text);
    if (frame === null) return this.fail();
    if (frame.t === "welcome") this.#welcome(frame.d);
    else if (frame.t === "ok" || frame.t === "err") this.#settle(frame);
    else if (frame.t === "ping") this.#transmit({ t: "pong", d: frame.d ?? {} });
    else if (frame.t === "bye") this.#bye = { code: frame.d.code, afterMs: frame.d.after_ms };
    else if (frame.t !== "pong") this.#hooks.frame(frame, measureBytes(text));
    if (!this.#isOver) this.#listen();
  }

  /** @param {any} body */
  #welcome(body) {
    this.isWelcome = true;
    this.welcomedAt = Date.now();
    this.#silenceMs = (body.ping_ms ?? 25_000) * 1.2 + SILENCE_GRACE_MS;
    this.#hooks.welcome(body);
  }

  /** @param {Frame} frame */
  #settle(frame) {
    const waiting = this.#waiting.get(frame.re ?? "");
    this.#waiting.delete(frame.re ?? "");
    if (frame.t === "ok") waiting?.resolve(frame.d ?? {});
    else waiting?.reject(new CommandRefused(/** @type {any} */ (frame.err)));
  }

  #close() {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#probe);
    Object.assign(this.#socket, { onopen: null, onmessage: null, onclose: null });
    for (const waiting of this.#waiting.values()) waiting.reject(new LinkLost());
    this.#waiting.clear();
  }

  /** @param {End} end */
  #end(end) {
    if (this.#isOver) return;
    this.#close();
    // What `bye` said is more than a close code can say, and some servers cannot send every code.
    this.#hooks.end(this.#bye ?? end);
  }
}
