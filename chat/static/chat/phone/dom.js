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

/**
 * @param {string} text
 * @param {Record<string, string>} attributes
 * @returns {HTMLButtonElement}
 */
export function makeButton(text, attributes) {
  return /** @type {HTMLButtonElement} */ (make("button", { type: "button", ...attributes }, text));
}

/**
 * @param {string} label
 * @param {Record<string, string>} attributes
 * @returns {{element: HTMLElement, input: HTMLInputElement}} a label with its input
 */
export function makeField(label, attributes) {
  const input = /** @type {HTMLInputElement} */ (make("input", attributes));
  return { element: make("label", { class: "field" }, make("span", {}, label), input), input };
}
