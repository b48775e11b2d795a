/**
 * The file that goes with the next message: chosen, pasted or dropped; shown with a preview, sent to the bank at once,
 * and removable until the message is sent.
 *
 * @typedef {import("./upload.js").FileBody} FileBody
 * @typedef {"none"|"sending"|"ready"|"failed"} AttachmentState
 *
 * @typedef {object} Chosen
 * @property {string} url             of the preview, "" when there is none
 * @property {AbortController} abort
 * @property {FileBody|null} stored
 */

import { byId } from "./dom.js";
import { RestError } from "./session.js";
import { describeError, translate } from "./strings.js";
import { uploadFile, UploadRefused } from "./upload.js";

/** What the bank takes at most; a larger file is not worth sending. */
const MAX_BYTES = 40 * 1024 * 1024;
/** Refusals of a file by code, where the server gives no reason. */
const REASONS = /** @type {Record<string, string>} */ ({ "limit.size": "bytes", "request.media_type": "unknown" });

export class Attachment {
  #session;
  #changed;
  #row = byId("attachment");
  #picture = /** @type {HTMLImageElement} */ (byId("attachment-picture"));
  #bar = /** @type {HTMLProgressElement} */ (byId("attachment-progress"));
  #note = byId("attachment-note");
  #input = /** @type {HTMLInputElement} */ (byId("attachment-file"));
  #chosen = /** @type {Chosen|null} */ (null);

  /**
   * @param {import("./session.js").Session} session
   * @param {() => void} changed    it may or may not be sent now
   */
  constructor(session, changed) {
    this.#session = session;
    this.#changed = changed;
    byId("attach").addEventListener("click", () => this.#input.click());
    byId("attachment-remove").addEventListener("click", () => this.clear());
    this.#input.addEventListener("change", () => {
      this.choose(this.#input.files);
      // The same file may be chosen again after it was removed.
      this.#input.value = "";
    });
    this.#picture.addEventListener("error", () => (this.#picture.hidden = true));
    byId("text").addEventListener("paste", (event) => this.#takeFrom(event, event.clipboardData));
    const chat = byId("chat");
    chat.addEventListener("dragover", (event) => {
      if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
    });
    chat.addEventListener("drop", (event) => this.#takeFrom(event, event.dataTransfer));
  }

  /** @returns {AttachmentState} */
  get state() {
    return /** @type {AttachmentState} */ (this.#row.dataset.state);
  }

  /** Hand over the file that is ready; the next message has none. @returns {FileBody[]} */
  take() {
    const stored = this.#chosen?.stored;
    if (!stored) return [];
    this.clear();
    return [stored];
  }

  /** Forget the file; one that is on its way is stopped. The bank forgets a file that no message uses by itself. */
  clear() {
    this.#chosen?.abort.abort();
    if (this.#chosen?.url) URL.revokeObjectURL(this.#chosen.url);
    this.#chosen = null;
    this.#picture.removeAttribute("src");
    this.#show("none", "");
  }

  /** @param {FileList|null|undefined} files */
  choose(files) {
    const file = files?.[0];
    if (!file) return;
    this.clear();
    const url = file.type.startsWith("image/") ? URL.createObjectURL(file) : "";
    const chosen = { url, abort: new AbortController(), stored: null };
    this.#chosen = chosen;
    byId("attachment-name").textContent = file.name;
    this.#picture.hidden = url === "";
    if (url) this.#picture.src = url;
    if (file.size > MAX_BYTES) this.#show("failed", translate("attach.bytes"));
    else this.#upload(chosen, file);
  }

  /** @param {Event} event @param {DataTransfer|null} data */
  #takeFrom(event, data) {
    if (!data?.files.length) return;
    event.preventDefault();
    this.choose(data.files);
  }

  /** @param {Chosen} chosen @param {File} file */
  async #upload(chosen, file) {
    const isCurrent = () => this.#chosen === chosen;
    const progress = (/** @type {number} */ share) => {
      if (isCurrent()) this.#show("sending", translate("attach.sending", { percent: Math.floor(share * 100) }), share);
    };
    progress(0);
    try {
      chosen.stored = await uploadFile(this.#session, file, { signal: chosen.abort.signal, progress });
      if (isCurrent()) this.#show("ready", translate("attach.ready"));
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      if (isCurrent()) this.#show("failed", describeRefusal(error));
    }
  }

  /** @param {AttachmentState} state @param {string} note @param {number} [share] */
  #show(state, note, share = 0) {
    const isChange = state !== this.state;
    this.#row.dataset.state = state;
    this.#row.hidden = state === "none";
    this.#bar.hidden = state !== "sending";
    this.#bar.value = share;
    this.#note.textContent = note;
    if (isChange) this.#changed();
  }
}

/** What a message without words asks about its file. @param {FileBody} file */
export function askAbout({ kind }) {
  return translate(kind === "image" ? "attach.ask_image" : "attach.ask_document");
}

/** @param {RestError} error */
function describeRefusal(error) {
  const reason = (error instanceof UploadRefused && error.reason) || REASONS[error.code];
  return reason ? translate(`attach.${reason}`) : describeError(error.code, error.retryAfterMs);
}
