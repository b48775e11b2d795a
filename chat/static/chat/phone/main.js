/** Puts the page together: one session, one phone at a time, one screen. */

import { AnswerCards } from "./answer-cards.js";
import { Composer } from "./composer.js";
import { byId } from "./dom.js";
import { FilesView } from "./files-view.js";
import { FramesPanel } from "./frames-panel.js";
import { KeyPanel } from "./key-panel.js";
import { Menu } from "./menu.js";
import { Phone } from "./phone.js";
import { SUBPROTOCOL } from "./protocol.js";
import { RestError, Session } from "./session.js";
import { SignIn } from "./sign-in.js";
import { StatusView } from "./status-view.js";
import { chatStore, claimDevice, sessionStore } from "./storage.js";
import { describeError, translate } from "./strings.js";
import { findRunningTurn } from "./transcript.js";
import { TranscriptView } from "./transcript-view.js";

const deviceId = await claimDevice();
let phone = /** @type {Phone|null} */ (null);
let isDrawing = false;

const session = new Session({
  store: sessionStore,
  deviceId,
  isCut: () => phone?.connection.status.name === "cut",
  signedOut: (code) => leave(code),
});
const frames = new FramesPanel();
const files = new FilesView(session);
const cards = new AnswerCards({ session, deviceId, language: document.documentElement.lang, announce });
const transcript = new TranscriptView(files, cards);
const status = new StatusView(announce);
const composer = new Composer(session, { send, cancel: () => phone?.cancel() });
const keyPanel = new KeyPanel(session);
const menu = new Menu({
  signOut: () => {
    leave();
    session.signOut();
  },
  toggleFrames: () => (frames.isOpen ? frames.close() : frames.open(byId("menu-open"))),
  opened: () => {
    composer.focus();
    transcript.jumpToEnd();
  },
});
const signIn = new SignIn(async (username, password) => {
  await session.signIn(username, password);
  enter();
});

/** Show the chat for the session that is open. */
function enter() {
  phone = new Phone({
    session,
    store: chatStore,
    openSocket,
    deviceId,
    language: document.documentElement.lang,
    change: draw,
    ended: (message) => announce(describeEnd(message)),
    signedOut: (code) => leave(code),
    wire: (direction, text) => frames.add(direction, text),
  });
  menu.attach(phone, session.username);
  keyPanel.attach(phone.keys);
  greet();
  showScreen("chat");
  phone.start();
  draw();
  composer.focus();
}

/** Call the customer by name; the user name stands in while the bank cannot be asked. */
async function greet() {
  const me = await session.get("/me").catch(() => null);
  if (me && phone) menu.attach(phone, `${me.first_name} ${me.last_name}`);
}

/**
 * Show the sign-in screen and forget everything of this customer.
 * @param {string} [code]  why, when it was not the customer's wish
 */
function leave(code) {
  phone?.stop();
  phone = null;
  chatStore.write(null);
  composer.clear();
  transcript.clear();
  cards.clear();
  keyPanel.clear();
  files.clear();
  frames.clear();
  announce("");
  byId("title").textContent = "";
  byId("conversations").replaceChildren();
  byId("name").textContent = "";
  showScreen("sign-in");
  signIn.show(code);
}

/** @param {"chat"|"sign-in"} name */
function showScreen(name) {
  for (const screen of ["chat", "sign-in"]) byId(screen).hidden = screen !== name;
}

/** @param {string} text @param {import("./upload.js").FileBody[]} attached */
function send(text, attached) {
  phone?.send(text, attached.length ? attached : undefined);
  transcript.jumpToEnd();
}

function openSocket() {
  const url = new URL("/ws/v1", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url, SUBPROTOCOL);
}

/** Draw once per screen frame, however many events came. */
function draw() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    if (phone) drawPhone(phone);
  });
}

/** @param {Phone} shown */
function drawPhone(shown) {
  const { conversation, connection, outbox, isCancelling } = shown;
  const isEmpty = conversation.messages.length === 0 && !outbox.entries.some((entry) => entry.c === conversation.id);
  byId("title").textContent = conversation.title || translate("conversation.new");
  byId("greeting").hidden = !isEmpty || (!conversation.isNew && conversation.cursor === null);
  byId("older").hidden = !conversation.hasOlder;
  transcript.render(shown);
  status.render(connection.status);
  byId("closed").hidden = conversation.isClosed !== true;
  byId("composer").hidden = conversation.isClosed === true;
  composer.render({ isRunning: findRunningTurn(conversation) !== undefined, isCancelling });
}

/** @param {string} text  for screen readers */
function announce(text) {
  byId("announcer").textContent = text;
}

/** @param {import("./transcript.js").Message} message */
function describeEnd({ state, text, error }) {
  if (state === "failed") return describeError(error ?? "");
  return `${translate(state === "stopped" ? "note.stopped" : "announce.answer")} ${text}`;
}

byId("network").addEventListener("click", () => (phone?.connection.status.name === "cut" ? phone.start() : phone?.connection.cut()));
byId("notice-act").addEventListener("click", () => phone?.start());
byId("older").addEventListener("click", async () => {
  try {
    await phone?.loadEarlier();
    transcript.holdPlace();
  } catch (error) {
    if (!(error instanceof RestError)) throw error;
    announce(describeError(error.code));
  }
});
for (const id of ["new", "closed-new"]) {
  byId(id).addEventListener("click", () => {
    phone?.open();
    composer.focus();
  });
}
for (const button of document.querySelectorAll(".suggestion")) {
  button.addEventListener("click", () => composer.submit(button.textContent?.trim() ?? ""));
}
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) phone?.cancel();
});
addEventListener("online", () => phone?.connection.nudge());
addEventListener("offline", () => phone?.connection.nudge());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") phone?.connection.nudge();
  else phone?.save();
});
addEventListener("pagehide", () => phone?.save());

if (session.isOpen) enter();
else leave();
document.body.dataset.ready = "true";
