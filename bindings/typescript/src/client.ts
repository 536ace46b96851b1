// The client: the object that an app keeps and calls.

import type { Checkpoint } from "./block.js";
import type { Claim, Verdict } from "./claim.js";
import { systemClock } from "./clock.js";
import { SetupError, abortError, isAborted } from "./errors.js";
import { FetchTransport } from "./fetch-transport.js";
import type { ConsensusFault, Diversity, Evidence, Health, StorageFault } from "./health.js";
import type { Address, Hex } from "./hex.js";
import type { Holding, HoldingInput } from "./holding.js";
import { MemoryStorage } from "./memory-storage.js";
import { compile } from "./module.js";
import * as lift from "./native/lift.js";
import * as record from "./native/lift-record.js";
import * as lower from "./native/lower.js";
import { Life } from "./native/life.js";
import type { NativeClient, Running } from "./native/running.js";
import type { CallOptions, ClientOptions, Pace, Policy } from "./options.js";
import type { AccountReading, Freshness, HeldReading, Now, Proven, Reading } from "./reading.js";
import type { TokenList, TokenReading } from "./token.js";
import type { Total } from "./total.js";
import { Watch } from "./watch.js";
import { CLOSED, INTERNAL_FAULT } from "./why.js";
import type { Why } from "./why.js";

/** How long a watch waits before it begins again after a fault. */
const REST_MS = 1_000;

/**
 * Makes a client. It opens no connection: the first read does. Keep one: it can read several networks.
 *
 * Rejects with `SetupError` if a setting is missing or cannot be used, or the module cannot be loaded.
 */
export function createClient(options: ClientOptions): Promise<Client> {
  return Client.create(options);
}

/**
 * Reads what addresses hold and proves it.
 *
 * A read rejects in one case: its signal was aborted (`AbortError`). What cannot be known is a reading with the state `unknown`, also after
 * `shutdown` (`closed`), and when the module trapped (`internal_fault`): then it is replaced, and goes on from the storage.
 */
export class Client {
  /** The chain id (EIP-155) of the network that calls which name none are about: the first one, or that of `on`. */
  readonly chainId: number;
  /** The chain ids of all networks of the client, in the order in which they were given. */
  readonly chainIds: readonly number[];
  /** What a reading must satisfy. */
  readonly policy: Policy;
  readonly #life: Life;

  private constructor(life: Life, chainId: number, policy: Policy) {
    this.#life = life;
    this.chainId = chainId;
    this.chainIds = Object.freeze([...life.policies.keys()]);
    this.policy = policy;
  }

  /** @internal */
  static async create(options: ClientOptions): Promise<Client> {
    const life = await Life.begin({
      module: await compile(options.wasm, (options.others ?? []).length > 0),
      options: { ...options },
      clock: options.clock ?? systemClock,
      transport: options.transport ?? new FetchTransport(options.fetch),
      storage: options.storage ?? new MemoryStorage(),
    });
    const { client } = life.running;
    return new Client(life, Number(client.networkId()), record.policy(client.policy()));
  }

  /**
   * Returns this client for calls about the network `chainId`; `undefined` if it is none of its networks. It is no second client:
   * `shutdown` of either ends both.
   */
  on(chainId: number): Client | undefined {
    const policy = this.#life.policies.get(chainId);
    return policy === undefined ? undefined : new Client(this.#life, chainId, policy);
  }

  /** Reads the balance of `address` in wei, or of the `token` in its base units. Completes at the policy's deadline at the latest. */
  async getBalance(
    given: { address: Address; token?: Address | undefined; blockTag?: "latest" | "finalized" | undefined } & CallOptions,
  ): Promise<Reading> {
    const holdings = [{ owner: given.address, token: given.token }];
    const read = given.blockTag === "finalized" ? this.finalized(holdings, given) : this.read(holdings, given);
    return (await read)[0] ?? lift.unknownFor(INTERNAL_FAULT);
  }

  /** Reads the account of `address`: the balance, and the nonce that the same proof shows. */
  async getAccount(given: { address: Address } & CallOptions): Promise<AccountReading> {
    const ask = async (client: NativeClient, options: Options): Promise<AccountReading> =>
      lift.account(await client.account(String(given.address), options));
    return this.#ask(given, ask, (why) => ({ balance: lift.unknownFor(why), nonce: undefined }));
  }

  /** Reads all `holdings`, in the same order. Completes at the policy's deadline at the latest. */
  async read(holdings: readonly HoldingInput[], options: CallOptions = {}): Promise<readonly Reading[]> {
    return this.#readings(holdings, options, (client, wires, signal) => client.read(wires, signal));
  }

  /** Reads all `holdings` until each is proven, waiting cannot help, or `patienceMs` is over. */
  async readPatiently(
    holdings: readonly HoldingInput[],
    options: { patienceMs: number } & CallOptions,
  ): Promise<readonly Reading[]> {
    const patience = lower.whole(options.patienceMs, "patienceMs");
    return this.#readings(holdings, options, (client, wires, signal) => client.readPatiently(wires, patience, signal));
  }

  /** Reads the newest amount of each holding at a finalized block, 13 to 20 minutes old on mainnet. */
  async finalized(holdings: readonly HoldingInput[], options: CallOptions = {}): Promise<readonly Reading[]> {
    return this.#readings(holdings, options, (client, wires, signal) => client.finalized(wires, signal));
  }

  /**
   * Checks amounts that the app has from elsewhere, and gives a verdict for each, in the same order. Completes at twice the policy's deadline
   * at the latest. A claim that cannot be checked is never confirmed, a claimed zero neither.
   */
  async check(claims: readonly Claim[], options: CallOptions = {}): Promise<readonly Verdict[]> {
    return this.#verdicts(claims, options, undefined);
  }

  /** Checks `claims` until each is settled, waiting cannot help, or `patienceMs` is over. */
  async checkPatiently(
    claims: readonly Claim[],
    options: { patienceMs: number } & CallOptions,
  ): Promise<readonly Verdict[]> {
    return this.#verdicts(claims, options, lower.whole(options.patienceMs, "patienceMs"));
  }

  /** Looks at a token: its code, its proxy, and how its balances can be proven, or why not. It has no amount, and names no owner. */
  async getToken(given: { token: Address } & CallOptions): Promise<TokenReading> {
    const ask = async (client: NativeClient, options: Options): Promise<TokenReading> =>
      record.tokenReading(await client.token(String(given.token), options));
    return this.#ask(given, ask, (why) => ({ token: given.token, proven: undefined, why, attempts: [] }));
  }

  /**
   * Reads a token list in the Uniswap schema: the tokens of this network, with what the list declares of each. It proves nothing.
   *
   * Rejects with `SetupError` if it is no such list, or the client was shut down.
   */
  async readTokenList(json: string | Uint8Array, options: CallOptions = {}): Promise<TokenList> {
    const bytes = typeof json === "string" ? new TextEncoder().encode(json) : json;
    const ask = async (client: NativeClient, signal: Options): Promise<TokenList> =>
      record.tokenList(await client.tokenList(bytes, signal));
    return this.#ask(options, ask, refuse);
  }

  /** Returns the last proven amount of `holding`; `undefined` is not zero. Makes no request. */
  async last(holding: HoldingInput, options: CallOptions = {}): Promise<Proven | undefined> {
    const wire = lower.holding(holding, this.chainId);
    return this.#look(options, async (client, signal) => lift.optional(lift.proven, await client.last(wire, signal)));
  }

  /** Returns the withdrawn amount of `holding`, if none has been proven since: a reorganisation removed its block. */
  async withdrawn(holding: HoldingInput, options: CallOptions = {}): Promise<Proven | undefined> {
    const wire = lower.holding(holding, this.chainId);
    return this.#look(options, async (client, signal) => lift.optional(lift.proven, await client.withdrawn(wire, signal)));
  }

  /** Watches `holdings`. A holding that is named twice counts once. */
  watch(holdings: readonly HoldingInput[], options: CallOptions = {}): Watch {
    const watched = {
      chainId: this.chainId,
      running: async () => (this.#life.isClosed ? undefined : this.#life.live()),
      rest: () => this.#life.parts.clock.sleep(REST_MS, options.signal ?? new AbortController().signal),
    };
    return Watch.of(watched, holdings, options);
  }

  /** Reads every holding that is watched, was proven before, or was stored, and stores the results. Completes after `withinMs` at the latest. */
  async refresh(options: { withinMs: number } & CallOptions): Promise<readonly HeldReading[]> {
    const within = lower.whole(options.withinMs, "withinMs");
    const ask = async (client: NativeClient, signal: Options): Promise<HeldReading[]> => {
      const held = (await client.refresh(within, signal)).map(lift.held);
      // What was proven is to be written before a service worker may be killed.
      await client.storageFaults(signal);
      return held;
    };
    return this.#ask(options, ask, () => []);
  }

  /** Adds up what is known of `holdings` by network and asset. Makes no request. */
  async totals(holdings: readonly HoldingInput[], options: CallOptions = {}): Promise<readonly Total[]> {
    const wires = holdings.map((holding) => lower.holding(holding, this.chainId));
    return this.#ask(options, async (client, signal) => (await client.totals(wires, signal)).map(lift.total), () => []);
  }

  /** Returns the state of the client for a status screen; `undefined` if the module trapped. Makes no request. */
  async health(options: CallOptions = {}): Promise<Health | undefined> {
    const ask = async (client: NativeClient, signal: Options): Promise<Health | undefined> =>
      record.health(await client.health(signal));
    return this.#ask(options, ask, (why) => (why === CLOSED ? CLOSED_HEALTH : undefined));
  }

  /** Returns the newest proofs that were false under the exact block of the request. */
  async evidence(options: CallOptions = {}): Promise<readonly Evidence[]> {
    return this.#ask(options, async (client, signal) => (await client.evidence(signal)).map(record.evidence), () => []);
  }

  /** Returns how many operators and hosting companies are behind the endpoints, as declared. */
  async diversity(options: CallOptions = {}): Promise<readonly Diversity[]> {
    return this.#ask(options, async (client, signal) => (await client.diversity(signal)).map(record.diversity), () => []);
  }

  /** Lists what was dropped from the storage because it did not verify, and what could not be written. Waits for writes that have begun. */
  async storageFaults(options: CallOptions = {}): Promise<readonly StorageFault[]> {
    const ask = async (client: NativeClient, signal: Options): Promise<StorageFault[]> =>
      (await client.storageFaults(signal)).map(record.storageFault);
    return this.#ask(options, ask, () => []);
  }

  /** Returns the contradiction that makes every reading `consensus_fault`. Only `startAgain` removes it. */
  async consensusFault(options: CallOptions = {}): Promise<ConsensusFault | undefined> {
    return this.#look(options, async (client, signal) =>
      lift.optional(record.consensusFault, await client.consensusFault(signal)),
    );
  }

  /** Returns the time that the protocol uses; `undefined` after `shutdown`. */
  async now(options: CallOptions = {}): Promise<Now | undefined> {
    return this.#look(options, async (client, signal) => lift.optional(lift.now, await client.now(signal)));
  }

  /** Returns how old a proven amount is, by the policy for the level of its block on its network. */
  async freshness(proven: Proven, options: CallOptions = {}): Promise<Freshness> {
    const { chainId, timestamp, assurance } = proven.block;
    const ask = async (client: NativeClient, signal: Options): Promise<Freshness> =>
      lift.freshness(await client.freshness(BigInt(chainId), BigInt(timestamp), assurance.level, signal));
    return this.#ask(options, ask, () => ({ code: "unknown", ageSeconds: undefined }));
  }

  /** Returns `text` as an address with its EIP-55 checksum; `undefined` if it is not an address, or has a wrong checksum. */
  getAddress(text: string): Address | undefined {
    const { saldo, guard } = this.#life.running;
    return guard.isTrapped ? undefined : (saldo.normalizeAddress(text) as Address | undefined);
  }

  /** Returns the holding of the network's own coin by `owner`. */
  native(owner: Address): Holding {
    return { chainId: this.chainId, owner, token: undefined };
  }

  /** Tells the client that the device's network changed. */
  networkChanged(isOnline: boolean): void {
    this.#life.told.isOnline = isOnline;
    this.#life.tell(({ client }) => client.networkChanged(isOnline));
  }

  /** Sets how many requests the watches of this client may make from now on. */
  setPace(pace: Pace): void {
    this.#life.told.pace = pace;
    this.#life.tell(({ client, saldo }) => client.setPace(lower.pace(saldo, pace)));
  }

  /** Drops all data about `holding`, in the storage too. Call it when the user removes an account. */
  async forget(holding: HoldingInput, options: CallOptions = {}): Promise<void> {
    const wire = lower.holding(holding, this.chainId);
    return this.#ask(options, (client, signal) => client.forget(wire, signal), () => {});
  }

  /**
   * Restarts trust from `checkpoint`, which the app vouches for. Every reading is dropped.
   *
   * Rejects with `SetupError` if the checkpoint is malformed, or the client was shut down.
   */
  async startAgain(checkpoint: Checkpoint | Hex, options: CallOptions = {}): Promise<void> {
    const wire = lower.checkpoint(checkpoint);
    return this.#ask(options, (client, signal) => client.startAgain(wire, signal), refuse);
  }

  /**
   * Takes a newer table of the same chain: a built-in name, or the text of a network file.
   *
   * Rejects with `SetupError` if the table cannot be read or is of another chain, or the client was shut down. Nothing changes then.
   */
  async adopt(network: string, options: CallOptions = {}): Promise<void> {
    await this.#ask(options, (client, signal) => client.adopt(network, signal), refuse);
    this.#life.told.networks.set(this.chainId, network);
  }

  /** Ends the client: pending calls end at once. Every later reading is `closed`. A second call does nothing. */
  async shutdown(): Promise<void> {
    await this.#life.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #ask<T>(
    { signal }: CallOptions,
    ask: (client: NativeClient, options: Options) => Promise<T>,
    otherwise: (why: Why) => T,
  ): Promise<T> {
    if (isAborted(signal)) throw abortError(signal);
    if (this.#life.isClosed) return otherwise(CLOSED);
    let running: Running | undefined;
    try {
      running = await this.#life.live();
      return await ask(running.on(this.chainId), signal === undefined ? undefined : { signal });
    } catch (error) {
      if (isAborted(signal)) throw abortError(signal);
      const setup = running === undefined ? undefined : lift.setupError(running.saldo, error);
      if (setup !== undefined) throw setup;
      if (error instanceof SetupError) throw error;
      // A result that the bindings cannot read is a fault as a trap is: the instance is not used any more.
      running?.guard.end(error);
      return otherwise(this.#life.isClosed ? CLOSED : INTERNAL_FAULT);
    } finally {
      if (running !== undefined) this.#life.settle(running);
    }
  }

  async #look<T>(
    options: CallOptions,
    look: (client: NativeClient, options: Options) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    return this.#ask(options, look, () => undefined);
  }

  async #readings(
    holdings: readonly HoldingInput[],
    options: CallOptions,
    read: (client: NativeClient, wires: Wires, options: Options) => ReturnType<NativeClient["read"]>,
  ): Promise<readonly Reading[]> {
    const wires = holdings.map((holding) => lower.holding(holding, this.chainId));
    const ask = async (client: NativeClient, signal: Options): Promise<Reading[]> =>
      (await read(client, wires, signal)).map(lift.reading);
    return this.#ask(options, ask, (why) => holdings.map(() => lift.unknownFor(why)));
  }

  async #verdicts(
    claims: readonly Claim[],
    options: CallOptions,
    patience: bigint | undefined,
  ): Promise<readonly Verdict[]> {
    const wires = claims.map((claim) => lower.claim(claim, this.chainId));
    const ask = async (client: NativeClient, signal: Options): Promise<Verdict[]> => {
      const verdicts =
        patience === undefined ? client.check(wires, signal) : client.checkPatiently(wires, patience, signal);
      return (await verdicts).map(lift.verdict);
    };
    const notChecked = (why: Why): Verdict => ({ verdict: "not_checked", unknown: lift.unknownFor(why) });
    return this.#ask(options, ask, (why) => claims.map(() => notChecked(why)));
  }
}

type Options = { signal: AbortSignal } | undefined;
type Wires = Parameters<NativeClient["read"]>[0];

/** The health of a client that was shut down. */
const CLOSED_HEALTH: Health = Object.freeze({
  isClosed: true,
  isOffline: false,
  isClockOff: false,
  isFaulted: false,
  storageFaults: 0,
  heads: undefined,
  rollup: undefined,
  endpoints: [],
  failedTogether: [],
});

/** What sets up a client says by an error that it did nothing. */
function refuse(why: Why): never {
  throw new SetupError(why.code, why.text);
}
