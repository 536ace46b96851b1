// What is thrown. Not knowing an amount is never thrown: it is a reading.

/** A setting cannot be used. The caller's fault. Only what sets up a client throws it. */
export class SetupError extends Error {
  override readonly name = "SetupError";
  /** A stable name, in snake case. */
  readonly code: string;

  constructor(code: string, text: string, options?: ErrorOptions) {
    super(text, options);
    this.code = code;
  }
}

/** Why there is no HTTP response. */
export type TransportFailureKind =
  | "offline"
  | "dns"
  | "connect"
  | "tls"
  | "tls_untrusted_issuer"
  | "tls_other_name"
  | "tls_expired"
  | "tls_not_yet_valid"
  | "tls_revoked"
  | "tls_old_version"
  | "tls_plain_http"
  | "tls_expected"
  | "timeout"
  | "broken"
  | "redirect"
  | "too_large"
  | "encoding"
  | "unexpected";

/** There is no HTTP response. A transport throws it; whatever else it throws is `unexpected`. */
export class TransportFailure extends Error {
  override readonly name = "TransportFailure";
  readonly kind: TransportFailureKind;
  /** The HTTP status code, for `redirect`. */
  readonly status: number;

  constructor(kind: TransportFailureKind, options: { status?: number; detail?: string } = {}) {
    super(options.detail ?? kind);
    this.kind = kind;
    this.status = options.status ?? 0;
  }
}

/** Why the storage cannot be read or written. */
export type StorageFailureKind = "conflict" | "read_only" | "in_use" | "damaged" | "full" | "unexpected";

/** The storage cannot be read or written. A storage throws it; whatever else it throws is `unexpected`. */
export class StorageFailure extends Error {
  override readonly name = "StorageFailure";
  readonly kind: StorageFailureKind;

  constructor(kind: StorageFailureKind, detail?: string) {
    super(detail ?? kind);
    this.kind = kind;
  }
}

/** The one way in which a read rejects: its signal was aborted. `cause` is the reason of the signal. */
export function abortError(signal: AbortSignal): DOMException {
  const error = new DOMException("the call was aborted", "AbortError");
  Object.defineProperty(error, "cause", { value: signal.reason, configurable: true });
  return error;
}

/** Whether the app has aborted. A function, because the answer changes while a call waits. */
export function isAborted(signal: AbortSignal | undefined): signal is AbortSignal {
  return signal !== undefined && signal.aborted;
}
