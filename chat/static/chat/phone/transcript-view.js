/**
 * The transcript on the screen. Rows are kept by key and changed in place, so that a growing answer costs one block.
 *
 * @typedef {import("./transcript.js").Message} Message
 * @typedef {import("./transcript.js").Turn} Turn
 * @typedef {import("./outbox.js").Entry} Entry
 * @typedef {import("./phone.js").Phone} Phone
 * @typedef {import("./confirmations.js").Call} Call
 *
 * @typedef {object} Row
 * @property {string} key
 * @property {"user"|"assistant"} role
 * @property {string} text
 * @property {string} state        styles hang on it
 * @property {string} [turn]       whose cards are shown below
 * @property {Call[]} [steps]      what the assistant looks up, in order
 * @property {string} [progress]   shown beside the dots while there is no text
 * @property {string} [note]
 * @property {import("./upload.js").FileBody[]} [files]
 * @property {{label: string, act: () => void}[]} [actions]
 */

import { byId, make, makeTextButton } from "./dom.js";
import { renderText } from "./markup.js";
import { describeError, translate } from "./strings.js";

/** Closer to the end than this, the reader follows the answer. */
const FOLLOW_PIXELS = 80;
/** Room for the ring around what has the focus. */
const FOCUS_PIXELS = 12;

export class TranscriptView {
  #scroller = byId("transcript");
  #list = byId("messages");
  #jump = byId("jump");
  #shown = /** @type {Map<string, {element: HTMLElement, signature: string}>} */ (new Map());
  #files;
  #cards;
  #follows = true;
  #end = 0;
  #heightBefore = 0;
  #ledTo = NaN;

  /** @param {import("./files-view.js").FilesView} files @param {import("./answer-cards.js").AnswerCards} cards */
  constructor(files, cards) {
    this.#files = files;
    this.#cards = cards;
    this.#scroller.addEventListener("scroll", () => this.#noteScroll(), { passive: true });
    this.#jump.addEventListener("click", () => this.jumpToEnd());
    // Who has decided is not held at the question any longer.
    this.#list.addEventListener("click", () => (this.#ledTo = NaN));
    // Pictures come after their rows, and the line of an attached file takes room: who reads the end stays there.
    const watcher = new ResizeObserver(() => {
      if (this.#follows) this.#scroller.scrollTop = this.#scroller.scrollHeight;
      this.#noteScroll();
    });
    for (const element of [this.#scroller, this.#list]) watcher.observe(element);
  }

  /** @param {Phone} phone */
  render(phone) {
    const rows = listRows(phone);
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, { element }] of this.#shown) {
      if (keys.has(key)) continue;
      element.remove();
      this.#shown.delete(key);
    }
    rows.forEach((row, index) => {
      const element = this.#place(row, index);
      this.#cards.fill(/** @type {HTMLElement} */ (element.querySelector(".cards")), phone, row.turn);
    });
    if (this.#heightBefore) this.#scroller.scrollTop += this.#scroller.scrollHeight - this.#heightBefore;
    this.#heightBefore = 0;
    if (this.#follows) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    const called = this.#cards.takeCalled();
    if (called) this.#leadTo(called);
    this.#noteScroll();
  }

  /** A question is read from its beginning, also when it is longer than the screen. @param {HTMLElement} card */
  #leadTo(card) {
    card.focus({ preventScroll: true });
    const above = card.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top - FOCUS_PIXELS;
    if (above >= 0) return;
    this.#scroller.scrollTop += above;
    this.#ledTo = this.#scroller.scrollTop;
  }

  clear() {
    this.#list.replaceChildren();
    this.#shown.clear();
  }

  /** The next rows come in front: the text that is being read must not move. */
  holdPlace() {
    this.#heightBefore = this.#scroller.scrollHeight;
  }

  /** The customer wants to see the newest text, and what follows it. */
  jumpToEnd() {
    this.#ledTo = NaN;
    this.#follows = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#noteScroll();
  }

  #noteScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const end = scrollHeight - clientHeight;
    // The browser tells of a scroll a frame later: room that was taken meanwhile is no step of the reader's.
    // Where a question begins, the end may be near: it is no place from which to follow it.
    if (scrollTop !== this.#ledTo) this.#ledTo = NaN;
    this.#follows = Number.isNaN(this.#ledTo) && (this.#follows ? Math.min(this.#end, end) : end) - scrollTop < FOLLOW_PIXELS;
    this.#end = end;
    this.#jump.hidden = this.#follows;
  }

  /** @param {Row} row @param {number} index */
  #place(row, index) {
    const known = this.#shown.get(row.key);
    const element = known?.element ?? makeRow(row);
    const signature = JSON.stringify([row.text, row.state, row.progress, row.note, row.steps]);
    if (!known && row.files) element.querySelector(".bubble")?.append(...this.#files.build(row.files));
    if (known?.signature !== signature) fillRow(element, row);
    if (this.#list.children[index] !== element) this.#list.insertBefore(element, this.#list.children[index] ?? null);
    this.#shown.set(row.key, { element, signature });
    return element;
  }
}

/** @param {Row} row */
function makeRow(row) {
  const speaker = make("span", { class: "visually-hidden" }, `${translate(`speaker.${row.role}`)}: `);
  const body = make("div", { class: "bubble" }, speaker, make("ul", { class: "steps", hidden: "" }), make("div", { class: "text" }));
  const cards = make("div", { class: "cards" });
  return make("li", { class: `message ${row.role}`, "data-key": row.key }, body, cards, make("div", { class: "below" }));
}

/** @param {HTMLElement} element @param {Row} row */
function fillRow(element, row) {
  const text = /** @type {HTMLElement} */ (element.querySelector(".text"));
  const below = /** @type {HTMLElement} */ (element.querySelector(".below"));
  element.dataset.state = row.state;
  const steps = /** @type {HTMLElement} */ (element.querySelector(".steps"));
  steps.replaceChildren(...(row.steps ?? []).map(makeStep));
  steps.hidden = steps.children.length === 0;
  if (row.progress === undefined) {
    text.classList.remove("waiting");
    if (text.firstElementChild?.classList.contains("dots")) text.replaceChildren();
    // The customer's own words are shown as written; only answers have markup.
    if (row.role === "user") text.textContent = row.text;
    else renderText(text, row.text);
  } else {
    text.classList.add("waiting");
    text.replaceChildren(make("span", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i")), row.progress);
  }
  const actions = (row.actions ?? []).map(({ label, act }) => makeTextButton(label, act));
  below.replaceChildren(...(row.note ? [make("span", {}, row.note)] : []), ...actions);
}

/** @param {Call} call */
function makeStep({ label, status }) {
  const isRunning = status === "running";
  const outcome = make("span", { class: "visually-hidden" }, isRunning ? "" : ` ${translate(`step.${status}`)}`);
  return make("li", { "data-status": status }, isRunning ? `${label}…` : label, outcome);
}

/** @param {Phone} phone @returns {Row[]} */
function listRows(phone) {
  const { conversation, outbox } = phone;
  const rows = conversation.messages.map((message) => readMessage(message, phone));
  for (const turn of conversation.turns) {
    if (turn.state !== "queued") continue;
    const question = rows.findIndex((row) => row.key === findQuestion(conversation.messages, turn.id)?.id);
    rows.splice(question >= 0 ? question + 1 : rows.length, 0, readQueued(turn));
  }
  for (const turn of listOrphans(conversation)) rows.push({ key: `asked-${turn}`, role: "assistant", text: "", state: "asked", turn });
  const unsent = outbox.entries.filter((entry) => entry.c === conversation.id);
  return [...rows, ...unsent.map((entry) => readEntry(entry, phone))];
}

/**
 * Questions whose messages are not at hand: what had to cool off is asked again days later.
 * @param {import("./transcript.js").Conversation} conversation
 */
function listOrphans({ confirms, messages }) {
  const turns = confirms.filter((item) => !messages.some((message) => message.turn === item.turn)).map((item) => item.turn);
  return new Set(turns);
}

/** @param {Message[]} messages @param {string} [turn] */
function findQuestion(messages, turn) {
  return messages.find((message) => message.role === "user" && message.turn === turn);
}

/** @param {Message} message @param {Phone} phone @returns {Row} */
function readMessage(message, phone) {
  const { id: key, role, text, state, files, turn } = message;
  const { messages } = phone.conversation;
  if (role === "user") {
    // A question may have to be decided before the answer has a row of its own.
    const isAnswered = messages.some((item) => item.role === "assistant" && item.turn === turn);
    return { key, role, text, state, files, turn: isAnswered ? undefined : turn };
  }
  const question = findQuestion(messages, turn);
  const again = { label: translate("action.ask_again"), act: () => phone.send(question?.text ?? "", question?.files) };
  const actions = question && (state === "failed" || state === "stopped") ? [again] : [];
  return { key, role, text, turn, note: describeMessage(message), actions, ...describeProgress(message, phone) };
}

/** @param {Message} message @param {Phone} phone @returns {{state: string, steps: Call[], progress?: string}} */
function describeProgress({ state, text, turn, note }, phone) {
  const { calls, turns } = phone.conversation;
  const steps = calls.filter((call) => call.turn === turn && call.label);
  const isAsking = turns.some((item) => item.id === turn && item.state === "awaiting_confirm");
  if (state !== "streaming") return { state, steps };
  const shown = isAsking ? "asking" : state;
  // A step in progress says more than that something is.
  if (text !== "" || (!isAsking && steps.some((step) => step.status === "running"))) return { state: shown, steps };
  const key = isAsking ? "progress.asking" : note === "restarted" ? "note.restarted" : "progress.thinking";
  return { state: shown, steps, progress: translate(key) };
}

/** @param {Message} message @returns {string|undefined} */
function describeMessage({ state, note, error, text }) {
  if (state === "stopped") return translate("note.stopped");
  if (state === "failed") {
    const reason = describeError(error ?? "");
    return text ? `${translate("note.partial")} ${reason}` : reason;
  }
  return note && note !== "restarted" ? translate(`note.${note}`) : undefined;
}

/** @param {Turn} turn @returns {Row} */
function readQueued({ id, position, etaMs }) {
  const place = position ? translate("progress.queued", { position }) : translate("progress.accepted");
  const eta = position && etaMs ? ` ${translate("progress.eta", { seconds: Math.ceil(etaMs / 1000) })}` : "";
  return { key: `queued-${id}`, role: "assistant", text: "", state: "queued", progress: place + eta };
}

/** @param {Entry} entry @param {Phone} phone @returns {Row} */
function readEntry({ mid, text, files, state, code, retryAfterMs }, phone) {
  const row = { key: `unsent-${mid}`, role: /** @type {const} */ ("user"), text, files, state };
  if (state !== "refused") {
    const isOnline = phone.connection.status.name === "online";
    return { ...row, note: translate(isOnline ? "note.sending" : "note.waiting") };
  }
  const resend = { label: translate("action.send_again"), act: () => phone.outbox.resend(mid) };
  const discard = { label: translate("action.discard"), act: () => phone.outbox.discard((entry) => entry.mid === mid) };
  return { ...row, note: describeError(code ?? "", retryAfterMs), actions: [resend, discard] };
}
