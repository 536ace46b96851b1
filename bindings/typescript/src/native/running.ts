// A running instance of the module with its client, and its replacement after a trap.

import type * as wire from "../../generated/types/saldo_ffi.js";

import { open } from "./bindings.js";
import type { Saldo } from "./bindings.js";
import { Guard } from "./guard.js";
import * as lift from "./lift.js";
import * as lower from "./lower.js";
import * as part from "./parts.js";
import type { Clock } from "../clock.js";
import type { ClientOptions, Pace } from "../options.js";
import type { Storage } from "../storage.js";
import type { HttpTransport } from "../transport.js";

/** What a client was given, which stays the same when its instance is replaced. */
export interface Parts {
  readonly module: WebAssembly.Module;
  readonly options: ClientOptions;
  readonly clock: Clock;
  readonly transport: HttpTransport;
  readonly storage: Storage;
}

/** What an app told its client and the storage does not keep. A new instance is told it again. */
export interface Told {
  isOnline?: boolean;
  pace?: Pace;
  /** The newer table of each network, by its chain id. */
  readonly networks: Map<number, string>;
}

/** The native client of the bindings. */
export type NativeClient = wire.SaldoClient;

/** One instance of the module, and the client in it. */
export interface Running {
  readonly saldo: Saldo;
  readonly client: NativeClient;
  readonly guard: Guard;
  /** The client for calls about one of its networks. */
  on(chainId: number): NativeClient;
}

/** Makes an instance. Throws `SetupError` if a setting cannot be used. */
export async function start(parts: Parts, told: Told): Promise<Running> {
  const { options } = parts;
  const guard = new Guard(await WebAssembly.instantiate(parts.module, {}));
  const panicked = (text: string): void => {
    const line = { level: "error", target: "saldo", text: text.split("\n", 1)[0] ?? "" };
    // What the app does with the line is its own affair.
    void (async () => options.log?.([line]))().catch(() => {});
  };
  const saldo = open(guard.exports, panicked);
  try {
    const client = saldo.SaldoClient.withClock(
      lower.config(options),
      part.clock(parts.clock, guard),
      part.transport(saldo, parts.transport, guard),
      part.storage(saldo, parts.storage),
      options.log === undefined ? undefined : part.log(saldo, options.log),
    ) as NativeClient;
    if (told.isOnline !== undefined) client.networkChanged(told.isOnline);
    if (told.pace !== undefined) client.setPace(lower.pace(saldo, told.pace));
    const on = views(client);
    for (const [chainId, network] of told.networks) await on(chainId).adopt(network);
    return { saldo, client, guard, on };
  } catch (error) {
    throw lift.setupError(saldo, error) ?? error;
  }
}

/** The views of a client by chain id, each made once. */
function views(client: NativeClient): Running["on"] {
  const made = new Map([[Number(client.networkId()), client]]);
  return (chainId) => {
    const view = made.get(chainId) ?? (client.on(BigInt(chainId)) as NativeClient | undefined);
    if (view === undefined) throw new RangeError(`the client has no network ${chainId}`);
    made.set(chainId, view);
    return view;
  };
}
