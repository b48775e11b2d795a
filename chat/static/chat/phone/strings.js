/** The page's texts in the customer's language; the server wrote them into the page. */

/** @type {Record<string, string>} */
const strings = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("strings")).textContent ?? "{}");

/**
 * @param {string} key
 * @param {Record<string, string|number>} [values]  for the `{name}` places of the text
 * @returns {string}
 */
export function translate(key, values = {}) {
  return strings[key].replaceAll(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** @param {string} key */
export function knowsText(key) {
  return Object.hasOwn(strings, key);
}

/**
 * Say an error in the customer's words. A code this version does not know gets the general sentence.
 * @param {string} code
 * @param {number} [retryAfterMs]
 */
export function describeError(code, retryAfterMs) {
  const key = `error.${code}`;
  const sentence = knowsText(key) ? strings[key] : strings["error.server.internal"];
  if (!retryAfterMs) return sentence;
  return `${sentence} ${translate("retry_after", { seconds: Math.ceil(retryAfterMs / 1000) })}`;
}
