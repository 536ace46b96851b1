// An EIP-1193 provider: what can be proven is proven, the rest is another provider's word.

import type { Client } from "./client.js";
import { abortable, balanceOf, blockTag, onlyAddress } from "./provider-params.js";
import type { ProvenTag } from "./provider-params.js";
import { ProviderError, notProven } from "./provider-error.js";
import type { HoldingInput } from "./holding.js";
import type { Proven } from "./reading.js";

export { ProviderError } from "./provider-error.js";
export type { ProviderErrorData } from "./provider-error.js";

/** A request, as EIP-1193 has it. */
export interface RequestArguments {
  readonly method: string;
  readonly params?: readonly unknown[] | object | undefined;
}

/** What is used of a provider by EIP-1193, and what `saldoProvider` returns. */
export interface Eip1193Provider {
  // viem, ethers and wagmi each have their own type of the arguments.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  request(args: any, options?: any): Promise<any>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  on?(event: any, listener: (...given: any[]) => void): unknown;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  removeListener?(event: any, listener: (...given: any[]) => void): unknown;
}

/** How each method is answered. Every other method goes to the inner provider. */
export const METHODS = Object.freeze({
  /** Proven, or an error with the code -32050. */
  proven: Object.freeze(["eth_getBalance", "eth_getTransactionCount", "eth_call (balanceOf alone)"]),
  /** As the client was configured. */
  configured: Object.freeze(["eth_chainId", "net_version"]),
});

/** How long the first request waits for the chain of the inner provider. */
const CHAIN_PATIENCE_MS = 1_000;

/**
 * Returns a provider by EIP-1193. `eth_getBalance`, `eth_getTransactionCount` and an `eth_call` of `balanceOf` are proven, at `latest` or
 * `finalized`, or fail: with -32050 if it is not known, and with -32004 at a block that is never proven here. Every other method goes to
 * `inner`, and its answer is the word of `inner`; without `inner` it fails with 4200.
 */
export function saldoProvider(client: Client, inner?: Eip1193Provider): Eip1193Provider {
  return new SaldoProvider(client, inner);
}

class SaldoProvider implements Eip1193Provider {
  readonly #client: Client;
  readonly #inner: Eip1193Provider | undefined;
  /** The chain of the inner provider, once it is known. */
  #chainId: number;
  #asked: Promise<void> | undefined;

  constructor(client: Client, inner: Eip1193Provider | undefined) {
    this.#client = client;
    this.#inner = inner;
    this.#chainId = client.chainId;
    inner?.on?.("chainChanged", (chainId: unknown) => this.#moved(chainId));
  }

  async request(args: RequestArguments, options?: unknown): Promise<unknown> {
    const params: readonly unknown[] = Array.isArray(args.params) ? args.params : [];
    switch (args.method) {
      case "eth_chainId":
        await this.#settled();
        return quantity(BigInt(this.#chainId));
      case "net_version":
        await this.#settled();
        return String(this.#chainId);
      case "eth_getBalance": {
        const { proven } = await this.#proven({ owner: onlyAddress(params[0]) }, blockTag(params[1]), options);
        return quantity(proven.amount);
      }
      case "eth_getTransactionCount": {
        // What is not in a block has no proof: a wallet that sends asks for it to choose a nonce.
        if (params[1] === "pending") return this.#pass(args, options);
        const { proven, holding } = await this.#proven({ owner: onlyAddress(params[0]) }, blockTag(params[1]), options);
        if (proven.nonce === undefined) throw notProven(undefined, `the proof of ${holding.owner} has no nonce`);
        return quantity(BigInt(proven.nonce));
      }
      case "eth_call": {
        const holding = balanceOf(params);
        if (holding === undefined) return this.#pass(args, options);
        const { proven } = await this.#proven(holding, blockTag(params[1]), options);
        return `0x${proven.amount.toString(16).padStart(64, "0")}`;
      }
      default:
        return this.#pass(args, options);
    }
  }

  on(event: string, listener: (...given: unknown[]) => void): this {
    this.#inner?.on?.(event, listener);
    return this;
  }

  removeListener(event: string, listener: (...given: unknown[]) => void): this {
    this.#inner?.removeListener?.(event, listener);
    return this;
  }

  async #proven(
    holding: HoldingInput,
    tag: ProvenTag,
    options: unknown,
  ): Promise<{ proven: Proven; holding: HoldingInput }> {
    await this.#settled();
    if (this.#chainId !== this.#client.chainId) {
      throw new ProviderError(4901, `saldo reads chain ${this.#client.chainId}, and the provider is at chain ${this.#chainId}`);
    }
    const signal = abortable(options);
    const given = signal === undefined ? {} : { signal };
    const read = tag === "finalized" ? this.#client.finalized([holding], given) : this.#client.read([holding], given);
    const [reading] = await read;
    if (reading?.state === "proven") return { proven: reading, holding };
    const freshness = reading?.last === undefined ? undefined : await this.#client.freshness(reading.last);
    throw notProven(reading, reading?.why.text ?? "there is no reading", freshness);
  }

  async #pass(args: RequestArguments, options: unknown): Promise<unknown> {
    if (this.#inner === undefined) {
      throw new ProviderError(4200, `saldo does not prove ${args.method}, and there is no other provider to ask`);
    }
    return options === undefined ? this.#inner.request(args) : this.#inner.request(args, options);
  }

  /** Learns the chain of the inner provider once, without depending on it: it may be down. */
  #settled(): Promise<void> {
    const inner = this.#inner;
    if (inner === undefined) return Promise.resolve();
    this.#asked ??= new Promise((resolve) => {
      const timer = setTimeout(resolve, CHAIN_PATIENCE_MS);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      inner.request({ method: "eth_chainId" }).then((chainId: unknown) => this.#moved(chainId)).then(done, done);
    });
    return this.#asked;
  }

  #moved(chainId: unknown): void {
    const value = Number(chainId);
    if (Number.isSafeInteger(value) && value > 0) this.#chainId = value;
  }
}

function quantity(value: bigint): `0x${string}` {
  return `0x${value.toString(16)}`;
}

