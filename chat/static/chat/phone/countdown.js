/** The time a question has left, on the screen: counted by the bank's clock. */

import { make } from "./dom.js";
import { translate } from "./strings.js";

/** Spoken once to those who do not see it run down. */
const LAST_SECONDS = 30;

export class Countdown {
  element = make("p", { class: "card-time", role: "timer", "aria-live": "off" });
  #hooks;
  #endMs = 0;
  #timer = 0;
  #isSpoken = false;

  /** @param {{now: () => number, announce: (text: string) => void, over: () => void}} hooks */
  constructor(hooks) {
    this.#hooks = hooks;
  }

  /** @param {number} endMs */
  start(endMs) {
    this.#endMs = endMs;
    this.element.hidden = false;
    if (this.#timer !== 0) return;
    this.#timer = setInterval(() => this.#tick(), 1000);
    this.#tell(this.#seconds);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.element.hidden = true;
  }

  get #seconds() {
    return Math.max(0, Math.ceil((this.#endMs - this.#hooks.now()) / 1000));
  }

  #tick() {
    // Another conversation is on the screen; the next drawing of this one starts the clock again.
    if (!this.element.isConnected) return this.stop();
    const seconds = this.#seconds;
    this.#tell(seconds);
    if (seconds === 0) {
      this.stop();
      this.#hooks.over();
    } else if (seconds <= LAST_SECONDS && !this.#isSpoken) {
      this.#isSpoken = true;
      this.#hooks.announce(this.element.textContent ?? "");
    }
  }

  /** @param {number} seconds */
  #tell(seconds) {
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    this.element.textContent = translate("ask.time", { time });
  }
}
