/**
 * The customer's session over REST: sign in, keep the access token fresh, sign out, and call the API with it.
 *
 * The access token lives in memory only. The refresh token lives in `sessionStorage`: it survives a reload, which a
 * phone's secure store would too, but not the closing of the tab, so the next person at this computer finds nothing;
 * and it is not shared between tabs, which would make two tabs spend the same one-time token and end the session as
 * stolen. A script that could read it could as well use the session directly, so what protects it is the page's
 * content security policy: no script but our own files.
 *
 * @typedef {object} StoredSession
 * @property {string} username
 * @property {string} refreshToken
 * @property {string} [attemptId]   names a trade whose answer has not come; repeating it with this name is no theft
 */

import { makeId } from "./ids.js";

const API = "/api/v1";
/** Renew rather than use a token that could expire on its way. */
const MARGIN_MS = 30_000;
const PASSWORD_REFUSED = "auth.refused";

/** The API refused a call, or could not be reached (code `network`). */
export class RestError extends Error {
  /** @param {string} code @param {{status?: number, retryAfterMs?: number}} [facts] */
  constructor(code, { status = 0, retryAfterMs } = {}) {
    super(code);
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

export class Session {
  #store;
  #deviceId;
  #isCut;
  #signedOut;
  #access = { token: "", expiresAtMs: 0 };
  #renewing = /** @type {Promise<string>|null} */ (null);

  /**
   * @param {object} parts
   * @param {{read: () => StoredSession|null, write: (session: StoredSession|null) => void}} parts.store
   * @param {string} parts.deviceId
   * @param {() => boolean} parts.isCut                  the customer cut the network: calls fail as they would then
   * @param {(code: string) => void} parts.signedOut     the server ended the session
   */
  constructor({ store, deviceId, isCut, signedOut }) {
    this.#store = store;
    this.#deviceId = deviceId;
    this.#isCut = isCut;
    this.#signedOut = signedOut;
  }

  get username() {
    return this.#store.read()?.username ?? "";
  }

  get isOpen() {
    return this.#store.read() !== null;
  }

  /** @param {string} username @param {string} password */
  async signIn(username, password) {
    const body = { username, password, device_id: this.#deviceId };
    this.#take(username, await this.#fetch("/auth/login", { method: "POST", body }));
  }

  /** Forget the session here, then tell the server; without a network it ends there by its own age. */
  async signOut() {
    const token = this.#access.token;
    this.forget();
    if (!token) return;
    await this.#fetch("/auth/logout", { method: "POST", body: {}, token }).catch(() => {});
  }

  forget() {
    this.expireToken();
    this.#store.write(null);
  }

  expireToken() {
    this.#access = { token: "", expiresAtMs: 0 };
  }

  /** @returns {Promise<string>} an access token with at least half a minute to live */
  async getToken() {
    return this.#access.expiresAtMs - Date.now() > MARGIN_MS ? this.#access.token : this.renew();
  }

  /**
   * Trade the refresh token for a new pair; callers at the same time share one trade, because the second use of a
   * refresh token counts as theft.
   * @returns {Promise<string>} the new access token
   */
  renew() {
    this.#renewing ??= this.#trade().finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  /**
   * Call the API as the customer.
   * @param {string} path  below `/api/v1`
   * @returns {Promise<any>}
   */
  get(path) {
    return this.#call(path, {});
  }

  /**
   * @param {string} path  below `/api/v1`
   * @param {object} body
   * @returns {Promise<any>}
   */
  post(path, body) {
    return this.#call(path, { method: "POST", body });
  }

  /** @param {string} path  below `/api/v1` @returns {Promise<void>} */
  delete(path) {
    return this.#call(path, { method: "DELETE" });
  }

  /**
   * Fetch content as the customer.
   * @param {string} path  below `/api/v1`
   * @returns {Promise<Blob>}
   */
  getBlob(path) {
    return this.#call(path, { isBlob: true });
  }

  /** Whether the customer cut the network. */
  get isCut() {
    return this.#isCut();
  }

  /** @param {string} path @param {{method?: string, body?: object, isBlob?: boolean}} options */
  async #call(path, options) {
    try {
      return await this.#fetch(path, { method: "GET", token: await this.getToken(), ...options });
    } catch (error) {
      // A refused password is no refused token: asking again would count as one more attempt.
      const isTokenRefused = error instanceof RestError && error.status === 401 && error.code !== PASSWORD_REFUSED;
      if (!isTokenRefused || !this.isOpen) throw error;
      this.expireToken();
      return this.#fetch(path, { method: "GET", token: await this.getToken(), ...options });
    }
  }

  async #trade() {
    const stored = this.#store.read();
    if (!stored) throw new RestError("auth.required", { status: 401 });
    // Stored before it is sent: a reload in between repeats this very trade.
    stored.attemptId ??= makeId();
    this.#store.write(stored);
    try {
      const body = { refresh_token: stored.refreshToken, attempt_id: stored.attemptId };
      const pair = await this.#fetch("/auth/refresh", { method: "POST", body });
      // Signed out meanwhile: the new pair must not bring the session back.
      if (this.#store.read()?.refreshToken !== stored.refreshToken) throw new RestError("auth.required");
      return this.#take(stored.username, pair);
    } catch (error) {
      if (error instanceof RestError && error.status === 401) {
        this.forget();
        this.#signedOut(error.code);
      }
      throw error;
    }
  }

  /** @param {string} username @param {any} pair */
  #take(username, pair) {
    this.#store.write({ username, refreshToken: pair.refresh_token });
    this.#access = { token: pair.access_token, expiresAtMs: Date.now() + pair.expires_in * 1000 };
    return this.#access.token;
  }

  /**
   * @param {string} path
   * @param {{method: string, body?: object, token?: string, isBlob?: boolean}} options
   */
  async #fetch(path, { method, body, token, isBlob }) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    if (this.#isCut()) throw new RestError("network");
    const request = { method, headers, body: body && JSON.stringify(body), credentials: /** @type {const} */ ("omit") };
    const response = await fetch(API + path, request).catch(() => {
      throw new RestError("network");
    });
    return isBlob && response.ok ? response.blob() : readResponse(response);
  }
}

/** @param {Response} response */
async function readResponse(response) {
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  const seconds = Number(response.headers.get("Retry-After"));
  const retryAfterMs = body?.retry_after_ms ?? (seconds > 0 ? seconds * 1000 : undefined);
  throw new RestError(body?.code ?? "server.internal", { status: response.status, retryAfterMs });
}
