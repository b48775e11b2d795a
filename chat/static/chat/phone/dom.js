/** The few ways this page makes and finds elements. Text enters the document as text nodes only. */

/**
 * @template {HTMLElement} E
 * @param {string} id
 * @returns {E}
 */
export function byId(id) {
  return /** @type {E} */ (document.getElementById(id));
}

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} name  a symbol of icons.svg
 * @returns {SVGElement}
 */
export function makeIcon(name) {
  const icon = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  icon.setAttribute("class", "icon");
  icon.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
  icon.append(use);
  return icon;
}

/**
 * @param {string} text
 * @param {() => void} act
 * @returns {HTMLElement}
 */
export function makeTextButton(text, act) {
  const button = make("button", { type: "button", class: "text-button" }, text);
  button.addEventListener("click", act);
  return button;
}
