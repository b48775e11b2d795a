/**
 * Calls of functions and questions to the customer as the log tells them: plain data of a conversation, stored with it.
 * Nothing here is proved yet; what is shown of a question is read from its payload by `terms.js`, after `proofs.js`.
 *
 * @typedef {object} Call
 * @property {string} id
 * @property {string} turn
 * @property {string} label
 * @property {"running"|"ok"|"error"|"denied"|"timeout"} status
 * @property {Record<string, any>[]} [cards]       what the app shows beside the answer
 *
 * @typedef {object} Receipt
 * @property {string} [op]
 * @property {string} status
 * @property {string} receipt
 * @property {string} ssig
 * @property {string} kid
 *
 * @typedef {object} Confirmation
 * @property {string} confirm                      its id
 * @property {string} c                            the conversation it was asked in
 * @property {string} turn
 * @property {string} payload
 * @property {string} hash
 * @property {string} ssig
 * @property {string} kid
 * @property {number} exp_ms
 * @property {string[]} methods
 * @property {boolean} [needs_payee]
 * @property {boolean} [step_up]
 * @property {string[]} [warnings]
 * @property {ConfirmationState} state
 * @property {string} [dev]                        the device that decided
 * @property {Receipt} [result]
 *
 * @typedef {"pending"|"approved"|"declined"|"expired"|"superseded"|"cancelled"|"executed"|"processing"|"failed"|"cooling_off"} ConfirmationState
 *
 * @typedef {{id: string, calls: Call[], confirms: Confirmation[]}} Holder   the part of a conversation this file knows
 */

/** A status of tomorrow is shown as "on its way", which promises nothing. */
const RESULTS = /** @type {Record<string, ConfirmationState>} */ ({
  done: "executed",
  processing: "processing",
  failed: "failed",
  cooling_off: "cooling_off",
});

/** @param {Holder} holder @param {any} body  of `confirm.requested` */
export function addConfirmation(holder, body) {
  if (findConfirmation(holder, body.confirm)) return;
  holder.confirms.push({ ...body, c: holder.id, state: "pending" });
}

/** @param {Holder} holder @param {string} id */
export function findConfirmation(holder, id) {
  return holder.confirms.find((item) => item.confirm === id);
}

/** @type {Record<string, (holder: Holder, body: any) => void>} */
export const CONFIRMATION_EVENTS = {
  "function.started": (holder, { call: id, turn, label }) => {
    if (!holder.calls.some((call) => call.id === id)) holder.calls.push({ id, turn, label, status: "running" });
  },
  "function.completed": (holder, { call: id, turn, status, cards }) => {
    const known = holder.calls.find((call) => call.id === id);
    if (known) Object.assign(known, { status, cards });
    // Without its beginning a call has no words, but what it shows is shown.
    else if (cards?.length) holder.calls.push({ id, turn, label: "", status, cards });
  },
  "confirm.requested": addConfirmation,
  "confirm.decided": (holder, { confirm, decision, dev }) => {
    const known = findConfirmation(holder, confirm);
    if (known) Object.assign(known, { state: decision === "approve" ? "approved" : "declined", dev });
  },
  "confirm.closed": (holder, { confirm, why }) => {
    const known = findConfirmation(holder, confirm);
    if (known) known.state = why;
  },
  "op.result": (holder, { confirm, ...result }) => {
    const known = findConfirmation(holder, confirm);
    if (known) Object.assign(known, { result, state: RESULTS[result.status] ?? "processing" });
  },
};
