/**
 * What outlives a reload, and which phone this tab is.
 *
 * One tab is one phone: it has its own device id, session and transcripts, as two phones of one customer have. The
 * device ids stay in `localStorage`, one per slot, so that a tab opened tomorrow is a device the bank knows; a Web Lock
 * keeps two tabs from taking the same slot. Texts and tokens stay in `sessionStorage` and go with the tab.
 */

import { makeId } from "./ids.js";

const DEVICE = "phone.device.";
const SLOT = "phone.slot";
const SESSION = "phone.session";
const CHAT = "phone.chat";
const DRAFT = "phone.draft";
const SLOTS = 16;
/** A reload's new page may ask before the old page's lock is gone; a duplicated tab asks in vain. */
const RELOAD_MS = 1_000;

/**
 * Become one of this browser's phones until the tab closes.
 *
 * A duplicated tab starts with a copy of the first one's storage, tokens included; it takes another slot and forgets
 * the copy, because two tabs with one refresh token would end each other's session.
 * @returns {Promise<string>} the device id
 */
export async function claimDevice() {
  const own = sessionStorage.getItem(SLOT);
  if (own !== null && (await holdSlot(own, { signal: AbortSignal.timeout(RELOAD_MS) }))) return readDevice(own);
  if (own !== null) sessionStorage.clear();
  for (let slot = 0; slot < SLOTS; slot += 1) {
    if (await holdSlot(String(slot), { ifAvailable: true })) return readDevice(String(slot));
  }
  return makeId();
}

/**
 * @param {string} slot
 * @param {LockOptions} options
 * @returns {Promise<boolean>} whether this tab holds the slot now
 */
function holdSlot(slot, options) {
  // Browsers offer locks only over TLS and on the loopback interface; without them every tab trusts its slot.
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const hold = (/** @type {Lock|null} */ lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => {});
    };
    navigator.locks.request(DEVICE + slot, options, hold).catch(() => resolve(false));
  });
}

/** @param {string} slot */
function readDevice(slot) {
  sessionStorage.setItem(SLOT, slot);
  const known = localStorage.getItem(DEVICE + slot);
  if (known !== null) return known;
  const made = makeId();
  localStorage.setItem(DEVICE + slot, made);
  return made;
}

/** @param {string} key @returns {any} */
function read(key) {
  const text = sessionStorage.getItem(key);
  return text === null ? null : JSON.parse(text);
}

/** @param {string} key @param {unknown} value */
function write(key, value) {
  if (value === null) sessionStorage.removeItem(key);
  else sessionStorage.setItem(key, JSON.stringify(value));
}

export const sessionStore = {
  read: () => /** @type {import("./session.js").StoredSession|null} */ (read(SESSION)),
  write: (/** @type {import("./session.js").StoredSession|null} */ session) => write(SESSION, session),
};

/**
 * @typedef {object} StoredChat
 * @property {string} current                                           id of the open conversation
 * @property {import("./transcript.js").Conversation[]} conversations   the last used first
 * @property {import("./outbox.js").Entry[]} outbox
 */

/** Positions, transcripts and outbox are one value, so a reload never finds a position without its text. */
export const chatStore = {
  read() {
    const chat = /** @type {StoredChat|null} */ (read(CHAT));
    // Earlier versions of this page stored conversations without these.
    const conversations = chat?.conversations.map((item) => ({ ...item, calls: item.calls ?? [], confirms: item.confirms ?? [] }));
    return chat && { ...chat, conversations: /** @type {StoredChat["conversations"]} */ (conversations) };
  },
  /** @param {StoredChat|null} chat */
  write(chat) {
    try {
      write(CHAT, chat);
    } catch (error) {
      // A full store must not stop the chat: drop it, and the next reload takes a snapshot.
      if (!(error instanceof DOMException) || error.name !== "QuotaExceededError") throw error;
      write(CHAT, null);
    }
  },
};

export const draftStore = {
  read: () => /** @type {string} */ (read(DRAFT) ?? ""),
  write: (/** @type {string} */ text) => write(DRAFT, text || null),
};
