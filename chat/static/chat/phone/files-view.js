/**
 * Files of messages on the screen. A picture needs the customer's token, which an `<img>` cannot send: it is fetched
 * and shown from memory. Documents are fetched when the customer asks for them.
 *
 * @typedef {import("./upload.js").FileBody} FileBody
 */

import { make } from "./dom.js";
import { RestError } from "./session.js";
import { translate } from "./strings.js";

/** Pictures kept in memory; the oldest is let go for the next. */
const KEPT_PICTURES = 20;

export class FilesView {
  #session;
  #urls = /** @type {Map<string, Promise<string>>} */ (new Map());

  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.#session = session;
  }

  /** @param {FileBody[]} files @returns {HTMLElement[]} */
  build(files) {
    return files.map((file) => {
      if (file.gone) return this.#buildGone(file);
      return file.kind === "image" ? this.#buildPicture(file) : this.#buildDocument(file);
    });
  }

  /** Forget every file, for the next customer. */
  clear() {
    for (const url of this.#urls.values()) release(url);
    this.#urls.clear();
  }

  /** @param {FileBody} file */
  #buildGone({ name }) {
    return make("span", { class: "file gone" }, name, " ", make("small", {}, translate("files.gone")));
  }

  /** @param {FileBody} file */
  #buildPicture(file) {
    const image = /** @type {HTMLImageElement} */ (make("img", { class: "file picture", alt: file.name, title: file.name }));
    this.#load(file).then(
      (url) => (image.src = url),
      (error) => {
        if (!(error instanceof RestError)) throw error;
        image.replaceWith(this.#buildGone(file));
      },
    );
    return image;
  }

  /** @param {FileBody} file */
  #buildDocument(file) {
    const button = make("button", { type: "button", class: "file document" }, file.name);
    button.addEventListener("click", async () => {
      try {
        make("a", { href: await this.#load(file), download: file.name }).click();
      } catch (error) {
        if (!(error instanceof RestError)) throw error;
        if (error.code === "file.not_found") button.replaceWith(this.#buildGone(file));
      }
    });
    return button;
  }

  /** @param {FileBody} file @returns {Promise<string>} a URL of the content in memory */
  #load({ id }) {
    const known = this.#urls.get(id);
    if (known) return known;
    const url = this.#session.getBlob(`/files/${id}/content`).then((blob) => URL.createObjectURL(blob));
    this.#urls.set(id, url);
    // What failed is asked for again when it is needed again.
    url.catch(() => this.#urls.delete(id));
    if (this.#urls.size > KEPT_PICTURES) this.#drop(/** @type {string} */ (this.#urls.keys().next().value));
    return url;
  }

  /** @param {string} id */
  #drop(id) {
    release(/** @type {Promise<string>} */ (this.#urls.get(id)));
    this.#urls.delete(id);
  }
}

/** @param {Promise<string>} url */
function release(url) {
  url.then(URL.revokeObjectURL, () => {});
}
