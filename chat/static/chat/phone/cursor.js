/**
 * The cursor rule: what to do with a numbered frame, given the position the phone has reached. Pure.
 *
 * @typedef {import("./protocol.js").Frame} Frame
 * @typedef {"replace"|"drop"|"apply"|"overlap"|"hole"} Verdict
 */

/**
 * Judge a durable frame.
 *
 * replace  a snapshot: take its state, whatever the phone had
 * drop     already applied, or nothing to apply it to yet
 * apply    exactly the next one
 * overlap  a merged frame that begins inside what the phone has: ask again from the cursor
 * hole     something is missing before it: ask again from the cursor, never guess
 *
 * @param {number|null} cursor  null while the phone waits for a snapshot
 * @param {Frame} frame         a frame with `s`
 * @returns {Verdict}
 */
export function judgeFrame(cursor, frame) {
  if (frame.snap) return "replace";
  const end = /** @type {number} */ (frame.s);
  if (cursor === null || end <= cursor) return "drop";
  const start = end - (frame.n ?? 1);
  if (start === cursor) return "apply";
  return start < cursor ? "overlap" : "hole";
}

const WINDOW_MS = 10_000;
const ATTACHES_PER_WINDOW = 3;

/** Counts repairs, so that a server and a phone that disagree do not shout at each other for ever. */
export class RepairLimit {
  #times = /** @type {number[]} */ ([]);
  #hasReconnected = false;

  /**
   * Ask what the next repair should be: three attaches in ten seconds, then one fresh connection, then nothing.
   * @param {number} nowMs
   * @returns {"attach"|"reconnect"|"stop"}
   */
  choose(nowMs) {
    this.#times = this.#times.filter((time) => nowMs - time < WINDOW_MS);
    if (this.#times.length === 0) this.#hasReconnected = false;
    this.#times.push(nowMs);
    if (this.#times.length <= ATTACHES_PER_WINDOW) return "attach";
    if (this.#hasReconnected) return "stop";
    this.#hasReconnected = true;
    return "reconnect";
  }
}
