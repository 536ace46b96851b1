// Which contracts are written to tests/data/tokens, each under which name.
import { fiatToken, olderProxy, own, proxies, uniswapPair, vyper, weth9 } from './compile.mjs'
import { observe, observeBlocked } from './observe.mjs'

const kebab = (name) => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase()

/// Returns pairs of a name and a description.
export async function all() {
  const libraries = own('Libraries.sol')
  const accounting = own('Accounting.sol')
  const hostile = own('Hostile.sol')
  const older = proxies('build-info.json', 'contracts', 'solc-0.8.9')
  const newer = proxies('build-info-v5.json', 'contracts-v5', 'solc-0.8.29')
  const written = {
    'openzeppelin-plain': libraries.PlainToken,
    'openzeppelin-upgradeable': libraries.UpgradeableToken,
    'openzeppelin-upgradeable-storage': libraries.UpgradeableTokenStorage,
    moved: libraries.MovedToken,
    solady: libraries.SoladyToken,
    solmate: libraries.SolmateToken,
    weth9: weth9(),
    'uniswap-v2-pair': uniswapPair(),
    vyper: vyper(),
    'fiat-token': fiatToken(),
    packed: accounting.PackedToken,
    shares: accounting.SharesToken,
    interest: accounting.InterestToken,
    'interest-pool': accounting.InterestPool,
    branching: accounting.BranchingToken,
  }
  for (const [version, proxy] of [['4', older], ['5', newer]]) {
    written[`proxy-${version}-erc1967`] = proxy('ERC1967/ERC1967Proxy')
    written[`proxy-${version}-transparent`] = proxy('transparent/TransparentUpgradeableProxy')
    written[`proxy-${version}-beacon`] = proxy('beacon/BeaconProxy')
    written[`proxy-${version}-upgradeable-beacon`] = proxy('beacon/UpgradeableBeacon')
  }
  for (const [version, source] of [['zos', 'zos-lib'], ['2', '@openzeppelin/upgrades']]) {
    written[`proxy-${version}-admin`] = olderProxy(source, 'AdminUpgradeabilityProxy')
    written[`proxy-${version}-initializable-admin`] = olderProxy(source, 'InitializableAdminUpgradeabilityProxy')
  }
  for (const [name, contract] of Object.entries(hostile)) written[`hostile-${kebab(name)}`] = contract
  for (const [name, contract] of Object.entries(written)) contract.observed = await observe(name, contract)
  written['fiat-token'].observed_blocked = await observeBlocked('fiat-token', written['fiat-token'])
  return Object.entries(written)
}
