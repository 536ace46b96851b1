// Runs tokens in EthereumJS, so that where they keep a balance is known from execution too.
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createEVM } from '@ethereumjs/evm'
import { SimpleStateManager } from '@ethereumjs/statemanager'
import { Address, bytesToHex, createAccount, hexToBytes } from '@ethereumjs/util'
import sha3 from 'js-sha3'

export const HOLDER = '0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'
export const UNITS = 1_234_567n

const word = (value) => BigInt(value).toString(16).padStart(64, '0')
const arguments_ = word(HOLDER) + word(UNITS)
/// The data of a call; `text` has the arguments as words.
const call = (signature, text = '') => sha3.keccak256(signature).slice(0, 8) + text

/// The first call of USDC: three texts, its decimals, and its masters, all of which the holder is.
const initializeFiatToken = () => {
  const texts = ['USD Coin', 'USDC', 'USD'].map((text) => word(text.length) + Buffer.from(text).toString('hex').padEnd(64, '0'))
  const places = texts.map((_, index) => word(32 * (8 + 2 * index)))
  const signature = 'initialize(string,string,string,uint8,address,address,address,address)'
  return call(signature, [...places, word(6), ...Array(4).fill(word(HOLDER)), ...texts].join(''))
}

/// How a token gets its first holder, if not by its constructor. The holder makes the calls.
const SETUPS = {
  'openzeppelin-upgradeable': [{ data: call('initialize(address,uint256)', arguments_) }],
  moved: [{ data: call('migrate(address,uint256)', arguments_) }],
  weth9: [{ data: call('deposit()'), value: UNITS }],
  'fiat-token': [
    { data: initializeFiatToken() },
    { data: call('configureMinter(address,uint256)', arguments_) },
    { data: call('mint(address,uint256)', arguments_) },
  ],
}

/// The same, and then the issuer blocks the holder and pauses the token.
export const observeBlocked = (name, contract) =>
  observe(name, contract, [{ data: call('blacklist(address)', word(HOLDER)) }, { data: call('pause()') }])

/// Gives the holder its units, and returns the words of storage and the balance; `null` where the code has no way to do it.
export async function observe(name, contract, more = []) {
  const { constructor, creation_code: creation, deployed_code: deployed, immutables } = contract
  const hasHolder = constructor.join() === 'address,uint256'
  if (!hasHolder && !SETUPS[name]) return null
  const common = new Common({ chain: Mainnet, hardfork: Hardfork.Cancun })
  const state = new SimpleStateManager({ common })
  const evm = await createEVM({ common, stateManager: state })
  const caller = new Address(hexToBytes(HOLDER))
  await state.putAccount(caller, createAccount({ balance: 10n ** 18n }))
  const run = async (to, data, value = 0n) => {
    const gas = { gasLimit: 10_000_000n, gasPrice: 0n }
    const result = await evm.runCall({ caller, origin: caller, to, data: hexToBytes(`0x${data}`), value, ...gas })
    if (result.execResult.exceptionError) throw new Error(`${name}: ${result.execResult.exceptionError.error}`)
    return result
  }
  const { createdAddress: token } = await run(undefined, creation.slice(2) + (hasHolder ? arguments_ : ''))
  const code = bytesToHex(await state.getCode(token))
  if (immutables.length === 0 && code !== deployed) throw new Error(`${name}: another code was deployed`)
  for (const { data, value } of [...(SETUPS[name] ?? []), ...more]) await run(token, data, value)
  const balance = await run(token, call('balanceOf(address)', word(HOLDER)))
  const amount = BigInt(bytesToHex(balance.execResult.returnValue))
  return { holder: HOLDER, units: String(UNITS), balance: String(amount), storage: storageOf(state, token) }
}

/// All words that are not zero.
function storageOf(state, token) {
  const words = []
  for (const [key, value] of state.topStorageStack()) {
    const [address, slot] = key.split('_')
    if (address !== token.toString() || value === undefined || value.length === 0) continue
    words.push([slot, `0x${bytesToHex(value).slice(2).padStart(64, '0')}`])
  }
  return Object.fromEntries(words.sort())
}
