/**
 * What a question or a receipt says, read from its signed text alone: a title and lines for the screen. A text that cannot
 * be shown whole is not shown at all.
 *
 * @typedef {{label: string, value: string}} Line
 *
 * @typedef {object} Shown
 * @property {string} title
 * @property {string} amount        the amount in large, "" when the act has none
 * @property {Line[]} lines
 *
 * @typedef {Shown & {nonce: string, expiresAtMs: number}} Terms
 */

import { addMinor, formatAmount } from "./amounts.js";
import { knowsText, translate } from "./strings.js";

const VERSION = 1;
/** What every question and every receipt says of itself. */
const FRAME = new Set(["id", "v", "act", "conv", "turn", "iat", "exp", "n", "confirm", "status"]);
/** In this order; terms of later versions follow under their own names. */
const ORDER = ["from_name", "to_name", "bank", "card_name", "limit", "old", "reason", "period", "format", "memo", "fee"];
/** Of a receipt, after the total. */
const LAST = ["state", "code", "until", "at", "op"];
/** Shown as the large amount, or part of every amount. */
const SHOWN = new Set(["amt", "ccy"]);
const AMOUNTS = new Set(["fee", "old"]);
/** Terms whose values are words of a closed list. */
const WORDS = new Set(["limit", "reason", "format", "state", "code"]);
const TIMES = new Set(["at", "until"]);
const DAYS = /^(\d{4}-\d{2}-\d{2})\/(\d{4}-\d{2}-\d{2})$/;

/**
 * @param {import("./confirmations.js").Confirmation} confirmation
 * @param {string} language
 * @returns {Terms|null} null for a payload that is not this question's, or of a later version
 */
export function readTerms({ confirm, c, turn, payload }, language) {
  const terms = parseFlat(payload);
  if (terms === null || terms.v !== VERSION || typeof terms.exp !== "number" || typeof terms.n !== "string") return null;
  if (terms.id !== confirm || terms.conv !== c || terms.turn !== turn) return null;
  const shown = describeTerms(terms, language);
  return shown && { ...shown, nonce: terms.n, expiresAtMs: terms.exp * 1000 };
}

/**
 * @param {import("./confirmations.js").Confirmation} confirmation  with its result, whose signature is right
 * @param {string} language
 * @returns {Shown|null} null for a receipt of something else
 */
export function readReceipt({ confirm, result }, language) {
  const terms = parseFlat(result?.receipt ?? "");
  if (terms === null || terms.v !== VERSION || terms.confirm !== confirm || terms.status !== result?.status) return null;
  return describeTerms(terms, language);
}

/** @param {Record<string, string|number>} terms @param {string} language */
function describeTerms(terms, language) {
  const amount = "amt" in terms ? formatAmount(terms.amt, terms.ccy, language) : "";
  const lines = listLines(terms, language);
  return amount === null || lines === null ? null : { title: describeAct(terms.act), amount, lines };
}

/**
 * @param {string} text
 * @returns {Record<string, string|number>|null} null for what is not one flat JSON object of texts and numbers
 */
export function parseFlat(text) {
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return null;
  const isFlat = Object.values(parsed).every((value) => typeof value === "string" || typeof value === "number");
  return isFlat ? parsed : null;
}

/** @param {unknown} act */
function describeAct(act) {
  const key = `act.${act}`;
  return translate(knowsText(key) ? key : "act.other");
}

/**
 * @param {Record<string, string|number>} terms
 * @param {string} language
 * @returns {Line[]|null} null when an amount in them is none
 */
function listLines(terms, language) {
  const names = Object.keys(terms).filter((name) => !FRAME.has(name) && !SHOWN.has(name) && !(`${name}_name` in terms));
  const last = LAST.filter((name) => names.includes(name));
  const first = names.filter((name) => !LAST.includes(name)).sort((a, b) => rank(a) - rank(b));
  const lines = [...first, "total", ...last].map((name) => describeLine(terms, name, language));
  if (lines.some((line) => line.value === null)) return null;
  return /** @type {Line[]} */ (lines.filter((line) => line.value !== ""));
}

/** @param {string} name */
function rank(name) {
  const place = ORDER.indexOf(name);
  return place < 0 ? ORDER.length : place;
}

/**
 * @param {Record<string, string|number>} terms
 * @param {string} name
 * @param {string} language
 */
function describeLine(terms, name, language) {
  // Where nothing goes to, nothing comes from: a statement is of an account.
  const key = name === "from_name" && !("to_name" in terms) ? "term.account" : `term.${name}`;
  const value = name === "total" ? describeTotal(terms, language) : describeValue(terms, name, language);
  return { label: knowsText(key) ? translate(key) : name, value };
}

/**
 * @param {Record<string, string|number>} terms
 * @param {string} name
 * @param {string} language
 * @returns {string|null}
 */
function describeValue(terms, name, language) {
  const value = terms[name];
  if (name === "fee" && value === "0") return translate("term.no_fee");
  if (AMOUNTS.has(name)) return formatAmount(value, terms.ccy, language);
  const key = `word.${name}.${value}`;
  if (WORDS.has(name) && knowsText(key)) return translate(key);
  // Why something failed is told in words or not at all.
  if (name === "code") return "";
  if (TIMES.has(name)) return formatTime(String(value), language);
  const days = name === "period" && DAYS.exec(String(value));
  return days ? formatPeriod(days[1], days[2], language) : String(value);
}

/** @param {Record<string, string|number>} terms @param {string} language */
function describeTotal({ amt, fee, ccy }, language) {
  if (fee === undefined || fee === "0") return "";
  return formatAmount(addMinor(String(amt), String(fee)), ccy, language);
}

/** @param {string} time @param {string} language */
function formatTime(time, language) {
  const moment = new Date(time);
  if (Number.isNaN(moment.getTime())) return time;
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(moment);
}

/** @param {string} first @param {string} last  days as YYYY-MM-DD @param {string} language */
export function formatPeriod(first, last, language) {
  const format = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
  return format.formatRange(new Date(`${first}T00:00:00Z`), new Date(`${last}T00:00:00Z`));
}
