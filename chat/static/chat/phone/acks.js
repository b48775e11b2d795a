/** Tells the server what the phone has stored, so that it never runs further ahead than the phone can bear. */

const INTERVAL_MS = 1_000;
const WINDOW_BYTES = 32 * 1024;

export class Acks {
  #positions = /** @type {Map<string, number>} */ (new Map());
  #bytes = 0;
  #timer = 0;
  #commit;

  /**
   * @param {(positions: Record<string, number>) => void} commit  stores the phone's state, then sends the ack: in
   *   this order, because an acknowledged position must survive a reload
   */
  constructor(commit) {
    this.#commit = commit;
  }

  /**
   * @param {string} conversationId
   * @param {number} position
   * @param {{size: number, isFinal: boolean}} frame  size in UTF-8 bytes
   */
  note(conversationId, position, { size, isFinal }) {
    this.#positions.set(conversationId, position);
    this.#bytes += size;
    if (isFinal || this.#bytes >= WINDOW_BYTES) this.flush();
    else if (this.#timer === 0) this.#timer = setTimeout(() => this.flush(), INTERVAL_MS);
  }

  flush() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#bytes = 0;
    if (this.#positions.size === 0) return;
    const positions = Object.fromEntries(this.#positions);
    this.#positions.clear();
    this.#commit(positions);
  }
}
