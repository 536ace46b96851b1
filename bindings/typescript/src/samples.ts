// Invented readings, for previews of a screen.

import { compile } from "./module.js";
import { open } from "./native/bindings.js";
import { Guard } from "./native/guard.js";
import * as lift from "./native/lift.js";
import type { WasmSource } from "./options.js";
import type { Sample } from "./reading.js";

/** Returns one invented reading of each state that a screen must show. Nothing in it is true of any address. */
export async function samples(wasm?: WasmSource): Promise<readonly Sample[]> {
  const instance = await WebAssembly.instantiate(await compile(wasm, false), {});
  return open(new Guard(instance).exports, () => {})
    .samples()
    .map(lift.sample);
}
