// The function that `build` makes of `entry.ts`, the generated code and its runtime.

import type * as saldo from "../../generated/types/saldo_ffi.js";

export type Saldo = typeof saldo & {
  /** How many calls wait: of Rust by JavaScript, and of JavaScript by Rust. For tests. */
  handles(): { futures: number; foreign: number };
};

/** Makes new bindings and connects them to an instance. `panicked` is told why saldo panicked. */
export function open(exports: WebAssembly.Exports, panicked: (text: string) => void): Saldo;
