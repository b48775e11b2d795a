/** The line that says, truthfully, whether this phone is connected. */

import { byId } from "./dom.js";
import { translate } from "./strings.js";

/** @typedef {import("./connection.js").Status} Status */

const DETAILED_STOPS = new Set([4400, 4506, 4509, 4513, 4526]);

export class StatusView {
  #line = byId("status");
  #notice = byId("notice");
  #noticeText = byId("notice-text");
  #network = byId("network");
  #timer = 0;
  #announce;
  #last = "";

  /** @param {(text: string) => void} announce */
  constructor(announce) {
    this.#announce = announce;
  }

  /** @param {Status} status */
  render(status) {
    clearInterval(this.#timer);
    this.#line.dataset.state = status.name;
    this.#network.setAttribute("aria-pressed", String(status.name === "cut"));
    this.#tell(status);
    if (status.name === "waiting") this.#timer = setInterval(() => this.#tell(status), 1000);
  }

  /** @param {Status} status */
  #tell(status) {
    this.#line.textContent = describeStatus(status);
    const notice = describeNotice(status);
    this.#notice.hidden = notice === "";
    this.#noticeText.textContent = notice;
    byId("notice-act").hidden = status.name !== "cut" && status.name !== "stopped";
    // The countdown is for eyes only: a screen reader hears each state once.
    if (status.name === this.#last) return;
    if (this.#last && status.name !== "off") this.#announce(notice || this.#line.textContent);
    this.#last = status.name;
  }
}

/** @param {Status} status */
function describeStatus(status) {
  if (status.name !== "waiting") return translate(`status.${status.name}`);
  const seconds = Math.max(0, Math.ceil(((status.untilMs ?? 0) - Date.now()) / 1000));
  const key = navigator.onLine ? "status.waiting" : "status.offline";
  return translate(key, { seconds });
}

/** @param {Status} status */
function describeNotice({ name, code }) {
  if (name === "cut") return translate("notice.cut");
  if (name === "stopped") return translate(DETAILED_STOPS.has(code ?? 0) ? `notice.${code}` : "notice.stopped");
  return "";
}
