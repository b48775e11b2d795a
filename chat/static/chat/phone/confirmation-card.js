/**
 * One question to the customer on the screen, from the asking to its receipt. It shows what was proved and nothing else;
 * a question that was not proved has no button that says yes.
 *
 * @typedef {import("./confirmations.js").Confirmation} Confirmation
 * @typedef {import("./decisions.js").Mark} Mark
 * @typedef {import("./terms.js").Terms} Terms
 *
 * @typedef {object} Shown              all that a card needs to be drawn
 * @property {Confirmation} confirmation
 * @property {Mark} mark
 * @property {Terms|null} terms         null until the question is proved, or when its payload cannot be shown
 * @property {import("./terms.js").Shown|null} receipt   null until there is one that is proved
 * @property {boolean} isElsewhere      decided on another device
 *
 * @typedef {object} CardHooks
 * @property {(decision: "approve"|"reject", answer: import("./decisions.js").Answer) => void} decide
 * @property {() => void} retry
 * @property {() => number} now         the bank's clock, Unix milliseconds
 * @property {(text: string) => void} announce
 */

import { Countdown } from "./countdown.js";
import { make, makeButton, makeField } from "./dom.js";
import { describeError, knowsText, translate } from "./strings.js";

export class ConfirmationCard {
  element;
  #hooks;
  #title;
  #body = make("div", { class: "card-body" });
  #state = make("p", { class: "card-state" });
  #error = make("p", { class: "card-error", role: "alert" });
  #form = /** @type {HTMLFormElement} */ (make("form", { class: "card-form", novalidate: "" }));
  #payee = makeField(translate("ask.payee"), { autocomplete: "off", maxlength: "200", inputmode: "tel" });
  #password = makeField(translate("ask.password"), { type: "password", autocomplete: "current-password" });
  #countdown;
  #yes = makeButton(translate("ask.approve"), { type: "submit", class: "button primary" });
  #no = makeButton(translate("ask.reject"), { class: "button" });
  #retry = makeButton(translate("ask.retry"), { class: "button" });
  #shown = /** @type {Shown|null} */ (null);
  #drawn = "";
  phase = "";

  /** @param {string} id @param {CardHooks} hooks */
  constructor(id, hooks) {
    this.#hooks = hooks;
    this.#title = make("h3", { id: `title-${id}` });
    this.#body.id = `body-${id}`;
    const labels = { "aria-labelledby": this.#title.id, "aria-describedby": this.#body.id };
    this.element = make("section", { class: "card", role: "group", tabindex: "-1", ...labels });
    this.#countdown = new Countdown({ ...hooks, over: () => this.#redraw() });
    const actions = make("div", { class: "card-actions" }, this.#no, this.#yes, this.#retry);
    this.#form.append(this.#payee.element, this.#password.element, this.#error, this.#countdown.element, actions);
    this.element.append(this.#title, this.#body, this.#state, this.#form);
    this.#listen();
  }

  /** @param {Shown} shown */
  update(shown) {
    this.#shown = shown;
    const phase = choosePhase(shown, this.#hooks.now());
    const before = this.phase;
    this.phase = phase;
    this.element.dataset.phase = phase;
    this.#drawTerms(shown);
    this.#drawState(shown, phase);
    this.#drawForm(shown, phase);
    // What was on the screen from the beginning is no news.
    if (before && before !== "checking" && before !== phase && phase !== "waiting") this.#hooks.announce(this.#state.textContent ?? "");
  }

  /** Stop the clock of a card that is taken off the screen. */
  stop() {
    this.#countdown.stop();
  }

  #redraw() {
    if (this.#shown) this.update(this.#shown);
  }

  #listen() {
    this.#no.addEventListener("click", () => this.#decide("reject"));
    this.#retry.addEventListener("click", () => this.#hooks.retry());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.phase === "waiting" && !this.#focusMissing()) this.#decide("approve");
    });
    // Escape stops the answer elsewhere; here it must neither decide nor withdraw anything by accident.
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") event.stopPropagation();
    });
  }

  /** @returns {boolean} whether something has to be filled in first */
  #focusMissing() {
    const missing = [this.#payee, this.#password].find(({ element, input }) => !element.hidden && input.value.trim() === "");
    for (const field of [this.#payee, this.#password]) field.input.setAttribute("aria-invalid", String(field === missing));
    if (missing) this.#error.textContent = translate("ask.missing");
    missing?.input.focus();
    return missing !== undefined;
  }

  /** @param {"approve"|"reject"} decision */
  #decide(decision) {
    const { terms } = /** @type {Shown} */ (this.#shown);
    if (!terms) return;
    const payee = this.#payee.element.hidden ? undefined : this.#payee.input.value.trim() || undefined;
    const password = this.#password.element.hidden ? undefined : this.#password.input.value;
    this.#password.input.value = "";
    this.#error.textContent = "";
    this.#hooks.decide(decision, { nonce: terms.nonce, payee, password });
  }

  /** @param {Shown} shown */
  #drawTerms({ confirmation, mark, terms, receipt }) {
    const read = mark.question === "ok" ? (receipt ?? terms) : null;
    const warnings = read && confirmation.state === "pending" ? (confirmation.warnings ?? []) : [];
    const drawn = JSON.stringify([read, warnings]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#title.textContent = read?.title ?? translate("act.other");
    this.#body.replaceChildren(...(read ? buildTerms(read) : []), ...buildWarnings(warnings));
  }

  /** @param {Shown} shown @param {string} phase */
  #drawState({ mark, receipt, isElsewhere }, phase) {
    const parts = [phase === "waiting" ? "" : translate(`card.${phase}`)];
    if (isElsewhere) parts.push(translate("card.elsewhere"));
    if (mark.receipt && mark.receipt !== "checking" && !receipt) parts.push(translate("card.bad_receipt"));
    const text = parts.filter(Boolean).join(" ");
    if (this.#state.textContent !== text) this.#state.textContent = text;
  }

  /** @param {Shown} shown @param {string} phase */
  #drawForm({ confirmation, mark, terms }, phase) {
    const isOpen = phase === "waiting" || phase === "sending";
    const mayReject = isOpen || (phase === "insecure" && terms !== null);
    const isNeeded = mayReject || phase === "unreachable";
    // Buttons that go away would take the focus with them.
    if (!isNeeded && this.#form.contains(document.activeElement)) this.element.focus();
    this.#form.hidden = !isNeeded;
    this.#payee.element.hidden = !isOpen || !confirmation.needs_payee;
    this.#password.element.hidden = !isOpen || !mark.needsPassword;
    this.#yes.hidden = !isOpen;
    this.#no.hidden = !mayReject;
    this.#retry.hidden = phase !== "unreachable";
    for (const { input } of [this.#payee, this.#password]) input.readOnly = phase === "sending";
    for (const button of [this.#yes, this.#no]) button.setAttribute("aria-disabled", String(phase === "sending"));
    const error = isOpen && mark.code ? describeError(mark.code, mark.retryAfterMs) : "";
    if (this.#error.dataset.code !== `${mark.code}`) this.#error.textContent = error;
    this.#error.dataset.code = `${mark.code}`;
    if (isOpen && terms) this.#countdown.start(terms.expiresAtMs);
    else this.#countdown.stop();
  }
}

/** @param {Shown} shown @param {number} nowMs */
function choosePhase({ confirmation, mark, terms }, nowMs) {
  if (mark.question === "checking" || mark.question === "unreachable") return mark.question;
  if (confirmation.state !== "pending") return terms ? confirmation.state : "refused";
  if (mark.question === "insecure") return "insecure";
  if (mark.question !== "ok" || !terms) return "refused";
  if (mark.isSending) return "sending";
  return nowMs < terms.expiresAtMs ? "waiting" : "late";
}

/** @param {import("./terms.js").Shown} terms */
function buildTerms({ amount, lines }) {
  const rows = lines.map(({ label, value }) => make("div", {}, make("dt", {}, label), make("dd", { dir: "auto" }, value)));
  return [...(amount ? [make("p", { class: "card-amount" }, amount)] : []), make("dl", { class: "card-terms" }, ...rows)];
}

/** @param {string[]} codes */
function buildWarnings(codes) {
  if (codes.length === 0) return [];
  const items = codes.map((code) => make("li", {}, translate(knowsText(`warning.${code}`) ? `warning.${code}` : "warning.other")));
  return [make("ul", { class: "card-warnings" }, ...items)];
}
