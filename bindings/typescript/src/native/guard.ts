// What stands between the bindings and an instance of the module: it notices a trap, and ends everything of the instance together.

/** The module trapped. Nothing of this instance can be used any more. */
export class Trapped extends Error {
  override readonly name = "Trapped";
}

type Call = (...given: unknown[]) => unknown;

/** UniFFI's "ready", which ends a wait for a Rust future. */
const READY = 0;

/** An instance whose functions end it when one of them throws. */
export class Guard {
  /** What the bindings call in place of the instance's exports. */
  readonly exports: WebAssembly.Exports;
  readonly #table: WebAssembly.Table;
  /** The waits of the bindings: the Rust future, the function that ends the wait, and its argument. */
  readonly #waits = new Map<unknown, { callback: number; data: unknown }>();
  readonly #listeners = new Set<() => void>();
  #trapped: Trapped | undefined;

  constructor(instance: WebAssembly.Instance) {
    const { __indirect_function_table: table, ...others } = instance.exports;
    this.#table = table as WebAssembly.Table;
    const exports: Record<string, unknown> = { __indirect_function_table: this.#guardedTable() };
    for (const [name, value] of Object.entries(others)) {
      exports[name] = typeof value === "function" ? this.#guarded(name, value as Call) : value;
    }
    this.exports = exports as WebAssembly.Exports;
  }

  get isTrapped(): boolean {
    return this.#trapped !== undefined;
  }

  /** Calls `listener` when the instance ends, until what it returns is called. */
  onEnd(listener: () => void): () => void {
    if (this.isTrapped) listener();
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How many calls wait. */
  get waiting(): number {
    return this.#waits.size;
  }

  /** Ends the instance: calls that wait reject, and later calls do nothing. */
  end(cause: unknown): void {
    if (this.#trapped !== undefined) return;
    this.#trapped = new Trapped("saldo's module trapped", { cause });
    for (const { callback, data } of this.#waits.values()) (this.#table.get(callback) as Call)(data, READY);
    this.#waits.clear();
    // Nothing needs the answers of the app's parts any more.
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  #guarded(name: string, call: Call): Call {
    const isResult = name.includes("rust_future_complete");
    const isPoll = name.includes("rust_future_poll");
    const isFree = name.includes("rust_future_free");
    return (...given) => {
      if (this.#trapped !== undefined) {
        // Only what a caller waits for can throw. The others are called by timers, finalizers and listeners, which cannot catch it.
        if (isResult || isPoll) throw this.#trapped;
        return undefined;
      }
      if (isPoll) this.#waits.set(given[0], { callback: given[1] as number, data: given[2] });
      if (isFree) this.#waits.delete(given[0]);
      return this.#run(call, given);
    };
  }

  #run(call: Call, given: unknown[]): unknown {
    try {
      return call(...given);
    } catch (error) {
      // Also an error of JavaScript: it passed through the module's frames, which could not clean up.
      this.end(error);
      throw this.#trapped;
    }
  }

  /** The functions of the table are called when a promise of the app settles: an error there would have no one to catch it. */
  #guardedTable(): unknown {
    const table = this.#table;
    const guarded = new WeakMap<Call, Call>();
    const guard = (call: Call): Call => {
      const known = guarded.get(call);
      if (known !== undefined) return known;
      const safe: Call = (...given) => {
        if (this.#trapped !== undefined) return undefined;
        try {
          return this.#run(call, given);
        } catch {
          return undefined;
        }
      };
      guarded.set(call, safe);
      return safe;
    };
    return {
      get length() {
        return table.length;
      },
      get: (index: number): unknown => {
        const entry: unknown = table.get(index);
        return typeof entry === "function" ? guard(entry as Call) : entry;
      },
      set: (index: number, value: unknown): void => table.set(index, value),
      grow: (count: number): number => table.grow(count),
    };
  }
}
