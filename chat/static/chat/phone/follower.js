/**
 * Keeps one conversation equal to the server's log: judges each frame by the cursor rule, applies it, verifies finished
 * answers, and asks again whenever the phone cannot be sure.
 *
 * @typedef {import("./protocol.js").Frame} Frame
 * @typedef {import("./protocol.js").AttachEntry} AttachEntry
 * @typedef {import("./transcript.js").Conversation} Conversation
 * @typedef {import("./transcript.js").Claim} Claim
 *
 * @typedef {object} FollowerHooks
 * @property {(position: {e?: string, s?: number}) => Promise<AttachEntry>} attach
 * @property {() => void} reconnect   drop the link and come back with the stored position
 * @property {() => void} giveUp      server and phone do not come to terms; the customer must decide
 * @property {() => void} lose        the conversation is not the customer's, or gone
 * @property {() => void} change      something visible changed
 */

import { judgeFrame, RepairLimit } from "./cursor.js";
import { matchesClaim } from "./digests.js";
import { TERMINAL_EVENTS } from "./protocol.js";
import { applyEvent, applySnapshot, settleTurns, TranscriptBroken } from "./transcript.js";

export class Follower {
  #hooks;
  #limit = new RepairLimit();
  #isAsking = false;
  #parts = /** @type {any[]} */ ([]);

  /** @param {Conversation} conversation @param {FollowerHooks} hooks */
  constructor(conversation, hooks) {
    this.conversation = conversation;
    this.#hooks = hooks;
  }

  /** @returns {{e?: string, s?: number}} what to ask for: nothing held, nothing claimed */
  get position() {
    const { epoch, cursor } = this.conversation;
    return epoch !== null && cursor !== null ? { e: epoch, s: cursor } : {};
  }

  /**
   * Take the server's answer for the position asked; it comes before the frames it announces.
   * @param {AttachEntry} entry
   */
  takeEntry(entry) {
    this.#isAsking = false;
    this.#parts = [];
    if (entry.mode === "denied") return this.#hooks.lose();
    if (entry.mode === "snapshot") this.conversation.cursor = null;
    this.conversation.epoch = entry.e ?? null;
    if (entry.mode === "live") settleTurns(this.conversation, entry);
    this.#hooks.change();
  }

  /** Attach with the position held, for a conversation that joins a living link. */
  async join() {
    this.#isAsking = true;
    try {
      this.takeEntry(await this.#hooks.attach(this.position));
    } catch {
      // A lost link heals by the next hello, which carries the position; a refusal leaves nothing to follow.
      this.#isAsking = false;
    }
  }

  /**
   * Take a frame of this conversation that has a position or is part of a snapshot.
   * @param {Frame} frame
   * @returns {{isFinal: boolean, claim: Claim|null}|null} null when nothing was applied
   */
  takeFrame(frame) {
    if (this.#isAsking) return null;
    if (frame.t === "conv.state") this.#collect(frame);
    if (frame.s === undefined) return null;
    switch (judgeFrame(this.conversation.cursor, frame)) {
      case "replace":
        return this.#replace(frame);
      case "apply":
        return this.#apply(frame);
      case "overlap":
      case "hole":
        this.#repair(this.position);
        return null;
      default:
        return null;
    }
  }

  /** @param {Frame} frame */
  #collect(frame) {
    if ((frame.d.part ?? 1) === 1) this.#parts = [];
    this.#parts.push(frame.d);
  }

  /** @param {Frame} frame */
  #replace(frame) {
    applySnapshot(this.conversation, this.#parts);
    this.#parts = [];
    this.conversation.cursor = /** @type {number} */ (frame.s);
    this.#hooks.change();
    return { isFinal: true, claim: null };
  }

  /** @param {Frame} frame */
  #apply(frame) {
    try {
      const claim = applyEvent(this.conversation, frame);
      this.conversation.cursor = /** @type {number} */ (frame.s);
      if (claim) this.#verify(claim);
      this.#hooks.change();
      return { isFinal: TERMINAL_EVENTS.has(frame.t), claim };
    } catch (error) {
      if (!(error instanceof TranscriptBroken)) throw error;
      this.#forget();
      return null;
    }
  }

  /** @param {Claim} claim */
  async #verify(claim) {
    const text = this.conversation.messages.find((message) => message.id === claim.message)?.text ?? "";
    if (!(await matchesClaim(text, claim))) this.#forget();
  }

  /** What the phone holds is not what the server stored: take the whole state instead. */
  #forget() {
    this.conversation.cursor = null;
    this.#repair({});
  }

  /** @param {{e?: string, s?: number}} position */
  async #repair(position) {
    if (this.#isAsking) return;
    const step = this.#limit.choose(Date.now());
    if (step === "reconnect") return this.#hooks.reconnect();
    if (step === "stop") return this.#hooks.giveUp();
    this.#isAsking = true;
    try {
      this.takeEntry(await this.#hooks.attach(position));
    } catch {
      this.#isAsking = false;
    }
  }
}
