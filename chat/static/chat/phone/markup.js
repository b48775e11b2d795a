/**
 * The little markup a model's answer may use: paragraphs, lists, bold. Built as nodes, never parsed as HTML, so nothing
 * in an answer can become an element, a link or a request.
 *
 * @typedef {object} Block
 * @property {"p"|"ul"|"ol"} tag
 * @property {string[]} lines     of a paragraph, or the items of a list
 * @property {number} [start]     first number of a numbered list
 */

import { make } from "./dom.js";

const BULLET = /^\s*[-*•]\s+(.*)$/;
const NUMBER = /^\s*(\d{1,4})[.)]\s+(.*)$/;
const HEADING = /^#{1,6}\s+(.*)$/;
const BOLD = /\*\*(\S(?:.*?\S)?)\*\*/g;

/** What each shown block was made from, so that a growing answer redraws only its last one. */
const sources = /** @type {WeakMap<Element, string>} */ (new WeakMap());

/**
 * Make `container` show `text`.
 * @param {HTMLElement} container
 * @param {string} text
 */
export function renderText(container, text) {
  const blocks = splitBlocks(text);
  blocks.forEach((block, index) => {
    const shown = container.children[index];
    const source = JSON.stringify(block);
    if (shown && sources.get(shown) === source) return;
    const made = renderBlock(block);
    sources.set(made, source);
    if (shown) shown.replaceWith(made);
    else container.append(made);
  });
  while (container.children.length > blocks.length) container.lastElementChild?.remove();
}

/**
 * @param {string} text
 * @returns {Block[]}
 */
function splitBlocks(text) {
  const blocks = /** @type {Block[]} */ ([]);
  let open = /** @type {Block|null} */ (null);
  for (const line of text.split("\n")) {
    const read = readLine(line);
    if (read === null) {
      open = null;
    } else if (open?.tag === read.tag) {
      open.lines.push(...read.lines);
    } else {
      open = read;
      blocks.push(read);
    }
  }
  return blocks;
}

/**
 * @param {string} line
 * @returns {Block|null} null for a blank line, which ends a block
 */
function readLine(line) {
  if (line.trim() === "") return null;
  const bullet = BULLET.exec(line);
  if (bullet) return { tag: "ul", lines: [bullet[1]] };
  const number = NUMBER.exec(line);
  if (number) return { tag: "ol", lines: [number[2]], start: Number(number[1]) };
  const heading = HEADING.exec(line);
  return { tag: "p", lines: [heading ? `**${heading[1].replaceAll("**", "")}**` : line] };
}

/** @param {Block} block */
function renderBlock({ tag, lines, start }) {
  if (tag !== "p") {
    const items = lines.map((line) => make("li", {}, ...renderInline(line)));
    return make(tag, start && start !== 1 ? { start: String(start) } : {}, ...items);
  }
  return make("p", {}, ...lines.flatMap((line, index) => (index ? [make("br"), ...renderInline(line)] : renderInline(line))));
}

/** @param {string} line @returns {(Node|string)[]} */
function renderInline(line) {
  return line.split(BOLD).map((part, index) => (index % 2 ? make("strong", {}, part) : part));
}
