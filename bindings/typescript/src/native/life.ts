// The life of a client: its instance of the module, and the next one after a trap. All views of the client share it.

import type { Parts, Running, Told } from "./running.js";
import { start } from "./running.js";
import * as record from "./lift-record.js";
import type { Policy } from "../options.js";

/** One client, whose networks are views of it. */
export class Life {
  readonly parts: Parts;
  readonly told: Told = { networks: new Map() };
  /** The networks of the client by chain id, in the order in which they were given. */
  readonly policies: ReadonlyMap<number, Policy>;
  isClosed = false;
  #running: Running;
  #starting: Promise<Running> | undefined;
  #isSettling = false;

  private constructor(parts: Parts, running: Running) {
    this.parts = parts;
    this.#running = running;
    const policy = (id: bigint): [number, Policy] => [Number(id), record.policy(running.on(Number(id)).policy())];
    this.policies = new Map(running.client.networks().map(policy));
  }

  /** Makes the first instance. Rejects with `SetupError` if a setting cannot be used. */
  static async begin(parts: Parts): Promise<Life> {
    return new Life(parts, await start(parts, { networks: new Map() }));
  }

  /** The instance, also if it trapped. */
  get running(): Running {
    return this.#running;
  }

  /** Returns the instance, or a new one if it trapped. */
  async live(): Promise<Running> {
    if (!this.#running.guard.isTrapped) return this.#running;
    this.#starting ??= start(this.parts, this.told)
      .then((running) => (this.#running = running))
      .finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  /** Tells the instance something, if it has not trapped. */
  tell(tell: (running: Running) => void): void {
    if (this.isClosed || this.#running.guard.isTrapped) return;
    try {
      tell(this.#running);
    } catch (error) {
      this.#running.guard.end(error);
    }
  }

  /** Without threads, a write goes on only while a call waits. So one waits for what the last call left. */
  settle(running: Running): void {
    if (this.#isSettling || this.isClosed || running.guard.isTrapped) return;
    this.#isSettling = true;
    running.client
      .storageFaults()
      .catch((error: unknown) => running.guard.end(error))
      .finally(() => (this.#isSettling = false));
  }

  /** Ends it. A second call does nothing. */
  async end(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    const running = (await this.#starting?.catch(() => undefined)) ?? this.#running;
    try {
      if (!running.guard.isTrapped) await running.client.shutdown();
    } catch {
      // A trap ends it too.
    }
  }
}

