/**
 * The phone without its screen: session, connection, the open conversation and the outbox, joined. The screen reads its
 * fields and calls its methods; it is told that something changed, never what.
 *
 * @typedef {import("./protocol.js").Frame} Frame
 * @typedef {import("./transcript.js").Conversation} Conversation
 * @typedef {import("./transcript.js").Message} Message
 * @typedef {import("./outbox.js").Entry} Entry
 * @typedef {import("./storage.js").StoredChat} StoredChat
 * @typedef {{id: string, title: string, last_turn_at: string}} ListedConversation
 *
 * @typedef {object} PhoneParts
 * @property {import("./session.js").Session} session
 * @property {{read: () => StoredChat|null, write: (chat: StoredChat|null) => void}} store
 * @property {() => WebSocket} openSocket
 * @property {string} deviceId
 * @property {string} language
 * @property {() => void} change
 * @property {(message: Message) => void} ended              an answer is complete, stopped or failed
 * @property {(code: string) => void} signedOut
 * @property {(direction: "in"|"out", text: string) => void} wire
 */

import { Acks } from "./acks.js";
import { findConfirmation } from "./confirmations.js";
import { Connection } from "./connection.js";
import { Decisions } from "./decisions.js";
import { DeviceKeys } from "./device-keys.js";
import { Follower } from "./follower.js";
import { loadEarlier } from "./history.js";
import { makeId } from "./ids.js";
import { Outbox } from "./outbox.js";
import { Proofs } from "./proofs.js";
import { APP_VERSION } from "./protocol.js";
import { buildConversation, findRunningTurn, noteQueue } from "./transcript.js";

/** Transcripts kept for a fast return; others are read from the server again. */
const KEPT_CONVERSATIONS = 5;
/** Stands for a close code: the phone itself gave up following the log. */
const OUT_OF_STEP = 4400;
const NOT_AUTHENTICATED = 4501;

export class Phone {
  connection;
  outbox;
  keys;
  decisions;
  conversation;
  /** True from the stop button until the turn's end. */
  isCancelling = false;
  #parts;
  #follower;
  #acks;
  #kept;
  #isRenewalTried = false;
  #isStopped = false;
  /** How far the bank's clock is ahead of this device's. */
  #clockAheadMs = 0;

  /** @param {PhoneParts} parts */
  constructor(parts) {
    this.#parts = parts;
    const stored = parts.store.read();
    this.#kept = stored?.conversations ?? [];
    this.conversation = this.#kept.find((item) => item.id === stored?.current) ?? buildConversation(makeId(), true);
    this.#acks = new Acks((positions) => {
      this.save();
      this.connection.send({ t: "ack", d: positions });
    });
    this.outbox = new Outbox(stored?.outbox ?? [], {
      submit: (entry) => this.#submit(entry),
      accepted: (entry) => this.#noteAccepted(entry),
      change: () => this.#changed(true),
      renewToken: () => this.#renewToken(),
    });
    this.connection = new Connection({
      openSocket: parts.openSocket,
      buildHello: () => this.#buildHello(),
      welcome: (body) => this.#welcome(body),
      frame: (frame, size) => this.#takeFrame(frame, size),
      status: () => this.#changed(false),
      refuseSession: (code) => this.#refuseSession(code),
      expireToken: () => parts.session.expireToken(),
      wire: parts.wire,
    });
    this.#follower = this.#follow(this.conversation);
    this.keys = new DeviceKeys(parts);
    this.decisions = new Decisions({
      proofs: new Proofs(parts.session),
      keys: this.keys,
      session: parts.session,
      send: (c, body) => this.connection.request("confirm.decide", { c, d: body }),
      change: () => this.#changed(false),
    });
  }

  start() {
    this.connection.start();
  }

  /** @returns {number} the time by the bank's clock, Unix milliseconds */
  now() {
    return Date.now() + this.#clockAheadMs;
  }

  /** @param {string} id */
  findConfirmation(id) {
    return findConfirmation(this.conversation, id);
  }

  /** @param {string} text @param {Entry["files"]} [files]  stored at the bank already */
  send(text, files) {
    this.outbox.add(this.conversation, text, files);
  }

  /** Stop the answer in progress; from any of the customer's phones, repeating is harmless. */
  async cancel() {
    const turn = findRunningTurn(this.conversation);
    if (!turn || this.isCancelling) return;
    this.isCancelling = true;
    this.#changed(false);
    const parts = { c: this.conversation.id, d: { turn: turn.id } };
    await this.connection.request("turn.cancel", parts).catch(() => {
      // Lost or refused: the turn goes on, so the button must offer itself again.
      this.isCancelling = false;
      this.#changed(false);
    });
  }

  /** @param {string} [id]  an existing conversation; a new one when absent */
  open(id) {
    if (id === this.conversation.id) return;
    const previous = this.conversation;
    if (!previous.isNew) this.#detach(previous.id);
    const known = this.#kept.find((item) => item.id === id);
    this.conversation = known ?? buildConversation(id ?? makeId(), id === undefined);
    this.#follower = this.#follow(this.conversation);
    this.isCancelling = false;
    if (!this.conversation.isNew && this.connection.status.name === "online") this.#follower.join();
    this.#changed(true);
  }

  /** @returns {Promise<ListedConversation[]>} the newest of the customer's conversations */
  async listConversations() {
    return (await this.#parts.session.get("/conversations")).results;
  }

  /** Close the open conversation for good. @throws {import("./session.js").RestError} */
  async close() {
    const { conversation } = this;
    await this.#parts.session.post(`/conversations/${conversation.id}/close`, {});
    // The log says so, too; without a link it cannot yet.
    conversation.isClosed = true;
    this.#changed(true);
  }

  /** Show what came before the messages at hand. */
  async loadEarlier() {
    await loadEarlier(this.#parts.session, this.conversation);
    this.#changed(true);
  }

  /** Leave; the phone is not to be used again. */
  stop() {
    // Timers and replies may still come; they must not write into the next customer's store.
    this.#isStopped = true;
    this.connection.stop("signed out");
  }

  /** Store transcript and position together; done before any ack, and when the page goes away. */
  save() {
    if (this.#isStopped) return;
    const others = this.#kept.filter((item) => item.id !== this.conversation.id);
    this.#kept = [this.conversation, ...others].slice(0, KEPT_CONVERSATIONS);
    const conversations = this.#kept;
    this.#parts.store.write({ current: this.conversation.id, conversations, outbox: this.outbox.entries });
  }

  /** A lost link has forgotten the conversation by itself. @param {string} id */
  #detach(id) {
    this.connection.request("detach", { c: id }).catch(() => {});
  }

  /** @param {boolean} isWorthStoring */
  #changed(isWorthStoring) {
    if (isWorthStoring) this.save();
    if (!this.#isStopped) this.#parts.change();
  }

  /** @param {Conversation} conversation */
  #follow(conversation) {
    const isOpen = () => conversation === this.conversation;
    return new Follower(conversation, {
      attach: (position) => this.connection.request("attach", { c: conversation.id, d: position }),
      reconnect: () => this.connection.start(),
      giveUp: () => this.connection.halt(OUT_OF_STEP),
      lose: () => {
        this.#kept = this.#kept.filter((item) => item !== conversation);
        if (isOpen()) this.open();
      },
      change: () => {
        if (isOpen()) this.#changed(false);
      },
    });
  }

  async #buildHello() {
    const { session, deviceId, language } = this.#parts;
    const token = await session.getToken();
    const device = { id: deviceId, os: "web", app: APP_VERSION };
    const subs = this.conversation.isNew ? [] : [{ c: this.conversation.id, ...this.#follower.position }];
    return { v: 1, token, dev: device, caps: ["ack"], lang: language, subs };
  }

  /** @param {any} body */
  #welcome(body) {
    this.#isRenewalTried = false;
    if (body.now) this.#clockAheadMs = body.now - Date.now();
    const entry = body.subs.find((/** @type {any} */ item) => item.c === this.conversation.id);
    if (entry) this.#follower.takeEntry(entry);
    // The open conversation changed while the hello was on its way.
    else if (!this.conversation.isNew) queueMicrotask(() => this.#follower.join());
    queueMicrotask(() => this.outbox.flush());
    this.decisions.retry();
  }

  /** @param {Frame} frame @param {number} size */
  #takeFrame(frame, size) {
    if (frame.t === "auth.expiring") this.#renewToken().catch(() => {});
    if (frame.c !== this.conversation.id) return;
    if (frame.t === "turn.queued") {
      noteQueue(this.conversation, frame.d);
      this.#changed(false);
    }
    const taken = this.#follower.takeFrame(frame);
    if (!taken) return;
    this.outbox.settle(this.conversation);
    if (taken.isFinal) this.#noteEnd(frame);
    this.#acks.note(this.conversation.id, /** @type {number} */ (this.conversation.cursor), { size, ...taken });
  }

  /** @param {Frame} frame */
  #noteEnd(frame) {
    this.isCancelling = false;
    const answer = this.conversation.messages.findLast((item) => item.role === "assistant" && item.turn === frame.d.turn);
    if (answer && !frame.snap) this.#parts.ended(answer);
  }

  /** Before the token's end the link goes on with a fresh one instead of being closed and opened again. */
  async #renewToken() {
    const token = await this.#parts.session.renew();
    await this.connection.request("auth.refresh", { d: { token } });
  }

  /** @param {Entry} entry @returns {Promise<{s: number}>} */
  #submit(entry) {
    const ageMs = Math.max(0, Date.now() - entry.createdAtMs);
    const files = entry.files && { files: entry.files.map((file) => file.id) };
    const busy = this.#isAsked(entry.c) ? "interrupt" : "queue";
    const body = { mid: entry.mid, text: entry.text, ...files, busy, age_ms: ageMs, new: entry.isNew };
    return this.connection.request("turn.submit", { c: entry.c, d: body });
  }

  /**
   * Whoever writes on instead of deciding has gone on to something else: a message must not wait behind the question.
   * @param {string} id
   */
  #isAsked(id) {
    const { turns } = [this.conversation, ...this.#kept].find((item) => item.id === id) ?? { turns: [] };
    return turns.some((turn) => turn.state === "awaiting_confirm");
  }

  /** @param {Entry} entry */
  #noteAccepted(entry) {
    const conversation = this.#kept.find((item) => item.id === entry.c);
    const wasNew = conversation?.isNew;
    if (conversation) conversation.isNew = false;
    if (conversation !== this.conversation) {
      // The server follows a conversation from its first message; frames that nobody acknowledges would fill its window.
      if (entry.isNew) this.#detach(entry.c);
      // Nothing else would ever settle an entry whose log is not followed.
      return this.outbox.discard((item) => item === entry);
    }
    if (wasNew) this.#follower.join();
    this.outbox.settle(this.conversation);
  }

  /** @param {number} code */
  #refuseSession(code) {
    this.#parts.session.expireToken();
    // A server that changed its signing key knows the session still; only the refresh token can tell.
    const isWorthRenewing = code === NOT_AUTHENTICATED && !this.#isRenewalTried;
    this.#isRenewalTried = true;
    if (isWorthRenewing) return this.connection.start();
    this.#parts.session.forget();
    this.#parts.signedOut("auth.revoked");
  }
}
