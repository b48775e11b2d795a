/** Bytes as the wire and the browser's cryptography write them. Pure. */

const encoder = new TextEncoder();
/** Bytes of each of the two numbers in a P-256 signature. */
const HALF = 32;

/** @param {string} text */
export function toUtf8(text) {
  return encoder.encode(text);
}

/** @param {ArrayBuffer|Uint8Array} bytes @returns {string} base64url without padding */
export function toBase64Url(bytes) {
  const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} text @returns {Uint8Array<ArrayBuffer>|null} null for what is not base64url */
export function fromBase64Url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

/**
 * Turn a signature as X.509 writes it, a DER sequence of two integers, into the two numbers side by side that
 * WebCrypto wants.
 * @param {Uint8Array} der
 * @returns {Uint8Array<ArrayBuffer>|null} null for anything but exactly one such sequence of 32-byte numbers
 */
export function toRawSignature(der) {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return null;
  const first = readInteger(der, 2);
  const second = first && readInteger(der, first.end);
  if (!first || !second || second.end !== der.length) return null;
  const raw = new Uint8Array(2 * HALF);
  raw.set(first.number, HALF - first.number.length);
  raw.set(second.number, 2 * HALF - second.number.length);
  return raw;
}

/** @param {Uint8Array} der @param {number} start */
function readInteger(der, start) {
  const length = der[start + 1];
  const end = start + 2 + length;
  if (der[start] !== 0x02 || !length || end > der.length) return null;
  let number = der.subarray(start + 2, end);
  // Positive numbers whose first bit is set carry a zero in front.
  if (number[0] === 0 && number.length > 1) number = number.subarray(1);
  return number.length > HALF ? null : { number, end };
}
