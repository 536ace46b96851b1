// What an app's own HTTP stack must do.

/**
 * Sends HTTP requests. An implementation follows no redirect, returns the body after inflating, and ends the request when `signal` is
 * aborted. If it never answers, saldo goes on after `timeoutMs`.
 */
export interface HttpTransport {
  /** Sends `request` and waits for the whole response. A response with an error status is a response. Throws `TransportFailure`. */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
}

/** One HTTP request. */
export interface HttpRequest {
  readonly method: "GET" | "POST";
  /** The URL. It is a secret, because it may carry an API key: do not log it. */
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The body; empty for `GET`. */
  readonly body: Uint8Array;
  /** The time limit, from connecting to the last byte of the response. */
  readonly timeoutMs: number;
  /** The size limit of the response's body after inflating, in bytes. Stop reading beyond it. */
  readonly maxBytes: number;
}

/** An HTTP response with any status. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Iterable<readonly [name: string, value: string]>;
  /** The body after inflating. */
  readonly body: Uint8Array;
}
