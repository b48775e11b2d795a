/**
 * This device's signing key: P-256, made by the browser and kept by it. Scripts can use the private half but never read it;
 * it stays in IndexedDB, one per login and device, as a phone's key store keeps one per app.
 *
 * @typedef {object} DeviceKey
 * @property {string} id           the bank's id of its record
 * @property {string} kid          the bank's name for it
 * @property {CryptoKey} privateKey
 *
 * @typedef {object} DeviceKeysParts
 * @property {import("./session.js").Session} session
 * @property {string} deviceId
 */

import { toBase64Url, toUtf8 } from "./encoding.js";

const DATABASE = "phone";
const STORE = "device-keys";
/** What a device signs in front of the bank's challenge, to show that it holds the private half. */
const PROOF_DOMAIN = "asst-enroll-v1\0";
const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };

/** The browser keeps no keys here, as in some private windows. */
export class KeyStoreClosed extends Error {}

export class DeviceKeys {
  #session;
  #deviceId;

  /** @param {DeviceKeysParts} parts */
  constructor({ session, deviceId }) {
    this.#session = session;
    this.#deviceId = deviceId;
  }

  /** @returns {Promise<DeviceKey|null>} @throws {KeyStoreClosed} */
  find() {
    return useStore("readonly", (store) => store.get(this.#name)).then((found) => found ?? null);
  }

  /**
   * Sign with the device's key; one is enrolled when there is none.
   * @param {string} text
   * @returns {Promise<{kid: string, sig: string}>}
   * @throws {import("./session.js").RestError} with `auth.step_up` when the bank wants the password first
   * @throws {KeyStoreClosed}
   */
  async sign(text) {
    const { kid, privateKey } = (await this.find()) ?? (await this.enrol());
    return { kid, sig: toBase64Url(await crypto.subtle.sign(SIGNING, privateKey, toUtf8(text))) };
  }

  /**
   * Make a key and give its public half to the bank; a key the device had before ends there.
   * @returns {Promise<DeviceKey>}
   * @throws {import("./session.js").RestError}
   * @throws {KeyStoreClosed}
   */
  async enrol() {
    // Asked first: a key that cannot be kept must not replace the one the bank knows.
    await this.find();
    const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]));
    const { id, kid } = await this.#introduce(pair);
    const key = { id, kid, privateKey: pair.privateKey };
    await useStore("readwrite", (store) => store.put(key, this.#name));
    return key;
  }

  /** Forget the key here. @throws {KeyStoreClosed} */
  async forget() {
    await useStore("readwrite", (store) => store.delete(this.#name));
  }

  /** Make the key of no use to anybody: at the bank first, then here. @throws {import("./session.js").RestError} */
  async remove() {
    const key = await this.find();
    if (key) await this.#session.delete(`/devices/keys/${key.id}`);
    await this.forget();
  }

  /** @param {CryptoKeyPair} pair @returns {Promise<{id: string, kid: string}>} */
  async #introduce({ publicKey, privateKey }) {
    const { challenge } = await this.#session.post("/devices/keys/challenge", {});
    const proof = toBase64Url(await crypto.subtle.sign(SIGNING, privateKey, toUtf8(PROOF_DOMAIN + challenge)));
    const spki = toBase64Url(await crypto.subtle.exportKey("spki", publicKey));
    return this.#session.post("/devices/keys", { public_key: spki, challenge, proof });
  }

  get #name() {
    return `${this.#session.username} ${this.#deviceId}`;
  }
}

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} act
 * @returns {Promise<T>} when it is on the disk
 * @throws {KeyStoreClosed}
 */
async function useStore(mode, act) {
  const database = await openDatabase();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(new KeyStoreClosed());
    });
  } finally {
    database.close();
  }
}

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new KeyStoreClosed());
  });
}
