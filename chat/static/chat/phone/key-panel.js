/** In the menu: the key this device signs with, and how to be rid of it or get another. */

import { KeyStoreClosed } from "./device-keys.js";
import { byId } from "./dom.js";
import { canProve } from "./proofs.js";
import { RestError } from "./session.js";
import { describeError, translate } from "./strings.js";

/**
 * @typedef {import("./device-keys.js").DeviceKeys} DeviceKeys
 */

export class KeyPanel {
  #panel = /** @type {HTMLDetailsElement} */ (byId("key-panel"));
  #form = /** @type {HTMLFormElement} */ (byId("key-form"));
  #name = byId("key-name");
  #field = byId("key-password-field");
  #password = /** @type {HTMLInputElement} */ (byId("key-password"));
  #error = byId("key-error");
  #renew = /** @type {HTMLButtonElement} */ (byId("key-renew"));
  #remove = /** @type {HTMLButtonElement} */ (byId("key-remove"));
  #session;
  #keys = /** @type {DeviceKeys|null} */ (null);
  #isBusy = false;

  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.#session = session;
    this.#panel.addEventListener("toggle", () => this.#show());
    this.#remove.addEventListener("click", () => this.#act((keys) => keys.remove()));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#act(async (keys) => void (await keys.enrol()));
    });
  }

  /** @param {DeviceKeys} keys */
  attach(keys) {
    this.#keys = keys;
  }

  /** Forget what was shown, for the next customer. */
  clear() {
    this.#keys = null;
    this.#panel.open = false;
    this.#name.textContent = "";
    this.#ask(false);
  }

  async #show() {
    this.#error.textContent = canProve() ? "" : translate("key.insecure");
    const key = canProve() ? await this.#keys?.find().catch(() => null) : null;
    this.#name.textContent = key ? key.kid : translate("key.none");
    this.#name.classList.toggle("key-kid", Boolean(key));
    this.#remove.hidden = !key;
    this.#renew.hidden = !canProve();
    this.#renew.textContent = translate(key ? "key.renew" : "key.enrol");
  }

  /** @param {(keys: DeviceKeys) => Promise<void>} act */
  async #act(act) {
    if (this.#isBusy || !this.#keys) return;
    this.#isBusy = true;
    let code = "";
    try {
      if (this.#password.value) await this.#session.post("/auth/step-up", { password: this.#password.value });
      await act(this.#keys);
      this.#ask(false);
    } catch (error) {
      code = readCode(error);
      if (code === "auth.step_up" || code === "password") this.#ask(true);
    }
    this.#isBusy = false;
    await this.#show();
    if (code) this.#error.textContent = describeError(code);
  }

  /** @param {boolean} isWanted  the password must be given again */
  #ask(isWanted) {
    this.#password.value = "";
    this.#field.hidden = !isWanted;
    if (isWanted) this.#password.focus();
  }
}

/** @param {unknown} error */
function readCode(error) {
  if (error instanceof KeyStoreClosed) return "device.storage";
  if (error instanceof RestError) return error.code === "auth.refused" ? "password" : error.code;
  throw error;
}
