/** The drawer: the customer's conversations, language, developer's frames, sign out. */

import { byId, make } from "./dom.js";
import { RestError } from "./session.js";
import { describeError, translate } from "./strings.js";

/**
 * @typedef {import("./phone.js").Phone} Phone
 *
 * @typedef {object} MenuHooks
 * @property {() => void} signOut
 * @property {() => void} toggleFrames
 * @property {() => void} opened       a conversation was chosen
 */

export class Menu {
  #dialog = /** @type {HTMLDialogElement} */ (byId("menu"));
  #list = byId("conversations");
  #hint = byId("conversations-hint");
  #end = /** @type {HTMLButtonElement} */ (byId("menu-end"));
  #hooks;
  #phone = /** @type {Phone|null} */ (null);

  /** @param {MenuHooks} hooks */
  constructor(hooks) {
    this.#hooks = hooks;
    byId("menu-open").addEventListener("click", () => this.#open());
    byId("menu-close").addEventListener("click", () => this.#dialog.close());
    byId("menu-new").addEventListener("click", () => this.#choose());
    this.#end.addEventListener("click", () => this.#endConversation());
    byId("sign-out").addEventListener("click", () => this.#leave(hooks.signOut));
    byId("frames-open").addEventListener("click", () => this.#leave(hooks.toggleFrames));
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
  }

  /** @param {Phone} phone @param {string} name */
  attach(phone, name) {
    this.#phone = phone;
    byId("name").textContent = name;
    byId("letter").textContent = name.slice(0, 1).toUpperCase();
  }

  async #open() {
    this.#list.replaceChildren();
    this.#tell(translate("menu.loading"));
    const conversation = this.#phone?.conversation;
    this.#end.hidden = !conversation || conversation.isNew || conversation.isClosed === true;
    this.#dialog.showModal();
    try {
      this.#show(await /** @type {Phone} */ (this.#phone).listConversations());
    } catch (error) {
      this.#tell(describeError(error instanceof RestError ? error.code : "server.internal"));
    }
  }

  async #endConversation() {
    try {
      await this.#phone?.close();
      this.#leave(this.#hooks.opened);
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      this.#tell(error.code === "turn.busy" ? translate("menu.busy") : describeError(error.code));
    }
  }

  /** @param {import("./phone.js").ListedConversation[]} conversations */
  #show(conversations) {
    this.#tell(conversations.length ? "" : translate("menu.empty"));
    const current = this.#phone?.conversation.id;
    const items = conversations.map(({ id, title }) => {
      const button = make("button", { type: "button" }, title || translate("conversation.untitled"));
      if (id === current) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => this.#choose(id));
      return make("li", {}, button);
    });
    this.#list.replaceChildren(...items);
  }

  /** @param {string} text */
  #tell(text) {
    this.#hint.hidden = text === "";
    this.#hint.textContent = text;
  }

  /** @param {string} [id] */
  #choose(id) {
    this.#phone?.open(id);
    this.#leave(this.#hooks.opened);
  }

  /** @param {() => void} act */
  #leave(act) {
    this.#dialog.close();
    act();
  }
}
