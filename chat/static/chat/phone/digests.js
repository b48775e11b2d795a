/** Lengths and digests of text as the server counts them: over UTF-8. */

import { toBase64Url, toUtf8 } from "./encoding.js";

/**
 * @param {string} text
 * @returns {number} its length in UTF-8
 */
export function measureBytes(text) {
  return toUtf8(text).length;
}

/**
 * Return the first 16 bytes of SHA-256 over the text as unpadded base64url, or null where the browser offers no
 * digests: it does so only over TLS and on the loopback interface.
 * @param {string} text
 * @returns {Promise<string|null>}
 */
export async function digestText(text) {
  if (!globalThis.crypto?.subtle) return null;
  const hash = await crypto.subtle.digest("SHA-256", toUtf8(text));
  return toBase64Url(hash.slice(0, 16));
}

/**
 * Say whether the phone holds exactly the text the server stored.
 * @param {string} text
 * @param {{bytes?: number, sum?: string}} claim  from a terminal event; what it leaves out is not checked
 * @returns {Promise<boolean>}
 */
export async function matchesClaim(text, claim) {
  if (claim.bytes !== undefined && claim.bytes !== measureBytes(text)) return false;
  if (claim.sum === undefined) return true;
  const sum = await digestText(text);
  return sum === null || sum === claim.sum;
}
