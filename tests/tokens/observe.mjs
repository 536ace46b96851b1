// Runs tokens in EthereumJS, so that where they keep a balance is known from execution too.
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createEVM } from '@ethereumjs/evm'
import { SimpleStateManager } from '@ethereumjs/statemanager'
import { Address, bytesToHex, createAccount, hexToBytes } from '@ethereumjs/util'

export const HOLDER = '0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'
export const UNITS = 1_234_567n

const SELECTORS = { balanceOf: '70a08231', initialize: 'cd6dc687', migrate: 'ad68ebf7', deposit: 'd0e30db0' }
const word = (value) => BigInt(value).toString(16).padStart(64, '0')
const arguments_ = word(HOLDER) + word(UNITS)

/// How a token gets its first holder, if not by its constructor.
const SETUPS = {
  'openzeppelin-upgradeable': { data: SELECTORS.initialize + arguments_ },
  moved: { data: SELECTORS.migrate + arguments_ },
  weth9: { data: SELECTORS.deposit, value: UNITS },
}

/// Gives the holder its units, and returns the words of storage and the balance; `null` where the code has no way to do it.
export async function observe(name, { constructor, creation_code: creation, deployed_code: deployed, immutables }) {
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
  if (SETUPS[name]) await run(token, SETUPS[name].data, SETUPS[name].value)
  const balance = await run(token, SELECTORS.balanceOf + word(HOLDER))
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
