/**
 * What the app itself shows beside an answer: requisites of an account, a statement that is ready. The server sends these
 * cards past the assistant, which never learns what is on them.
 *
 * @typedef {Record<string, any>} Card      has a `kind`
 *
 * @typedef {object} AppCardHooks
 * @property {string} language
 * @property {(text: string) => void} announce
 * @property {(path: string, name: string) => Promise<string>} download   returns why it failed, "" when it did not
 */

import { make, makeButton } from "./dom.js";
import { knowsText, translate } from "./strings.js";
import { formatPeriod } from "./terms.js";

/** In the order in which payment forms ask for them. */
const ROWS = ["holder", "number", "bik", "bank", "currency"];

/** @param {Card} card @param {AppCardHooks} hooks @returns {HTMLElement|null} null for a kind of a later version */
export function buildAppCard(card, hooks) {
  return BUILDERS[card.kind]?.(card, hooks) ?? null;
}

/** @param {Card} card @param {AppCardHooks} hooks */
function buildRequisites(card, { announce }) {
  const rows = ROWS.filter((name) => card[name]).map((name) => ({ label: translate(`requisites.${name}`), value: String(card[name]) }));
  const copy = makeButton(translate("requisites.copy"), { class: "button" });
  copy.addEventListener("click", async () => {
    const isCopied = await copyText(rows.map(({ label, value }) => `${label}: ${value}`).join("\n"));
    copy.textContent = translate(isCopied ? "requisites.copied" : "requisites.not_copied");
    announce(copy.textContent);
  });
  return buildCard(card, "requisites.title", rows, copy);
}

/** @param {Card} card @param {AppCardHooks} hooks */
function buildStatement(card, { language, announce, download }) {
  const format = knowsText(`word.format.${card.format}`) ? translate(`word.format.${card.format}`) : String(card.format);
  const rows = [
    { label: translate("term.period"), value: formatPeriod(card.date_from, card.date_to, language) },
    { label: translate("term.format"), value: format },
  ];
  const button = makeButton(translate("statement.download"), { class: "button" });
  const error = make("p", { class: "card-error" });
  button.addEventListener("click", async () => {
    error.textContent = await download(`/statements/${card.statement}`, `statement.${card.format}`);
    if (error.textContent) announce(error.textContent);
  });
  return buildCard(card, "statement.title", rows, button, error);
}

/** @type {Record<string, (card: Card, hooks: AppCardHooks) => HTMLElement>} */
const BUILDERS = { requisites: buildRequisites, statement: buildStatement };

/** @param {Card} card @param {string} title @param {{label: string, value: string}[]} rows @param {...HTMLElement} rest */
function buildCard(card, title, rows, ...rest) {
  const items = rows.map(({ label, value }) => make("div", {}, make("dt", {}, label), make("dd", { dir: "auto" }, value)));
  const heading = make("h3", {}, translate(title), " ", make("span", { class: "card-of", dir: "auto" }, String(card.title ?? "")));
  return make("section", { class: "card", "data-kind": card.kind }, heading, make("dl", { class: "card-terms" }, ...items), ...rest);
}

/** @param {string} text @returns {Promise<boolean>} false where the browser does not let pages copy */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
