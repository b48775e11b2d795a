/**
 * Cards beside an answer: questions to the customer and what the app itself shows. They are kept by key and changed in
 * place, so that what the customer is typing into one survives the next event.
 *
 * @typedef {import("./confirmations.js").Confirmation} Confirmation
 * @typedef {import("./confirmations.js").Call} Call
 * @typedef {import("./phone.js").Phone} Phone
 *
 * @typedef {object} AnswerCardsParts
 * @property {import("./session.js").Session} session
 * @property {string} deviceId
 * @property {string} language
 * @property {(text: string) => void} announce
 */

import { buildAppCard } from "./app-cards.js";
import { ConfirmationCard } from "./confirmation-card.js";
import { make } from "./dom.js";
import { RestError } from "./session.js";
import { describeError, translate } from "./strings.js";
import { readReceipt, readTerms } from "./terms.js";

const RELEASE_MS = 60_000;

export class AnswerCards {
  #called = /** @type {HTMLElement|null} */ (null);
  #parts;
  #questions = /** @type {Map<string, ConfirmationCard>} */ (new Map());
  #others = /** @type {Map<string, HTMLElement>} */ (new Map());

  /** @param {AnswerCardsParts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /**
   * Show a turn's cards in `place`.
   * @param {HTMLElement} place
   * @param {Phone} phone
   * @param {string|undefined} turn
   */
  fill(place, phone, turn) {
    const { calls, confirms } = phone.conversation;
    const others = calls.filter((call) => call.turn === turn).flatMap((call) => this.#buildOthers(call));
    const asked = confirms.filter((item) => item.turn === turn);
    const questions = asked.map((item) => this.#find(item, phone));
    const wanted = [...others, ...questions.map((card) => card.element)];
    wanted.forEach((element, index) => {
      if (place.children[index] !== element) place.insertBefore(element, place.children[index] ?? null);
    });
    while (place.children.length > wanted.length) place.lastElementChild?.remove();
    questions.forEach((card, index) => this.#update(card, asked[index], phone));
  }

  /** @returns {HTMLElement|null} the question the customer is to be led to, once */
  takeCalled() {
    const called = this.#called;
    this.#called = null;
    return called;
  }

  /** Forget everything, for the next customer or conversation. */
  clear() {
    for (const card of this.#questions.values()) card.stop();
    this.#questions.clear();
    this.#others.clear();
  }

  /** @param {Confirmation} confirmation @param {Phone} phone */
  #find(confirmation, phone) {
    const { confirm: id } = confirmation;
    const known = this.#questions.get(id);
    if (known) return known;
    const latest = () => /** @type {Confirmation} */ (phone.findConfirmation(id));
    const made = new ConfirmationCard(id, {
      decide: (decision, answer) => phone.decisions.decide(latest(), decision, answer),
      retry: () => phone.decisions.retry(),
      now: () => phone.now(),
      announce: this.#parts.announce,
    });
    this.#questions.set(id, made);
    return made;
  }

  /** @param {ConfirmationCard} card @param {Confirmation} confirmation @param {Phone} phone */
  #update(card, confirmation, phone) {
    const mark = phone.decisions.look(confirmation);
    const { language, deviceId } = this.#parts;
    const isReadable = mark.question === "ok" || mark.question === "insecure";
    const isDecided = confirmation.dev !== undefined;
    const wasWaiting = card.phase === "waiting";
    card.update({
      confirmation,
      mark,
      terms: isReadable ? readTerms(confirmation, language) : null,
      receipt: mark.receipt === "ok" ? readReceipt(confirmation, language) : null,
      isElsewhere: isDecided && confirmation.dev !== deviceId,
    });
    if (card.phase === "waiting" && !wasWaiting && confirmation.state === "pending" && !mark.code) this.#call(card);
  }

  /** Lead the customer to a question, unless something is being written. @param {ConfirmationCard} card */
  #call(card) {
    const active = document.activeElement;
    const isWriting = (active instanceof HTMLTextAreaElement || active instanceof HTMLInputElement) && active.value !== "";
    if (isWriting || document.querySelector("dialog[open]")) this.#parts.announce(translate("card.asked"));
    else this.#called = card.element;
  }

  /** @param {Call} call @returns {HTMLElement[]} */
  #buildOthers(call) {
    const { language, announce } = this.#parts;
    return (call.cards ?? []).flatMap((card, index) => {
      const key = `${call.id} ${index}`;
      const hooks = { language, announce, download: this.#download };
      const element = this.#others.get(key) ?? buildAppCard(card, hooks);
      if (element) this.#others.set(key, element);
      return element ? [element] : [];
    });
  }

  #download = async (/** @type {string} */ path, /** @type {string} */ name) => {
    try {
      const url = URL.createObjectURL(await this.#parts.session.getBlob(path));
      make("a", { href: url, download: name }).click();
      // The browser reads it after this script.
      setTimeout(() => URL.revokeObjectURL(url), RELEASE_MS);
      return "";
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      return describeError(error.code, error.retryAfterMs);
    }
  };
}
