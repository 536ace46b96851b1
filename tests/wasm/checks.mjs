// What the programs for Node share: they load the module that is their argument, make checks, and end with status 0 only if all passed.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const bytes = readFileSync(process.argv[2]);
export const module = new WebAssembly.Module(bytes);

let passed = 0;
let failed = 0;

/** Makes a check, which fails by throwing. What it returns is printed. */
export function check(name, action) {
  try {
    const detail = action();
    passed += 1;
    console.log(`ok      ${name}${detail ? `: ${detail}` : ""}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error.message}`);
  }
}

/** Prints the size of the module and the result, and sets the status. */
export function finish(what) {
  console.log(`${what}: ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} compressed`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
