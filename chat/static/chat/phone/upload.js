/**
 * Sends one file over REST and tells how far it is, which `fetch` cannot.
 *
 * @typedef {object} FileBody                what the server says of a file
 * @property {string} id
 * @property {"image"|"document"} kind
 * @property {string} media_type
 * @property {string} name
 * @property {number} bytes
 * @property {boolean} [gone]                deleted meanwhile
 *
 * @typedef {object} UploadOptions
 * @property {AbortSignal} signal
 * @property {(share: number) => void} progress     0 to 1
 */

import { RestError } from "./session.js";

/** The server does not keep this file; `reason` says why, in one of its closed words. */
export class UploadRefused extends RestError {
  /** @param {string} code @param {{status: number, retryAfterMs?: number, reason?: string}} facts */
  constructor(code, { reason, ...facts }) {
    super(code, facts);
    this.reason = reason;
  }
}

/**
 * @param {import("./session.js").Session} session
 * @param {File} file
 * @param {UploadOptions} options
 * @returns {Promise<FileBody>}
 * @throws {RestError}
 */
export async function uploadFile(session, file, options) {
  try {
    return await send(await session.getToken(), session, file, options);
  } catch (error) {
    if (!(error instanceof RestError) || error.status !== 401 || !session.isOpen) throw error;
    session.expireToken();
    return send(await session.getToken(), session, file, options);
  }
}

/**
 * @param {string} token
 * @param {import("./session.js").Session} session
 * @param {File} file
 * @param {UploadOptions} options
 * @returns {Promise<FileBody>}
 */
function send(token, session, file, { signal, progress }) {
  return new Promise((resolve, reject) => {
    if (session.isCut || signal.aborted) throw new RestError("network");
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/files");
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0));
    request.addEventListener("load", () => {
      if (request.status === 201) resolve(request.response);
      else reject(readRefusal(request));
    });
    for (const end of ["error", "abort"]) request.addEventListener(end, () => reject(new RestError("network")));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    const body = new FormData();
    body.append("file", file, file.name || "file");
    request.send(body);
  });
}

/** @param {XMLHttpRequest} request */
function readRefusal({ status, response }) {
  const facts = { status, retryAfterMs: response?.retry_after_ms, reason: response?.details?.reason };
  return new UploadRefused(response?.code ?? "server.internal", facts);
}
