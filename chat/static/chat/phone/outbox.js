/**
 * What the customer wrote and the server has not taken yet. An entry keeps its `mid` through every attempt, so sending
 * it again after a lost reply makes no second turn.
 *
 * @typedef {object} Entry
 * @property {string} mid
 * @property {string} c              conversation id
 * @property {boolean} isNew         written before the server knew the conversation
 * @property {string} text
 * @property {import("./upload.js").FileBody[]} [files]   stored at the bank already
 * @property {number} createdAtMs
 * @property {"waiting"|"sending"|"accepted"|"refused"} state
 * @property {number} [position]     accepted: where its `turn.accepted` is in the log
 * @property {string} [code]         refused: why
 * @property {number} [retryAfterMs]
 *
 * @typedef {object} OutboxHooks
 * @property {(entry: Entry) => Promise<{s: number}>} submit
 * @property {(entry: Entry) => void} accepted
 * @property {() => void} change
 * @property {() => Promise<unknown>} renewToken
 */

import { makeId } from "./ids.js";
import { CommandRefused } from "./link.js";

/** Refusals that pass by themselves; the customer is not asked. */
const PASSING = new Set(["idem.in_progress", "server.draining", "server.overloaded", "auth.expired"]);
const PASSING_MS = 1_000;
const AUTOMATIC_ATTEMPTS = 5;

export class Outbox {
  #hooks;
  #attempts = /** @type {Map<string, number>} */ (new Map());

  /** @param {Entry[]} entries @param {OutboxHooks} hooks */
  constructor(entries, hooks) {
    this.entries = entries;
    this.#hooks = hooks;
    // Whether the reply to a submission came before the reload is unknown, so it is sent again.
    for (const entry of entries) if (entry.state === "sending") entry.state = "waiting";
  }

  /**
   * @param {import("./transcript.js").Conversation} conversation
   * @param {string} text
   * @param {Entry["files"]} [files]
   */
  add({ id: c, isNew }, text, files) {
    this.entries.push({ mid: makeId(), c, isNew, text, files, createdAtMs: Date.now(), state: "waiting" });
    this.#hooks.change();
    this.flush();
  }

  /** Send a refused message once more. @param {string} mid */
  resend(mid) {
    const entry = this.entries.find((item) => item.mid === mid);
    if (entry?.state !== "refused") return;
    // The customer means it now: a message that was too old is new again. A `mid` in conflict can never be used.
    if (entry.code === "idem.conflict") entry.mid = makeId();
    Object.assign(entry, { state: "waiting", code: undefined, createdAtMs: Date.now() });
    this.#attempts.delete(mid);
    this.#hooks.change();
    this.flush();
  }

  /** Send everything that waits, in the order written. */
  flush() {
    for (const entry of this.entries) if (entry.state === "waiting") this.#submit(entry);
  }

  /**
   * Forget what a conversation's log now shows itself.
   * @param {import("./transcript.js").Conversation} conversation
   */
  settle(conversation) {
    const shown = new Set(conversation.messages.map((message) => message.mid));
    const cursor = conversation.cursor ?? -1;
    this.entries = this.entries.filter((entry) => {
      if (entry.c !== conversation.id) return true;
      return !shown.has(entry.mid) && !(entry.position !== undefined && entry.position <= cursor);
    });
  }

  /** @param {(entry: Entry) => boolean} isUnwanted */
  discard(isUnwanted) {
    this.entries = this.entries.filter((entry) => !isUnwanted(entry));
    this.#hooks.change();
  }

  /** @param {Entry} entry */
  async #submit(entry) {
    entry.state = "sending";
    try {
      const reply = await this.#hooks.submit(entry);
      Object.assign(entry, { state: "accepted", position: reply.s });
      this.#hooks.accepted(entry);
    } catch (error) {
      entry.state = "waiting";
      if (error instanceof CommandRefused) await this.#takeRefusal(entry, error);
    }
    this.#hooks.change();
  }

  /** @param {Entry} entry @param {CommandRefused} error */
  async #takeRefusal(entry, error) {
    const attempts = (this.#attempts.get(entry.mid) ?? 0) + 1;
    this.#attempts.set(entry.mid, attempts);
    if (!PASSING.has(error.code) || attempts > AUTOMATIC_ATTEMPTS) {
      Object.assign(entry, { state: "refused", code: error.code, retryAfterMs: error.retryAfterMs });
      return;
    }
    if (error.code === "auth.expired") await this.#hooks.renewToken().catch(() => {});
    setTimeout(() => this.flush(), error.retryAfterMs ?? PASSING_MS);
  }
}
