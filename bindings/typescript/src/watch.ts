// The watch: what a screen shows while it is open.

import type { Change } from "./change.js";
import { abortError, isAborted } from "./errors.js";
import type { HoldingInput } from "./holding.js";
import * as lift from "./native/lift.js";
import * as lower from "./native/lower.js";
import type { Running } from "./native/running.js";
import type { CallOptions } from "./options.js";

/** @internal What a watch needs of its client. */
export interface Watched {
  /** Returns an instance that has not trapped, or `undefined` after the end of the client. */
  running(): Promise<Running | undefined>;
  /** Waits before a watch begins again after a fault. */
  rest(): Promise<void>;
  readonly chainId: number;
}

/** A watch of the bindings, and the instance that it belongs to. */
interface Opened {
  readonly running: Running;
  readonly watch: ReturnType<Running["client"]["watch"]>;
}

/**
 * Watches the readings of some holdings, for as long as the app iterates:
 *
 * ```ts
 * for await (const change of client.watch([{ owner }])) show(change);
 * ```
 *
 * Between two steps it makes no request. Leaving the loop ends it. It ends by itself when the client is shut down, and rejects with an
 * `AbortError` when its signal is aborted.
 */
export class Watch implements AsyncIterable<Change> {
  readonly #watched: Watched;
  readonly #holdings: ReturnType<typeof lower.holding>[];
  readonly #signal: AbortSignal | undefined;
  #opened: Opened | undefined;
  /** The number of the last batch that arrived here. The library repeats what came after it. */
  #received = 0n;

  private constructor(watched: Watched, holdings: readonly HoldingInput[], options: CallOptions) {
    this.#watched = watched;
    this.#holdings = holdings.map((holding) => lower.holding(holding, watched.chainId));
    this.#signal = options.signal;
  }

  /** @internal Made by `Client.watch`. */
  static of(watched: Watched, holdings: readonly HoldingInput[], options: CallOptions): Watch {
    return new Watch(watched, holdings, options);
  }

  /** Yields one change after another. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Change, void, void> {
    for await (const changes of this.batches()) yield* changes;
  }

  /** Yields all changes that are known at one moment together. A screen that applies them together shows no sum of old and new amounts. */
  async *batches(): AsyncGenerator<readonly Change[], void, void> {
    try {
      for (;;) {
        const changes = await this.next();
        if (changes.length === 0) return;
        yield changes;
      }
    } finally {
      this.close();
    }
  }

  /**
   * Waits for the next changes; empty if the client was shut down. A wait that is aborted loses nothing: the next one reports the changes
   * again, from the state of that moment.
   */
  async next({ signal = this.#signal }: CallOptions = {}): Promise<readonly Change[]> {
    if (isAborted(signal)) throw abortError(signal);
    let opened: Opened | undefined;
    try {
      const running = await this.#watched.running();
      if (running === undefined) return [];
      opened = this.#open(running);
      const batch = await opened.watch.nextAll(this.#received, signal === undefined ? undefined : { signal });
      const changes = batch.changes.map(lift.change);
      if (this.#opened === opened) this.#received = batch.number;
      return changes;
    } catch (error) {
      if (isAborted(signal)) throw abortError(signal);
      opened?.running.guard.end(error);
    }
    // The module trapped. What is stored is not lost: the new watch reports every holding anew.
    await this.#watched.rest();
    return [Object.freeze<Change>({ kind: "other", text: "a fault in saldo itself; the watch has begun again" })];
  }

  /** Ends the watch. The next step would begin it again. */
  close(): void {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#received = 0n;
    if (opened !== undefined && !opened.running.guard.isTrapped) release(opened.watch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #open(running: Running): Opened {
    if (this.#opened?.running === running) return this.#opened;
    this.#received = 0n;
    this.#opened = { running, watch: running.client.watch(this.#holdings) };
    return this.#opened;
  }
}

/** Drops the native watch now, and with it its requests, instead of when its memory is collected. */
function release(watch: Opened["watch"]): void {
  (watch as { uniffiDestroy?: () => void }).uniffiDestroy?.();
}
