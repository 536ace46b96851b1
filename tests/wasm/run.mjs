// Runs the pure crates, built as WebAssembly, over real data: from a checkpoint to a proven balance.
// Usage: node run.mjs MODULE. Ends with status 0 only if everything passed.

import { ok, deepStrictEqual as equal } from "node:assert";
import { readFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { check, finish, module } from "./checks.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const vectors = process.env.SALDO_VECTORS ?? join(here, "../../../shared/vectors");
const JSON_ENCODED = 1;
const SSZ = 0;
const GENESIS_TIME = 1606824023; // of mainnet
const ACCEPTED = 0;
const REFUSED = 1;

const saldo = new WebAssembly.Instance(module, {}).exports;

/** Calls a function with bytes in the buffer, and returns whether it accepted them and what it said. */
function call(name, parts, ...numbers) {
  const input = Buffer.concat(parts);
  const start = saldo.buffer(input.length);
  new Uint8Array(saldo.memory.buffer, start, input.length).set(input);
  const status = saldo[name](...numbers);
  const answer = new Uint8Array(saldo.memory.buffer, saldo.answer(), saldo.answer_length());
  const text = new TextDecoder().decode(answer);
  ok(status === ACCEPTED || status === REFUSED, `status ${status}`);
  return status === ACCEPTED ? { accepted: JSON.parse(text) } : { refused: text };
}

const hex = (text) => Buffer.from(text.replace(/^0x/, ""), "hex");
const json = (value) => Buffer.from(JSON.stringify(value));
const read = (path) => readFileSync(join(vectors, path));
const at = (slot) => BigInt(GENESIS_TIME + 12 * slot);
/** The name of the refusal, without its fields. */
const variant = ({ refused }) => refused?.match(/^\w+/)?.[0];

function flipped(buffer, index) {
  const copy = Buffer.from(buffer);
  copy[index] ^= 0x01;
  return copy;
}

function count(refusals, name) {
  refusals[name] = (refusals[name] ?? 0) + 1;
}

/** Flips every byte of every node of a proof, one after another, and counts what comes of it. */
function flipEveryByte(proof, attempt) {
  const refusals = {};
  proof.accountProof.forEach((node, index) => {
    const genuine = hex(node);
    for (let position = 0; position < genuine.length; position += 1) {
      const accountProof = [...proof.accountProof];
      accountProof[index] = `0x${flipped(genuine, position).toString("hex")}`;
      const result = attempt({ ...proof, accountProof });
      count(refusals, variant(result) ?? "accepted");
    }
  });
  return refusals;
}

/** Real replies of eth_getProof, as two blocks of mainnet have them. */
function proofs() {
  const { cases } = JSON.parse(read("mpt/real-getproof/helios.json"));
  const verify = (root, address, proof) => call("verify_account", [hex(root), hex(address), json(proof)]);
  check("both real proofs were read", () => equal(cases.length, 2));
  for (const { file, stateRoot, proof, expect } of cases) {
    check(`a real proof, ${file}`, () => {
      const { exists, balance, nonce } = expect;
      equal(verify(stateRoot, proof.address, proof), { accepted: { exists, balance, nonce } });
      return `${balance} wei`;
    });
  }
  const { stateRoot, proof } = cases[0];
  check("any flipped byte of a proof is refused", () => {
    const refusals = flipEveryByte(proof, (bad) => verify(stateRoot, proof.address, bad));
    const total = proof.accountProof.reduce((sum, node) => sum + hex(node).length, 0);
    equal(refusals, { HashMismatch: total });
    return `${total} times`;
  });
  check("a truncated proof is refused, and is no zero", () => {
    for (let length = 0; length < proof.accountProof.length; length += 1) {
      const short = { ...proof, balance: "0x0", accountProof: proof.accountProof.slice(0, length) };
      equal(variant(verify(stateRoot, proof.address, short)), length === 0 ? "EmptyProof" : "Truncated");
    }
    return `${proof.accountProof.length} lengths`;
  });
}

/** From a checkpoint of Deneb over a hand-over to a head of Electra, and to a balance under it. */
function checkpointToBalance() {
  const folder = "e2e/mainnet-electra-11650268-ethbalance";
  const scenario = JSON.parse(read(`${folder}/scenario.json`));
  const [start, handOver, newest] = scenario.steps;
  const file = (step) => read(`${folder}/${step.file}`);
  const checkpoint = hex(scenario.checkpoint);

  check("a bootstrap of another block is refused", () => {
    const refusal = call("bootstrap", [flipped(checkpoint, 0), file(start)], SSZ, at(start.slot));
    equal(variant(refusal), "WrongRoot");
  });
  check("the checkpoint's bootstrap is accepted", () => {
    const result = call("bootstrap", [checkpoint, file(start)], SSZ, at(start.slot));
    equal(result, { accepted: { finalized_slot: start.slot } });
    return `slot ${start.slot}`;
  });
  check("a head of an unknown committee is refused", () => {
    const refusal = call("optimistic_update", [file(newest)], SSZ, at(newest.signature_slot));
    equal(variant(refusal), "CommitteeUnknown");
  });
  check("a committee update is accepted", () => {
    const { accepted } = call("update", [file(handOver)], SSZ, at(handOver.signature_slot));
    equal(accepted?.finalized_slot, handOver.finalized_slot);
    equal(accepted?.signed_slot, handOver.attested_slot);
    equal(accepted?.signers, handOver.participants);
    return `signed by ${accepted.signers} of ${accepted.size}`;
  });
  check("any flipped byte of a signature is refused, and changes nothing", () => {
    const before = call("heads", []);
    // An optimistic update in SSZ: the header's offset (4 bytes), the bits of 512 members (64), the signature (96).
    const signature = 4 + 64;
    const refusals = {};
    for (let index = signature; index < signature + 96; index += 1) {
      const refusal = call("optimistic_update", [flipped(file(newest), index)], SSZ, at(newest.signature_slot));
      count(refusals, refusal.refused ?? `accepted with byte ${index} flipped`);
    }
    const byName = Object.keys(refusals).sort();
    equal(byName, ["Signature(MalformedSignature)", "Signature(SignatureOutsideSubgroup)"]);
    equal(call("heads", []), before);
    return byName.map((name) => `${name} ${refusals[name]}`).join(", ");
  });
  check("a signature by other members is refused", () => {
    const genuine = file(newest);
    const index = genuine.subarray(4, 68).findIndex((byte) => (byte & 1) === 1);
    const refusal = call("optimistic_update", [flipped(genuine, 4 + index)], SSZ, at(newest.signature_slot));
    equal(refusal, { refused: "Signature(Mismatch)" });
  });
  check("the newest head is accepted", () => {
    const { accepted } = call("optimistic_update", [file(newest)], SSZ, at(newest.signature_slot));
    equal(accepted?.signed_slot, newest.attested_slot);
    equal(accepted?.signers, newest.participants);
    equal(accepted?.root, scenario.beacon_block_root);
    return `slot ${accepted.signed_slot}, signed by ${accepted.signers} of ${accepted.size}`;
  });

  const [expected] = scenario.proofs;
  const { result } = JSON.parse(read(`${folder}/${expected.file}`));
  const balance = (address, proof) => call("balance", [hex(address), json(proof)]);
  check("a balance is proven under that head", () => {
    const { optimistic_block_number: number, optimistic_block_hash: hash } = scenario.expected_store;
    const by = `signed by ${newest.participants} of 512`;
    equal(balance(expected.address, result), { accepted: { amount: expected.balance, number, hash, by } });
    return `${expected.balance} wei at block ${number}, ${by}`;
  });
  check("any flipped byte of that proof is refused", () => {
    const refusals = flipEveryByte(result, (bad) => balance(expected.address, bad));
    const sizes = result.accountProof.map((node) => hex(node).length);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    // With another first node the proof is under another root, which is not signed.
    equal(refusals, { UnsignedRoot: sizes[0], HashMismatch: total - sizes[0] });
    return `${total} times`;
  });
  check("the proof of another account is refused", () => {
    equal(variant(balance(`0x${"11".repeat(20)}`, result)), "HashMismatch");
  });
}

/** A finality update and a hand-over of Fulu, in JSON as a beacon node sent them. */
function fulu() {
  const folder = "e2e/mainnet-fulu-14017856-nimbus";
  const scenario = JSON.parse(read(`${folder}/scenario.json`));
  const [start, finality, optimistic, handOver] = scenario.steps;
  const file = (step) => read(`${folder}/${step.file}`);
  check("Fulu in JSON: bootstrap, finality update, committee update", () => {
    const now = at(finality.signature_slot);
    const started = call("bootstrap", [hex(scenario.checkpoint), file(start)], JSON_ENCODED, now);
    equal(started, { accepted: { finalized_slot: start.slot } });
    const { accepted } = call("finality_update", [file(finality)], JSON_ENCODED, now);
    equal(accepted?.finalized_slot, finality.finalized_slot);
    equal(accepted?.signed_slot, finality.attested_slot);
    equal(accepted?.signers, finality.participants);
    const [update] = JSON.parse(file(handOver));
    equal(call("optimistic_update", [file(optimistic)], JSON_ENCODED, now), { accepted });
    equal(call("update", [json(update)], JSON_ENCODED, now), { accepted });
    return `slot ${accepted.signed_slot}, signed by ${accepted.signers} of ${accepted.size}`;
  });
}

check("the module imports nothing: no clock, no randomness, no input or output", () => {
  equal(WebAssembly.Module.imports(module), []);
});
if (existsSync(vectors)) {
  proofs();
  checkpointToBalance();
  fulu();
} else {
  const reason = `test vectors are not on this machine (set SALDO_VECTORS): ${vectors}`;
  if (process.env.CI === "true") throw new Error(`must not be skipped in CI: ${reason}`);
  console.error(`skipped: ${reason}`);
}
finish("the pure crates");
