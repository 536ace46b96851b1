// Compiles the contracts of each source, and compares the hashes of their code with those that saldo knows.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';

const require = createRequire(import.meta.url);
const solc = require('solc');
const { keccak256 } = require('js-sha3');

const KNOWN = new URL('../../crates/chain/src/rollup/release.rs', import.meta.url);
const PACKAGES = new URL('node_modules/', import.meta.url);

// The contracts, and how often the optimizer takes their code to run (`foundry.toml`).
const CONTRACTS = [
  ['src/dispute/AnchorStateRegistry.sol', 999_999],
  ['src/dispute/DisputeGameFactory.sol', 999_999],
  ['src/dispute/FaultDisputeGame.sol', 5_000],
  ['src/dispute/PermissionedDisputeGame.sol', 5_000],
  ['src/dispute/SuperFaultDisputeGame.sol', 5_000],
  ['src/L1/SuperchainConfig.sol', 999_999],
];
// The values that the creator of a contract sets: those of the standard configuration.
const VALUES = {
  DISPUTE_GAME_FINALITY_DELAY_SECONDS: 302_400n,
  MAX_GAME_DEPTH: 73n,
  SPLIT_DEPTH: 30n,
  CLOCK_EXTENSION: 10_800n,
  MAX_CLOCK_DURATION: 302_400n,
};
// How often a contract was initialized; its constructor says it.
const INITIALIZED = { SuperchainConfig: 2n };
// The folders of libraries in the source's repository, and in packages.
const LIBRARIES = [
  ['@openzeppelin/contracts-upgradeable/', 'lib/openzeppelin-contracts-upgradeable/contracts/', '@openzeppelin/contracts-upgradeable/'],
  ['@openzeppelin/contracts/', 'lib/openzeppelin-contracts/contracts/', '@openzeppelin/contracts/'],
  ['@solady/', 'lib/solady/src/', 'solady/src/'],
];
// An interface names this type. No contract here uses it, so no code depends on its fields.
const KECCAK = 'pragma solidity ^0.8.0; library LibKeccak { struct StateMatrix { uint64[25] state; } }';

const hash = (hex) => `0x${keccak256(Buffer.from(hex, 'hex'))}`;

function read(root, path) {
  if (path.endsWith('LibKeccak.sol')) return KECCAK;
  const library = LIBRARIES.find(([, inSource]) => path.startsWith(inSource));
  return library
    ? readFileSync(new URL(library[2] + path.slice(library[1].length), PACKAGES), 'utf8')
    : readFileSync(`${root}/${path}`, 'utf8');
}

function compile(root, path, runs) {
  const input = {
    language: 'Solidity',
    sources: { [path]: { content: read(root, path) } },
    settings: {
      remappings: LIBRARIES.map(([name, inSource]) => `${name}=${inSource}`),
      optimizer: { enabled: true, runs },
      evmVersion: 'london',
      metadata: { bytecodeHash: 'none' },
      outputSelection: { '*': { '*': ['evm.bytecode.object', 'evm.deployedBytecode'], '': ['ast'] } },
    },
  };
  const find = (name) => {
    try {
      return { contents: read(root, name) };
    } catch (error) {
      return { error: String(error) };
    }
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: find }));
  const errors = (output.errors ?? []).filter((error) => error.severity === 'error');
  if (errors.length > 0) throw new Error(errors[0].formattedMessage);
  return { evm: output.contracts[path][basename(path, '.sol')].evm, trees: Object.values(output.sources) };
}

// The names of declared variables, by the numbers that the compiler gives them.
function names(node, found = {}) {
  if (node === null || typeof node !== 'object') return found;
  if (node.nodeType === 'VariableDeclaration') found[node.id] = node.name;
  Object.values(node).forEach((child) => names(child, found));
  return found;
}

// The deployed code with the values that its creator sets.
function deployed(name, { evm, trees }) {
  const code = Buffer.from(evm.deployedBytecode.object, 'hex');
  const declared = names(trees);
  for (const [id, places] of Object.entries(evm.deployedBytecode.immutableReferences)) {
    const value = declared[id] === 'INIT_VERSION' ? (INITIALIZED[name] ?? 1n) : VALUES[declared[id]];
    if (value === undefined) throw new Error(`${name}: no value for ${declared[id]}`);
    places.forEach(({ start }) => code.write(value.toString(16).padStart(64, '0'), start, 'hex'));
  }
  return code.toString('hex');
}

const known = readFileSync(KNOWN, 'utf8');
const seen = new Set();
let differences = 0;
const compare = (what, found, isSame) => {
  differences += isSame ? 0 : 1;
  console.log(`${isSame ? 'same     ' : 'DIFFERENT'}  ${what}  ${found}`);
};
for (const source of process.argv.slice(2)) {
  const [version, root] = source.split('=');
  const published = JSON.parse(readFileSync(`${root}/snapshots/semver-lock.json`, 'utf8'));
  for (const [path, runs] of CONTRACTS) {
    const name = basename(path, '.sol');
    const compiled = compile(root, path, runs);
    const creation = hash(compiled.evm.bytecode.object);
    compare(`${version} ${name}, as published`, creation, creation === published[`${path}:${name}`].initCodeHash);
    const code = hash(deployed(name, compiled));
    seen.add(code.slice(2));
    compare(`${version} ${name}, as saldo knows it`, code, known.includes(code.slice(2)));
  }
}
const unseen = [...known.matchAll(/b256!\("([0-9a-f]{64})"\)/g)].map(([, hex]) => hex).filter((hex) => !seen.has(hex));
unseen.forEach((hex) => compare('known, but of no source', `0x${hex}`, false));
process.exit(differences === 0 ? 0 : 1);
