// HTTP by `fetch`.

import { TransportFailure } from "./errors.js";
import type { HttpRequest, HttpResponse, HttpTransport } from "./transport.js";

/**
 * Sends requests by `fetch`: with a deadline, a size limit while the body arrives, and without redirects, credentials and referrer.
 *
 * A browser does not say why a request failed. Then the failure is `offline` if the browser says that it is offline, and else
 * `unexpected`: the provider can be down, send no CORS headers, or be blocked by the page's policy or by an extension.
 */
export class FetchTransport implements HttpTransport {
  readonly #fetch: typeof fetch;

  constructor(given: typeof fetch = globalThis.fetch) {
    // Called without `this`: a browser's `fetch` refuses any other.
    this.#fetch = (input, init) => given(input, init);
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      end();
    }, request.timeoutMs);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    try {
      const response = await this.#fetch(request.url, {
        method: request.method,
        headers: request.headers.map(([name, value]): [string, string] => [name, value]),
        ...(request.method === "POST" ? { body: request.body as BodyInit } : {}),
        redirect: "manual",
        credentials: "omit",
        referrerPolicy: "no-referrer",
        cache: "no-store",
        signal: ended.signal,
      });
      if (response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400)) {
        throw new TransportFailure("redirect", { status: response.status });
      }
      const body = await read(response, request.maxBytes);
      return { status: response.status, headers: response.headers, body };
    } catch (error) {
      if (isLate) throw new TransportFailure("timeout");
      throw failure(error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      // A body that was not read to its end would hold the connection.
      end();
    }
  }
}

/** Reads the body, and stops at the limit. */
async function read(response: Response, limit: number): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array(0);
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw failure(error, "broken");
    });
    if (done) break;
    length += value.length;
    if (length > limit) {
      // Not awaited: what the server does with it is of no interest.
      reader.cancel().catch(() => {});
      throw new TransportFailure("too_large");
    }
    parts.push(value);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}

/** Errors of Node's `fetch` have a cause with a code. Those of browsers have neither. */
const KINDS: Record<string, TransportFailure["kind"]> = {
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  ECONNREFUSED: "connect",
  EHOSTUNREACH: "connect",
  ENETUNREACH: "connect",
  ENETDOWN: "connect",
  UND_ERR_CONNECT_TIMEOUT: "connect",
  ECONNRESET: "broken",
  EPIPE: "broken",
  UND_ERR_SOCKET: "broken",
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "timeout",
  ETIMEDOUT: "timeout",
  CERT_HAS_EXPIRED: "tls_expired",
  CERT_NOT_YET_VALID: "tls_not_yet_valid",
  CERT_REVOKED: "tls_revoked",
  ERR_TLS_CERT_ALTNAME_INVALID: "tls_other_name",
  DEPTH_ZERO_SELF_SIGNED_CERT: "tls_untrusted_issuer",
  SELF_SIGNED_CERT_IN_CHAIN: "tls_untrusted_issuer",
  UNABLE_TO_GET_ISSUER_CERT: "tls_untrusted_issuer",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "tls_untrusted_issuer",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "tls_untrusted_issuer",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "tls_old_version",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "tls_old_version",
  ERR_SSL_WRONG_VERSION_NUMBER: "tls_plain_http",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "tls_plain_http",
  Z_DATA_ERROR: "encoding",
  Z_BUF_ERROR: "encoding",
};

function failure(error: unknown, otherwise: "broken" | "unexpected" = "unexpected"): TransportFailure {
  if (error instanceof TransportFailure) return error;
  // An error can be its own cause.
  let cause = error;
  for (let depth = 0; depth < 4 && typeof cause === "object" && cause !== null; depth += 1) {
    const code: unknown = (cause as { code?: unknown }).code;
    const kind = typeof code === "string" ? KINDS[code] : undefined;
    if (kind !== undefined) return new TransportFailure(kind);
    if (typeof code === "string" && code.startsWith("ERR_SSL_")) return new TransportFailure("tls");
    cause = (cause as { cause?: unknown }).cause;
  }
  if (globalThis.navigator?.onLine === false) return new TransportFailure("offline");
  return new TransportFailure(otherwise);
}
