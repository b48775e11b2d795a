/** Messages older than what a snapshot brings, read page by page over REST when the customer asks for them. */

/** @typedef {import("./transcript.js").Conversation} Conversation */

const PAGE = 50;

/**
 * Put the messages before the oldest one held in front of it.
 * @param {{get: (path: string) => Promise<any>}} session
 * @param {Conversation} conversation
 * @throws {import("./session.js").RestError}
 */
export async function loadEarlier(session, conversation) {
  const held = new Set(conversation.messages.map((message) => message.id));
  let found = [];
  let cursor = conversation.earlier;
  // The pages start at the newest message, which is held already; a cursor cannot be made here.
  do {
    const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const page = await session.get(`/conversations/${conversation.id}/messages?order=newest&limit=${PAGE}${after}`);
    found = page.results.filter((/** @type {any} */ message) => !held.has(message.id));
    cursor = page.next_cursor;
  } while (found.length === 0 && cursor);
  conversation.messages.unshift(...found.map(readMessage).reverse());
  conversation.earlier = cursor;
  conversation.hasOlder = cursor !== null;
}

/** @param {any} body @returns {import("./transcript.js").Message} */
function readMessage({ id, role, text, bytes, turn, files }) {
  return { id, role, text, bytes, state: "done", turn, files: files?.length ? files : undefined };
}
