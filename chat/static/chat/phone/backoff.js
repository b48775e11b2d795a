/** How long to wait before the next connection. */

const BASE_MS = 500;
const CAP_MS = 30_000;
const STABLE_MS = 60_000;
/** Codes after which the server is known to be fine: everybody comes back within this, not all at once. */
const SPREAD_MS = 3_000;
const SOON = new Set([4410, 4413, 4414]);

/** Full jitter: a random time below a limit that doubles with each failure, forgotten after a stable minute. */
export class Backoff {
  #failures = 0;
  #random;

  /** @param {() => number} random  0 ≤ x < 1 */
  constructor(random = Math.random) {
    this.#random = random;
  }

  /** @param {number} onlineMs  how long the connection that just ended had been up */
  noteEnd(onlineMs) {
    if (onlineMs >= STABLE_MS) this.#failures = 0;
  }

  /**
   * @param {number} code       the close code
   * @param {number} [afterMs]  the server's wish from `bye`: never come earlier
   * @returns {number} milliseconds
   */
  next(code, afterMs) {
    const limit = SOON.has(code) ? SPREAD_MS : Math.min(CAP_MS, BASE_MS * 2 ** this.#failures);
    this.#failures += 1;
    return Math.round((afterMs ?? 0) + this.#random() * limit);
  }
}
