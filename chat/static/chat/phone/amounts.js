/** Amounts as the customer reads them, exactly: made from minor units as text, never by arithmetic on fractions. Pure. */

/** Digits after the point, where they are not two. */
const EXPONENTS = /** @type {Record<string, number>} */ ({ JPY: 0, KWD: 3 });
const MINOR = /^(?:0|[1-9][0-9]{0,17})$/;

/**
 * @param {unknown} minor     minor units, in decimal digits
 * @param {unknown} currency
 * @param {string} language
 * @returns {string|null} "12 345,67 ₽"; null for what is no amount
 */
export function formatAmount(minor, currency, language) {
  if (typeof minor !== "string" || !MINOR.test(minor)) return null;
  if (typeof currency !== "string" || !/^[A-Z]{3}$/.test(currency)) return null;
  const exponent = EXPONENTS[currency] ?? 2;
  const digits = minor.padStart(exponent + 1, "0");
  const point = digits.length - exponent;
  const decimal = /** @type {any} */ (exponent ? `${digits.slice(0, point)}.${digits.slice(point)}` : digits);
  // Text is taken exactly, also where a number could not hold it.
  return new Intl.NumberFormat(language, {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  }).format(decimal);
}

/**
 * @param {string} first
 * @param {string} second
 * @returns {string|null} their sum, in minor units too; null unless both are amounts
 */
export function addMinor(first, second) {
  return MINOR.test(first) && MINOR.test(second) ? String(BigInt(first) + BigInt(second)) : null;
}
