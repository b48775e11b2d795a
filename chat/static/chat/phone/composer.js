/** Where the customer writes: Enter sends, Shift+Enter makes a line, Esc stops the answer. */

import { askAbout, Attachment } from "./attachment.js";
import { byId } from "./dom.js";
import { draftStore } from "./storage.js";

/**
 * @typedef {object} ComposerHooks
 * @property {(text: string, files: import("./upload.js").FileBody[]) => void} send
 * @property {() => void} cancel
 */

export class Composer {
  #form = /** @type {HTMLFormElement} */ (byId("composer"));
  #input = /** @type {HTMLTextAreaElement} */ (byId("text"));
  #send = /** @type {HTMLButtonElement} */ (byId("send"));
  #stop = /** @type {HTMLButtonElement} */ (byId("stop"));
  #attachment;
  #hooks;

  /** @param {import("./session.js").Session} session @param {ComposerHooks} hooks */
  constructor(session, hooks) {
    this.#hooks = hooks;
    this.#attachment = new Attachment(session, () => this.#noteDraft());
    this.#input.value = draftStore.read();
    this.#input.addEventListener("input", () => this.#noteDraft());
    this.#input.addEventListener("keydown", (event) => this.#press(event));
    this.#stop.addEventListener("click", () => this.#hooks.cancel());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit(this.#input.value);
    });
    this.#noteDraft();
  }

  focus() {
    this.#fit();
    this.#input.focus();
  }

  /** @param {string} text */
  submit(text) {
    if (!this.#maySend(text)) return;
    const files = this.#attachment.take();
    this.#input.value = "";
    this.#noteDraft();
    this.#hooks.send(text.trim() === "" ? askAbout(files[0]) : text, files);
    this.#input.focus();
  }

  /** Forget what was being written, for the next customer. */
  clear() {
    this.#attachment.clear();
    this.#input.value = "";
    this.#noteDraft();
  }

  /** @param {{isRunning: boolean, isCancelling: boolean}} turn */
  render({ isRunning, isCancelling }) {
    // A hidden button loses the focus to nowhere; the keyboard belongs back in the text.
    if (!isRunning && document.activeElement === this.#stop) this.#input.focus();
    this.#stop.hidden = !isRunning;
    // Not `disabled`, which would drop the focus while the customer waits for the end.
    this.#stop.setAttribute("aria-disabled", String(isCancelling));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    // While an input method composes, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  /** A message needs words or a file, and nothing goes without the file the customer chose. @param {string} text */
  #maySend(text) {
    const { state } = this.#attachment;
    return state === "ready" || (state === "none" && text.trim() !== "");
  }

  #noteDraft() {
    const { value } = this.#input;
    draftStore.write(value);
    this.#send.disabled = !this.#maySend(value);
    this.#fit();
  }

  /** Grow with the text. Nothing can be measured while the screen is hidden. */
  #fit() {
    this.#input.style.height = "auto";
    const { scrollHeight, offsetHeight, clientHeight } = this.#input;
    this.#input.style.height = scrollHeight ? `${scrollHeight + offsetHeight - clientHeight}px` : "";
  }
}
