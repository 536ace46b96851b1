// The app's parts, as the bindings call them. Whatever a part throws or returns, the library gets an answer that it knows.

import type * as wire from "../../generated/types/saldo_ffi.js";

import type { Clock } from "../clock.js";
import { StorageFailure, TransportFailure } from "../errors.js";
import type { ClientOptions } from "../options.js";
import type { Storage } from "../storage.js";
import type { HttpTransport } from "../transport.js";
import type { Guard } from "./guard.js";

type Saldo = typeof wire;
type Signal = { signal: AbortSignal } | undefined;

/** Runs `work` with a signal that is aborted with the given one, or when the instance has ended. */
async function until<T>(given: Signal, guard: Guard, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const either = new AbortController();
  const abort = (): void => either.abort();
  given?.signal.addEventListener("abort", abort, { once: true });
  const forget = guard.onEnd(abort);
  if (given?.signal.aborted === true) abort();
  try {
    return await work(either.signal);
  } finally {
    given?.signal.removeEventListener("abort", abort);
    forget();
  }
}

export function clock(given: Clock, guard: Guard): wire.Clock {
  return {
    wallMs: () => milliseconds(given.now()),
    monotonicMs: () => milliseconds(given.monotonic()),
    sleep: (duration: bigint, options?: Signal) =>
      until(options, guard, async (signal) => {
        if (!signal.aborted) await given.sleep(Number(duration), signal);
      }),
  };
}

function milliseconds(time: number): bigint {
  return BigInt(Math.max(0, Math.trunc(time)));
}

export function transport(saldo: Saldo, given: HttpTransport, guard: Guard): wire.HttpTransport {
  return {
    send: async (request: wire.HttpRequest, options?: Signal) => {
      try {
        const { method, url, headers, body, timeoutMs, maxBytes } = request;
        const asked = {
          method: method as "GET" | "POST",
          url,
          headers: headers.map(({ name, value }): [string, string] => [name, value]),
          body: new Uint8Array(body),
          timeoutMs: Number(timeoutMs),
          maxBytes: Number(maxBytes),
        };
        const response = await until(options, guard, (signal) => given.send(asked, signal));
        if (!Number.isInteger(response.status) || response.status < 0 || response.status > 65_535) throw undefined;
        if (!(response.body instanceof Uint8Array)) throw undefined;
        return {
          status: response.status,
          headers: [...response.headers].map(([name, value]) => ({ name: String(name), value: String(value) })),
          body: response.body,
        };
      } catch (error) {
        throw transportFailure(saldo, error);
      }
    },
  };
}

function transportFailure(saldo: Saldo, error: unknown): unknown {
  const kinds = saldo.TransportFailure;
  if (!(error instanceof TransportFailure)) return new kinds.Unexpected({ detail: named(error) });
  switch (error.kind) {
    case "offline":
      return new kinds.Offline();
    case "dns":
      return new kinds.Dns();
    case "connect":
      return new kinds.Connect();
    case "tls":
      return new kinds.Tls();
    case "tls_untrusted_issuer":
      return new kinds.TlsUntrustedIssuer();
    case "tls_other_name":
      return new kinds.TlsOtherName();
    case "tls_expired":
      return new kinds.TlsExpired();
    case "tls_not_yet_valid":
      return new kinds.TlsNotYetValid();
    case "tls_revoked":
      return new kinds.TlsRevoked();
    case "tls_old_version":
      return new kinds.TlsOldVersion();
    case "tls_plain_http":
      return new kinds.TlsPlainHttp();
    case "tls_expected":
      return new kinds.TlsExpected();
    case "timeout":
      return new kinds.Timeout();
    case "broken":
      return new kinds.Broken();
    case "redirect":
      return new kinds.Redirect({ status: error.status });
    case "too_large":
      return new kinds.TooLarge();
    case "encoding":
      return new kinds.Encoding();
    default:
      return new kinds.Unexpected({ detail: named(error) });
  }
}

export function storage(saldo: Saldo, given: Storage): wire.Storage {
  return {
    load: async () => {
      try {
        const { entries, version } = await given.load();
        return { entries: [...entries].map(([name, value]) => ({ name, value: bytes(value) })), version: BigInt(version) };
      } catch (error) {
        throw storageFailure(saldo, error);
      }
    },
    apply: async (changes: wire.StorageChange[], expectedVersion: bigint) => {
      try {
        // Copied: the storage may keep them.
        const given_ = changes.map(({ name, value }) => ({
          name,
          value: value === undefined ? undefined : new Uint8Array(value),
        }));
        const { version, written, checksum } = await given.apply(given_, expectedVersion);
        return { version: BigInt(version), written: written >>> 0, checksum: checksum >>> 0 };
      } catch (error) {
        throw storageFailure(saldo, error);
      }
    },
  };
}

function bytes(given: Uint8Array): Uint8Array {
  if (!(given instanceof Uint8Array)) throw new StorageFailure("damaged");
  return given;
}

function storageFailure(saldo: Saldo, error: unknown): unknown {
  const kinds = saldo.StorageFailure;
  if (!(error instanceof StorageFailure)) return new kinds.Unexpected({ detail: named(error) });
  switch (error.kind) {
    case "conflict":
      return new kinds.Conflict();
    case "read_only":
      return new kinds.ReadOnly();
    case "in_use":
      return new kinds.InUse();
    case "damaged":
      return new kinds.Damaged();
    case "full":
      return new kinds.Full();
    default:
      return new kinds.Unexpected({ detail: named(error) });
  }
}

export function log(saldo: Saldo, given: NonNullable<ClientOptions["log"]>): wire.LogSink {
  return {
    write: async (lines: wire.LogLine[]) => {
      try {
        await given(lines.map((line) => Object.freeze({ ...line })));
      } catch (error) {
        throw new saldo.LogFailure.Unexpected({ detail: named(error) });
      }
    },
  };
}

/** The name of the error's class alone: its text could hold a URL. */
function named(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error;
}
