/** The sign-in screen. */

import { byId } from "./dom.js";
import { RestError } from "./session.js";
import { describeError, translate } from "./strings.js";

export class SignIn {
  #form = /** @type {HTMLFormElement} */ (byId("sign-in-form"));
  #username = /** @type {HTMLInputElement} */ (byId("username"));
  #password = /** @type {HTMLInputElement} */ (byId("password"));
  #button = /** @type {HTMLButtonElement} */ (byId("sign-in-button"));
  #error = byId("sign-in-error");
  #signIn;

  /** @param {(username: string, password: string) => Promise<void>} signIn */
  constructor(signIn) {
    this.#signIn = signIn;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** @param {string} [code]  why the customer has to sign in again */
  show(code) {
    this.#password.value = "";
    this.#tell(code ? describeError(code) : "");
    (this.#username.value ? this.#password : this.#username).focus();
  }

  async #submit() {
    if (this.#button.disabled) return;
    this.#setBusy(true);
    this.#tell("");
    try {
      await this.#signIn(this.#username.value.trim(), this.#password.value);
      this.#password.value = "";
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      this.#tell(describeError(error.code, error.retryAfterMs));
      this.#password.select();
    } finally {
      this.#setBusy(false);
    }
  }

  /** @param {boolean} isBusy */
  #setBusy(isBusy) {
    this.#button.disabled = isBusy;
    this.#button.textContent = translate(isBusy ? "sign_in.busy" : "sign_in.button");
  }

  /** @param {string} text */
  #tell(text) {
    this.#error.textContent = text;
    this.#error.hidden = text === "";
    for (const input of [this.#username, this.#password]) input.setAttribute("aria-invalid", String(text !== ""));
  }
}
