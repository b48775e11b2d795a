/** What goes over the socket, for developers of mobile apps. Tokens are not shown. */

import { byId, make } from "./dom.js";

const KEPT_FRAMES = 300;
const TOKEN = /("token":")[^"]*(")/g;
const FOLLOW_PIXELS = 40;

export class FramesPanel {
  #panel = byId("frames");
  #list = byId("frames-list");
  #phone = byId("phone");
  #opener = /** @type {HTMLElement|null} */ (null);

  constructor() {
    byId("frames-close").addEventListener("click", () => this.close());
    byId("frames-clear").addEventListener("click", () => this.clear());
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
    // Beside the phone both are used at once; over it only the panel is.
    matchMedia("(max-width: 899px)").addEventListener("change", () => this.#cover());
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  /** @param {HTMLElement} opener  gets the focus back */
  open(opener) {
    this.#opener = opener;
    this.#panel.hidden = false;
    document.body.classList.add("with-frames");
    this.#cover();
    this.#list.scrollTop = this.#list.scrollHeight;
    byId("frames-close").focus();
  }

  close() {
    this.#panel.hidden = true;
    document.body.classList.remove("with-frames");
    this.#cover();
    this.#opener?.focus();
  }

  clear() {
    this.#list.replaceChildren();
  }

  /** @param {"in"|"out"} direction @param {string} text */
  add(direction, text) {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    const follows = scrollHeight - scrollTop - clientHeight < FOLLOW_PIXELS;
    const time = new Date().toISOString().slice(11, 23);
    const arrow = make("span", { class: "arrow" }, direction === "in" ? "S›" : "C›");
    const body = make("code", {}, text.replaceAll(TOKEN, "$1…$2"));
    this.#list.append(make("li", { class: direction }, arrow, make("time", {}, time), body));
    while (this.#list.childElementCount > KEPT_FRAMES) this.#list.firstElementChild?.remove();
    if (follows) this.#list.scrollTop = this.#list.scrollHeight;
  }

  #cover() {
    this.#phone.inert = this.isOpen && matchMedia("(max-width: 899px)").matches;
  }
}
