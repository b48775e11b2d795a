/**
 * What `asst.v1` says, as types and constants; no behaviour beyond reading a close code.
 *
 * @typedef {object} Frame            one JSON object of the socket
 * @property {string} t               type
 * @property {string} [re]            the command id answered
 * @property {string} [c]             conversation id
 * @property {number} [s]             log position after applying this frame; only on durable events
 * @property {number} [n]             how many positions the frame covers, 1 when absent
 * @property {boolean} [snap]         the state as of `s`, instead of what the phone had
 * @property {any} [d]                body
 * @property {WireError} [err]
 *
 * @typedef {object} WireError
 * @property {string} code
 * @property {string} message         for developers; the customer is told by code
 * @property {boolean} retryable
 * @property {number} [retry_after_ms]
 * @property {string} [field]         the value that is to blame, `d.payee`
 *
 * @typedef {object} AttachEntry      the server's answer for one requested position
 * @property {string} c
 * @property {string} [e]             epoch of the log
 * @property {number} [top]
 * @property {"live"|"replay"|"snapshot"|"denied"} mode
 * @property {{turn: string, state: string, attempt?: number, msg?: string, queue?: number}|null} [active]
 * @property {any[]} [confirms]       bodies of the `confirm.requested` that are still open
 *
 * @typedef {"done"|"reconnect"|"sign-in"|"stop"} CloseVerdict
 */

export const SUBPROTOCOL = "asst.v1.json";
export const APP_VERSION = "1.0.0";
export const HELLO_TIMEOUT_MS = 10_000;
/** No frame for the server's ping interval plus this: the link is dead. */
export const SILENCE_GRACE_MS = 10_000;
/** After coming to the foreground a living link answers a ping this fast. */
export const PROBE_MS = 3_000;
export const REPLY_TIMEOUT_MS = 20_000;

export const TERMINAL_EVENTS = new Set(["turn.completed", "turn.cancelled", "turn.failed"]);

const DONE = new Set([1000, 1001]);
// 1005 is what a browser reports when the other side named no code: a proxy going away, not a refusal.
const LOST = new Set([1005, 1006, 1011, 1012, 1013, 1014]);
const SIGN_IN = new Set([4501, 4503, 4510]);

/**
 * Say what a close code asks for; only its range matters, so codes of later versions are understood too.
 * @param {number} code
 * @returns {CloseVerdict}
 */
export function readCloseCode(code) {
  if (DONE.has(code)) return "done";
  if (SIGN_IN.has(code)) return "sign-in";
  // A code nobody knows is a refusal: asking again and again would be worse than waiting for the customer.
  return LOST.has(code) || (code >= 4400 && code <= 4499) ? "reconnect" : "stop";
}
