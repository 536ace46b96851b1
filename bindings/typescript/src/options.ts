// The settings of a client.

import type { Checkpoint } from "./block.js";
import type { Clock } from "./clock.js";
import type { LogLine } from "./health.js";
import type { Hex } from "./hex.js";
import type { Storage } from "./storage.js";
import type { HttpTransport } from "./transport.js";

/** A provider, a beacon source, a checkpoint source or a mirror: its URL, or more about it. */
export type EndpointInput = string | Endpoint;

/** An endpoint, as the app declares it. */
export interface Endpoint {
  /** The URL. It is a secret: no output shows more of it than the host. */
  readonly url: string;
  /** The name in every output; by default the host. */
  readonly name?: string | undefined;
  /** The operator. Two endpoints of one operator count as one witness. By default the host. */
  readonly operator?: string | undefined;
  /** The hosting company, or company and region. */
  readonly hosting?: string | undefined;
  /** The company of its edge (a content delivery network). */
  readonly edge?: string | undefined;
}

/** What a reading must satisfy, and the limits of a read. */
export interface Policy {
  /** Whether only finalized blocks count. They are 13 to 20 minutes old on mainnet, and up to 8 days on a rollup. */
  readonly finalized: boolean;
  /** How old the block may be, in seconds; by default 300, or 1,800 for finalized blocks; of a rollup 3 hours, or 8 days. */
  readonly maxAgeSeconds: number | undefined;
  /** How long a read may take. By default 4,000, of a rollup 8,000. */
  readonly deadlineMs: number | undefined;
  /** How many operators may see one address while one of them proves its balance. By default 2. */
  readonly operatorsPerAddress: number;
  /** Whether no more operators may see an address even if these prove nothing. */
  readonly strict: boolean;
}

/** How many requests the watches of a client may make: `background` proves again every 30 minutes, `paused` makes none. */
export type Pace = "foreground" | "background" | "paused";

/** Where the module comes from, if it is not the file beside the code. */
export type WasmSource = WebAssembly.Module | URL | string | Response | Uint8Array | ArrayBuffer;

/** The settings of a network. Only `network` and some endpoints are needed. */
export interface NetworkOptions {
  /**
   * A built-in network (`mainnet`, `sepolia`, `hoodi`, `gnosis`), or the text of a network file. Among `others` also a rollup (`base`,
   * `base-sepolia`, `op`, `op-sepolia`, `unichain`, `ink`), or the text of a rollup's profile: it needs providers only, and its L1 in the same
   * client.
   */
  readonly network: string;
  /** The providers of proofs. */
  readonly rpc?: EndpointInput | readonly EndpointInput[] | undefined;
  /** The beacon sources of light-client data. */
  readonly beacon?: EndpointInput | readonly EndpointInput[] | undefined;
  /** Mirrors of light-client data: plain files under a URL. */
  readonly mirrors?: EndpointInput | readonly EndpointInput[] | undefined;
  /** A finalized block that the app vouches for. It is used first. */
  readonly checkpoint?: Checkpoint | Hex | undefined;
  /** Who is asked which block trust starts from, if no checkpoint is given or it is too old. */
  readonly checkpointSources?: EndpointInput | readonly EndpointInput[] | undefined;
  /** How many operators of the checkpoint sources must agree; 2 by default. */
  readonly agreement?: number | undefined;
  /** Whether to add the built-in endpoints of the network. Their operators see the addresses that are read. */
  readonly useDirectory?: boolean | undefined;
  /** More endpoints, as the text of a directory file. */
  readonly directoryFile?: string | undefined;
  /** What a reading must satisfy; by default a signed block, at most 5 minutes old; of a rollup one of which Ethereum checked a proof. */
  readonly policy?: Partial<Policy> | undefined;
  /** The number of operators that must run the providers, and the beacon sources. */
  readonly minimumOperators?: number | undefined;
}

/** The settings of a client: those of its first network, and its own. */
export interface ClientOptions extends NetworkOptions {
  /**
   * The further networks of the client, each with endpoints, trust and a policy of its own. A holding names its network (`chainId`), so calls
   * about holdings take those of all networks together. Keep the first network the first: the storage is shared.
   */
  readonly others?: readonly NetworkOptions[] | undefined;
  /** Where what is proven is kept. By default in memory: nothing is remembered after the end of the page or the process. */
  readonly storage?: Storage | undefined;
  /** 32 secret bytes. Stored records without a code by this key are dropped. */
  readonly storageKey?: Uint8Array | undefined;
  /** Whether the storage must not be written. */
  readonly isStorageReadOnly?: boolean | undefined;
  /** The app's `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The app's own HTTP stack, in place of `fetch`. */
  readonly transport?: HttpTransport | undefined;
  /** The app's own clock. */
  readonly clock?: Clock | undefined;
  /** Takes the lines of the log. */
  readonly log?: ((lines: readonly LogLine[]) => void | Promise<void>) | undefined;
  /** The least important lines that the log gets. By default `info`. */
  readonly logLevel?: "error" | "warn" | "info" | "debug" | "trace" | undefined;
  /** Where `saldo.wasm` is, with `others` where `saldo-rollup.wasm` is, if the bundler does not find them beside the code. */
  readonly wasm?: WasmSource | undefined;
}

/** What every call can be given. */
export interface CallOptions {
  /** Ends the call, with an `AbortError`: the one way in which a read rejects. */
  readonly signal?: AbortSignal | undefined;
}
