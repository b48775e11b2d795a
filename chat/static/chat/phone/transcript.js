/**
 * One conversation as the phone shows it, and how each event changes it. Plain data, so that it can be stored as JSON
 * together with the position it belongs to; no network, no screen.
 *
 * @typedef {import("./protocol.js").Frame} Frame
 * @typedef {import("./protocol.js").AttachEntry} AttachEntry
 *
 * @typedef {object} Message
 * @property {string} id
 * @property {"user"|"assistant"} role
 * @property {string} text
 * @property {number} bytes                            length of the text in UTF-8
 * @property {"streaming"|"done"|"stopped"|"failed"} state
 * @property {string} [turn]
 * @property {string} [mid]                            the phone's own id of a question
 * @property {import("./upload.js").FileBody[]} [files]
 * @property {"restarted"|"withdrawn"|"length"|"blocked"} [note]
 * @property {string} [error]                          code
 *
 * @typedef {object} Turn                              an unfinished one
 * @property {string} id
 * @property {"queued"|"running"|"awaiting_confirm"} state
 * @property {number} [position]                       place in the queue, 1 is next
 * @property {number} [etaMs]
 * @property {string} [answer]                         id of the answer's message
 *
 * @typedef {object} Conversation
 * @property {string} id
 * @property {boolean} isNew                           the server has not heard of it yet
 * @property {string|null} epoch
 * @property {number|null} cursor                      null: waiting for a snapshot
 * @property {string} title
 * @property {Message[]} messages
 * @property {Turn[]} turns
 * @property {import("./confirmations.js").Call[]} calls              of functions, by turn
 * @property {import("./confirmations.js").Confirmation[]} confirms   questions to the customer, by turn
 * @property {boolean} hasOlder
 * @property {boolean} [isClosed]                      nothing can be asked any more
 * @property {string|null} [earlier]                   where the next page of older messages begins
 *
 * @typedef {object} Claim                             what the server says the finished text is
 * @property {string} message
 * @property {number} [bytes]
 * @property {string} [sum]
 */

import { addConfirmation, CONFIRMATION_EVENTS, findConfirmation } from "./confirmations.js";
import { measureBytes } from "./digests.js";

/** The text held here cannot be continued: ask for the whole state again. */
export class TranscriptBroken extends Error {}

/**
 * @param {string} id
 * @param {boolean} isNew
 * @returns {Conversation}
 */
export function buildConversation(id, isNew) {
  const cursor = isNew ? 0 : null;
  return { id, isNew, epoch: null, cursor, title: "", messages: [], turns: [], calls: [], confirms: [], hasOlder: false };
}

/**
 * Apply the body of one event. Types this version does not know change nothing.
 * @param {Conversation} conversation
 * @param {Frame} frame
 * @returns {Claim|null} what to verify, after an event that ends a turn
 * @throws {TranscriptBroken}
 */
export function applyEvent(conversation, frame) {
  const body = frame.d ?? {};
  CONFIRMATION_EVENTS[frame.t]?.(conversation, body);
  return APPLY[frame.t]?.(conversation, body) ?? null;
}

/**
 * Replace everything by a snapshot.
 * @param {Conversation} conversation
 * @param {any[]} bodies  the `d` of its parts, in order
 */
export function applySnapshot(conversation, bodies) {
  conversation.messages = [];
  conversation.turns = [];
  conversation.calls = [];
  conversation.confirms = [];
  conversation.earlier = null;
  conversation.title = bodies.map((body) => body.title).find(Boolean) ?? "";
  conversation.hasOlder = bodies.some((body) => body.older);
  conversation.isClosed = bodies.some((body) => body.closed);
  for (const piece of bodies.flatMap((body) => body.msgs ?? [])) placePiece(conversation, piece);
  for (const { id, turn, state } of conversation.messages) {
    if (turn && state === "streaming") conversation.turns.push({ id: turn, state: "running", answer: id });
  }
  // As of the snapshot; what the attach answer said of a turn may be over by then.
  const { active, confirms } = bodies.at(-1) ?? {};
  if (active) resumeTurn(conversation, active);
  for (const body of confirms ?? []) addConfirmation(conversation, body);
}

/**
 * Bring the unfinished turns and the open questions up to what an attach answer says of the position held.
 * @param {Conversation} conversation
 * @param {AttachEntry} entry
 */
export function settleTurns(conversation, { active, confirms }) {
  if (active) resumeTurn(conversation, active);
  else conversation.turns = [];
  for (const body of confirms ?? []) addConfirmation(conversation, body);
}

/**
 * @param {Conversation} conversation
 * @param {{turn: string, position: number, eta_ms?: number}} body
 */
export function noteQueue(conversation, body) {
  const turn = conversation.turns.find((item) => item.id === body.turn);
  if (turn?.state === "queued") Object.assign(turn, { position: body.position, etaMs: body.eta_ms });
}

/** @param {Conversation} conversation */
export function findRunningTurn(conversation) {
  return conversation.turns.find((turn) => turn.state !== "queued") ?? conversation.turns[0];
}

/**
 * @param {Conversation} conversation
 * @param {any} piece  one entry of a snapshot's `msgs`: a message, or the next piece of a long one
 */
function placePiece(conversation, piece) {
  const known = conversation.messages.find((message) => message.id === piece.msg);
  if (known) {
    replaceText(known, known.text + piece.text);
    return;
  }
  const { msg: id, role, text, turn, files } = piece;
  const state = piece.partial ? "streaming" : "done";
  placeMessage(conversation, { id, role, text, bytes: measureBytes(text), state, turn, files });
}

/**
 * @param {Conversation} conversation
 * @param {{turn: string, state: string, msg?: string, queue?: number}} active
 */
function resumeTurn(conversation, active) {
  const state = active.state === "queued" || active.state === "awaiting_confirm" ? active.state : "running";
  if (state === "awaiting_confirm") setTurnState(conversation, active.turn, state);
  if (conversation.turns.some((turn) => turn.id === active.turn)) return;
  conversation.turns.push({ id: active.turn, state, answer: active.msg, position: active.queue });
  if (state !== "queued" && active.msg) ensureAnswer(conversation, active.msg, active.turn);
}

/**
 * Keep an answer under its question, also when the customer has asked again meanwhile.
 * @param {Conversation} conversation
 * @param {Message} message
 */
function placeMessage(conversation, message) {
  const { messages } = conversation;
  const known = messages.findIndex((item) => item.id === message.id);
  if (known >= 0) return;
  const question = message.role === "assistant" && message.turn
    ? messages.findLastIndex((item) => item.role === "user" && item.turn === message.turn) : -1;
  messages.splice(question >= 0 ? question + 1 : messages.length, 0, message);
}

/**
 * @param {Conversation} conversation
 * @param {string} id
 * @param {string} [turn]
 * @returns {Message}
 */
function ensureAnswer(conversation, id, turn) {
  const owner = turn ?? conversation.turns.find((item) => item.answer === id)?.id;
  placeMessage(conversation, { id, role: "assistant", text: "", bytes: 0, state: "streaming", turn: owner });
  return /** @type {Message} */ (conversation.messages.find((item) => item.id === id));
}

/** @param {any} error */
function readCode(error) {
  return typeof error === "object" ? error?.code : error;
}

/**
 * @param {Conversation} conversation
 * @param {any} body
 * @param {Message["state"]} state
 * @returns {Claim|null}
 */
function endTurn(conversation, body, state) {
  const known = conversation.turns.find((turn) => turn.id === body.turn);
  conversation.turns = conversation.turns.filter((turn) => turn !== known);
  // A turn that ended before its first word names no message; its row shows the reason all the same.
  const answer = ensureAnswer(conversation, body.msg ?? known?.answer ?? `end-of-${body.turn}`, body.turn);
  answer.state = state;
  if (answer.note === "restarted") delete answer.note;
  if (state === "failed") answer.error = readCode(body.error) ?? "server.internal";
  if (body.finish === "length" || body.finish === "blocked") answer.note ??= body.finish;
  return body.msg ? { message: answer.id, bytes: body.bytes, sum: body.sum } : null;
}

/** @param {Conversation} conversation @param {string|undefined} id @param {"running"|"awaiting_confirm"} state */
function setTurnState(conversation, id, state) {
  const turn = conversation.turns.find((item) => item.id === id);
  if (turn) turn.state = state;
}

/** @param {Conversation} conversation @param {any} body */
function resumeAsked(conversation, body) {
  setTurnState(conversation, findConfirmation(conversation, body.confirm)?.turn, "running");
}

/** @param {Message} message @param {string} text */
function replaceText(message, text) {
  message.text = text;
  message.bytes = measureBytes(text);
}

/** @type {Record<string, (conversation: Conversation, body: any) => Claim|null|void>} */
const APPLY = {
  "conv.created": (conversation, body) => void (conversation.title = body.title ?? conversation.title),
  "conv.updated": (conversation, body) => {
    conversation.title = body.title ?? conversation.title;
    if (body.closed) conversation.isClosed = true;
  },
  "turn.accepted": (conversation, body) => {
    const { msg: id, text, turn, mid, files } = body;
    placeMessage(conversation, { id, role: "user", text, bytes: measureBytes(text), state: "done", turn, mid, files });
    if (!conversation.turns.some((item) => item.id === turn)) conversation.turns.push({ id: turn, state: "queued" });
  },
  "turn.started": (conversation, body) => {
    const known = conversation.turns.find((turn) => turn.id === body.turn);
    if (known) Object.assign(known, { state: "running", answer: body.msg });
    else conversation.turns.push({ id: body.turn, state: "running", answer: body.msg });
    ensureAnswer(conversation, body.msg, body.turn);
  },
  "text.delta": (conversation, body) => {
    const answer = ensureAnswer(conversation, body.msg);
    if (answer.bytes !== body.off) throw new TranscriptBroken(`offset ${body.off}, held ${answer.bytes}`);
    // After the customer's decision the answer goes on without beginning anew.
    setTurnState(conversation, answer.turn, "running");
    answer.text += body.text;
    answer.bytes += measureBytes(body.text);
  },
  "msg.snapshot": (conversation, body) => replaceText(ensureAnswer(conversation, body.msg), body.text),
  "msg.reset": (conversation, body) => {
    const answer = ensureAnswer(conversation, body.msg, body.turn);
    replaceText(answer, "");
    answer.note = "restarted";
  },
  "msg.replaced": (conversation, body) => {
    const answer = ensureAnswer(conversation, body.msg);
    replaceText(answer, body.text);
    // Of a call that was no text for people, the customer has seen nothing that could be missed.
    if (body.why !== "call") answer.note = "withdrawn";
  },
  "function.started": (conversation, body) => setTurnState(conversation, body.turn, "running"),
  "confirm.requested": (conversation, body) => setTurnState(conversation, body.turn, "awaiting_confirm"),
  "confirm.decided": resumeAsked,
  "confirm.closed": resumeAsked,
  "turn.completed": (conversation, body) => endTurn(conversation, body, "done"),
  "turn.cancelled": (conversation, body) => endTurn(conversation, body, "stopped"),
  "turn.failed": (conversation, body) => endTurn(conversation, body, "failed"),
};
