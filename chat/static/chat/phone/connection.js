/**
 * The phone's connection as a whole: opens links, comes back after losses, moves to a new link during a drain.
 *
 * @typedef {import("./protocol.js").Frame} Frame
 * @typedef {import("./link.js").End} End
 *
 * @typedef {object} Status
 * @property {"off"|"connecting"|"online"|"waiting"|"cut"|"stopped"} name
 * @property {number} [untilMs]   waiting: when the next attempt begins
 * @property {number} [code]      stopped: the close code
 *
 * @typedef {object} ConnectionHooks
 * @property {() => WebSocket} openSocket
 * @property {() => Promise<object>} buildHello          may fail while the network is down
 * @property {(body: any) => void} welcome
 * @property {(frame: Frame, size: number) => void} frame
 * @property {(status: Status) => void} status
 * @property {(code: number) => void} refuseSession      the server wants a new sign-in
 * @property {() => void} expireToken                    the access token is not to be used again
 * @property {(direction: "in"|"out", text: string) => void} wire
 */

import { Backoff } from "./backoff.js";
import { Link, LinkLost } from "./link.js";
import { readCloseCode } from "./protocol.js";

const NETWORK_FAILED = 1006;
const TOKEN_EXPIRED = 4401;

export class Connection {
  status = /** @type {Status} */ ({ name: "off" });
  #hooks;
  #backoff;
  #link = /** @type {Link|null} */ (null);
  #old = /** @type {Link|null} */ (null);
  #timer = 0;
  #dialing = 0;

  /** @param {ConnectionHooks} hooks @param {Backoff} backoff */
  constructor(hooks, backoff = new Backoff()) {
    this.#hooks = hooks;
    this.#backoff = backoff;
  }

  /** Connect now, whatever the phone was waiting for. */
  start() {
    this.#abandon();
    this.#setStatus({ name: "connecting" });
    this.#dial();
  }

  /** Leave and stay away. */
  stop(/** @type {string} */ reason) {
    this.#link?.leave(reason);
    this.#abandon();
    this.#setStatus({ name: "off" });
  }

  /** Behave as if the network were gone, until `start`. */
  cut() {
    this.#abandon();
    this.#setStatus({ name: "cut" });
  }

  /** The phone and the server disagree for good: nothing more is tried until `start`. */
  halt(/** @type {number} */ code) {
    this.#abandon();
    this.#setStatus({ name: "stopped", code });
  }

  /** The network or the page came back: try now instead of later, and do not trust a link that looks alive. */
  nudge() {
    if (this.status.name === "waiting") this.start();
    if (this.status.name === "online") this.#link?.probe();
  }

  /** @param {object} frame */
  send(frame) {
    this.#speaker?.send(frame);
  }

  /** @param {string} type @param {{c?: string, d?: object}} parts @returns {Promise<any>} */
  request(type, parts) {
    return this.#speaker?.request(type, parts) ?? Promise.reject(new LinkLost());
  }

  get #speaker() {
    return this.#link?.isWelcome ? this.#link : this.#old;
  }

  /** @param {Status} status */
  #setStatus(status) {
    this.status = status;
    this.#hooks.status(status);
  }

  #abandon() {
    clearTimeout(this.#timer);
    this.#dialing += 1;
    this.#link?.abandon();
    this.#old?.abandon();
    this.#link = this.#old = null;
  }

  async #dial() {
    this.#dialing += 1;
    const dialing = this.#dialing;
    let hello;
    try {
      hello = await this.#hooks.buildHello();
    } catch {
      // Only the network is left to blame here: a refused session stops the connection, which outdates this attempt.
      if (dialing === this.#dialing) this.#retry({ code: NETWORK_FAILED });
      return;
    }
    if (dialing === this.#dialing) this.#open(hello);
  }

  /** @param {object} hello */
  #open(hello) {
    const link = new Link(this.#hooks.openSocket(), hello, {
      welcome: (body) => this.#welcome(body),
      frame: (frame, size) => (frame.t === "drain" ? this.#drain(frame.d) : this.#hooks.frame(frame, size)),
      end: (end) => this.#end(link, end),
      wire: this.#hooks.wire,
    });
    this.#link = link;
  }

  /** @param {any} body */
  #welcome(body) {
    this.#old?.abandon();
    this.#old = null;
    this.#hooks.welcome(body);
    this.#setStatus({ name: "online" });
  }

  /**
   * Make before break: the old link delivers until the new one is welcome; the cursor rule drops what comes twice.
   * @param {{reconnect_in_ms: number}} body
   */
  #drain(body) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#old = this.#link;
      this.#link = null;
      this.#dial();
    }, body.reconnect_in_ms);
  }

  /** @param {Link} link @param {End} end */
  #end(link, end) {
    if (link === this.#old) {
      this.#old = null;
      return;
    }
    this.#backoff.noteEnd(link.isWelcome ? Date.now() - link.welcomedAt : 0);
    this.#link = null;
    const verdict = readCloseCode(end.code);
    if (end.code === TOKEN_EXPIRED) this.#hooks.expireToken();
    if (verdict === "reconnect") this.#retry(end);
    else if (verdict === "sign-in") this.#hooks.refuseSession(end.code);
    else this.halt(end.code);
  }

  /** @param {End} end */
  #retry(end) {
    clearTimeout(this.#timer);
    const delayMs = this.#backoff.next(end.code, end.afterMs);
    this.#timer = setTimeout(() => {
      this.#setStatus({ name: "connecting" });
      this.#dial();
    }, delayMs);
    this.#setStatus({ name: "waiting", untilMs: Date.now() + delayMs });
  }
}
