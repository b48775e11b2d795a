/**
 * The customer's decisions: proves each question and receipt, signs and sends the yes or no. What it knows of a question
 * beyond the log is kept in memory only: after a reload everything is proved anew.
 *
 * @typedef {import("./confirmations.js").Confirmation} Confirmation
 * @typedef {import("./proofs.js").Verdict} Verdict
 *
 * @typedef {object} Mark
 * @property {Verdict|"checking"|"unreachable"} question
 * @property {Verdict|"checking"|"unreachable"} [receipt]
 * @property {string} [receiptText]      the receipt that `receipt` is about
 * @property {boolean} isSending         true from the tap until the log tells the outcome, or a refusal
 * @property {boolean} needsPassword
 * @property {string} [code]             why the last attempt did not count
 * @property {number} [retryAfterMs]
 *
 * @typedef {object} Answer              what the customer gave with the decision
 * @property {string} nonce
 * @property {string} [payee]
 * @property {string} [password]
 *
 * @typedef {object} DecisionParts
 * @property {import("./proofs.js").Proofs} proofs
 * @property {import("./device-keys.js").DeviceKeys} keys
 * @property {{post: (path: string, body: object) => Promise<any>}} session
 * @property {(conversationId: string, body: object) => Promise<any>} send
 * @property {() => void} change
 */

import { KeyStoreClosed } from "./device-keys.js";
import { CommandRefused, LinkLost } from "./link.js";
import { RestError } from "./session.js";

const DOMAIN = "asst-confirm-v1";
const KEY_REFUSED = "confirm.device";
const PASSWORD_WANTED = "auth.step_up";

export class Decisions {
  #parts;
  #marks = /** @type {Map<string, Mark>} */ (new Map());

  /** @param {DecisionParts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Say how a question stands; what is not proved yet is begun. @param {Confirmation} confirmation @returns {Mark} */
  look(confirmation) {
    let mark = this.#marks.get(confirmation.confirm);
    if (!mark) {
      mark = { question: "checking", isSending: false, needsPassword: Boolean(confirmation.step_up) };
      this.#marks.set(confirmation.confirm, mark);
      this.#prove(mark, "question", () => this.#parts.proofs.checkQuestion(confirmation));
    }
    const { result } = confirmation;
    if (result && mark.receiptText !== result.receipt) {
      Object.assign(mark, { receipt: "checking", receiptText: result.receipt });
      this.#prove(mark, "receipt", () => this.#parts.proofs.checkReceipt(result));
    }
    return mark;
  }

  /** Forget what could not be proved for want of the network, so that the next look tries again. */
  retry() {
    for (const [id, mark] of this.#marks) {
      if (mark.question === "unreachable") this.#marks.delete(id);
      else if (mark.receipt === "unreachable") delete mark.receiptText;
    }
    this.#parts.change();
  }

  /**
   * @param {Confirmation} confirmation
   * @param {"approve"|"reject"} decision
   * @param {Answer} answer
   */
  async decide(confirmation, decision, answer) {
    const mark = this.look(confirmation);
    if (mark.isSending || confirmation.state !== "pending") return;
    // What cannot be proved for want of cryptography may still be declined.
    if (mark.question !== "ok" && !(mark.question === "insecure" && decision === "reject")) return;
    Object.assign(mark, { isSending: true, code: undefined, retryAfterMs: undefined });
    this.#parts.change();
    try {
      if (decision === "approve" && answer.password) await this.#giveAgain(mark, answer.password);
      await this.#send(confirmation, decision, answer);
    } catch (error) {
      mark.isSending = false;
      Object.assign(mark, readRefusal(error));
      if (mark.code === PASSWORD_WANTED) mark.needsPassword = true;
    }
    this.#parts.change();
  }

  /** @param {Mark} mark @param {string} password */
  async #giveAgain(mark, password) {
    await this.#parts.session.post("/auth/step-up", { password });
    mark.needsPassword = false;
    this.#parts.change();
  }

  /** @param {Confirmation} confirmation @param {"approve"|"reject"} decision @param {Answer} answer */
  async #send(confirmation, decision, { nonce, payee }) {
    const { confirm, c, hash, payload, methods } = confirmation;
    const { keys } = this.#parts;
    const send = (/** @type {object} */ decided) => this.#parts.send(c, decided);
    const body = { confirm, decision, hash, nonce, payee, at: Date.now(), age_ms: 0 };
    const sign = () => keys.sign(`${DOMAIN}\0${decision}\0${payload}`);
    if (methods.includes("tap")) return send(body);
    // A device without a key may say no; only a yes is worth enrolling one.
    const isSigned = decision === "approve" || (await keys.find()) !== null;
    try {
      await send(isSigned ? { ...body, ...(await sign()) } : body);
    } catch (error) {
      if (!(error instanceof CommandRefused) || error.code !== KEY_REFUSED) throw error;
      // The bank knows another key of this device, or this one no more: a new one is enrolled, once.
      await keys.forget();
      await send({ ...body, ...(await sign()) });
    }
  }

  /** @param {Mark} mark @param {"question"|"receipt"} what @param {() => Promise<Verdict>} check */
  async #prove(mark, what, check) {
    try {
      mark[what] = await check();
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      mark[what] = "unreachable";
    }
    this.#parts.change();
  }
}

/** @param {unknown} error @returns {{code: string, retryAfterMs?: number}} */
function readRefusal(error) {
  if (error instanceof LinkLost) return { code: "network" };
  if (error instanceof KeyStoreClosed) return { code: "device.storage" };
  if (error instanceof CommandRefused && error.field === "d.payee") return { code: "payee" };
  if (!(error instanceof CommandRefused || error instanceof RestError)) throw error;
  if (error.code === "auth.refused") return { code: "password" };
  return { code: error.code, retryAfterMs: error.retryAfterMs };
}
