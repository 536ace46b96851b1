// What is bundled with the generated code and its runtime into one function: each call of it makes bindings of their own, so that one
// client's module never sees another's handles.

import {
  FfiConverterObjectWithCallbacks,
  uniffiForeignFutureHandleCount,
  uniffiRustFutureHandleCount,
} from "@ubjs/core";
import { UniffiNativeModule } from "@ubjs/wasm/core";

import * as saldo from "../../generated/saldo_ffi";
import { PLAYER_DEFINITIONS, setNativeModule } from "../../generated/saldo_ffi-ffi";

/** How many calls wait: of Rust by JavaScript, and of JavaScript by Rust. */
const handles = () => ({ futures: uniffiRustFutureHandleCount(), foreign: uniffiForeignFutureHandleCount() });

// The runtime forgets that what is written into a buffer can be an app's object too: an argument that can be left out.
interface WithCallbacks {
  factory: { isConcreteType(value: unknown): boolean; clonePointer(value: unknown): bigint };
  handleMap: { insert(value: unknown): bigint };
  lowerHandle(value: unknown): bigint;
}
(FfiConverterObjectWithCallbacks.prototype as unknown as WithCallbacks).lowerHandle = function (value) {
  return this.factory.isConcreteType(value) ? this.factory.clonePointer(value) : this.handleMap.insert(value);
};

/** Connects these bindings to an instance. Throws if the module was built from other sources than the bindings. */
export function open(exports: WebAssembly.Exports): typeof saldo & { handles: typeof handles } {
  // Its own `open` would compile the module again, and needs no exports that are guarded.
  const native = Reflect.construct(UniffiNativeModule as unknown as Constructor, [{ exports }]);
  // Without `new Function`, which the policy of a page forbids.
  setNativeModule(native.registerSync(PLAYER_DEFINITIONS as unknown as Definitions, { disableJit: true }));
  saldo.default.initialize();
  return { ...saldo, handles };
}

type Constructor = new (instance: { exports: WebAssembly.Exports }) => UniffiNativeModule;
type Definitions = Parameters<UniffiNativeModule["registerSync"]>[0];
