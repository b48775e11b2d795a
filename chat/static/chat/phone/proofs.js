/**
 * Whether what claims to come from the bank does: digests and signatures of questions and receipts, by the keys the bank
 * publishes.
 *
 * @typedef {"ok"|"hash"|"signature"|"key"|"insecure"} Verdict
 *   `key`: the bank publishes no such key; `insecure`: the browser offers no cryptography here
 */

import { fromBase64Url, toBase64Url, toRawSignature, toUtf8 } from "./encoding.js";

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
/** What the bank signs in front of a text, so that a signature of one kind never fits another. */
const DOMAINS = { question: "asst-payload-v1\0", receipt: "asst-receipt-v1\0" };

/** Browsers offer cryptography only over TLS and on the loopback interface. */
export function canProve() {
  return Boolean(globalThis.crypto?.subtle);
}

export class Proofs {
  #session;
  #keys = /** @type {Map<string, CryptoKey>} */ (new Map());
  #loading = /** @type {Promise<void>|null} */ (null);

  /** @param {{get: (path: string) => Promise<any>}} session */
  constructor(session) {
    this.#session = session;
  }

  /**
   * @param {{payload: string, hash: string, ssig: string, kid: string}} signed
   * @returns {Promise<Verdict>}
   * @throws {import("./session.js").RestError} when the bank's keys cannot be fetched now
   */
  async checkQuestion(signed) {
    if (!canProve()) return "insecure";
    const digest = await crypto.subtle.digest("SHA-256", toUtf8(signed.payload));
    if (toBase64Url(digest) !== signed.hash) return "hash";
    return this.#checkSignature(DOMAINS.question + signed.payload, signed);
  }

  /**
   * @param {{receipt: string, ssig: string, kid: string}} signed
   * @returns {Promise<Verdict>}
   * @throws {import("./session.js").RestError}
   */
  async checkReceipt(signed) {
    return canProve() ? this.#checkSignature(DOMAINS.receipt + signed.receipt, signed) : "insecure";
  }

  /** @param {string} text @param {{ssig: string, kid: string}} signed @returns {Promise<Verdict>} */
  async #checkSignature(text, { ssig, kid }) {
    const key = await this.#find(kid);
    if (!key) return "key";
    const der = fromBase64Url(ssig);
    const raw = der && toRawSignature(der);
    return raw && (await crypto.subtle.verify(SIGNING, key, raw, toUtf8(text))) ? "ok" : "signature";
  }

  /** @param {string} kid @returns {Promise<CryptoKey|undefined>} */
  async #find(kid) {
    // The bank may have changed its key since the list was read; an invented name must not ask twice at once.
    if (!this.#keys.has(kid)) await (this.#loading ??= this.#load().finally(() => (this.#loading = null)));
    return this.#keys.get(kid);
  }

  async #load() {
    for (const jwk of (await this.#session.get("/keys")).keys) {
      const { kty, crv, x, y } = jwk;
      this.#keys.set(jwk.kid, await crypto.subtle.importKey("jwk", { kty, crv, x, y }, CURVE, false, ["verify"]));
    }
  }
}
