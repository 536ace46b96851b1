// viem and ethers, unchanged but for their URL. Usage: node clients.mjs known|unknown URL ADDRESS WEI
import assert from "node:assert/strict";
import { ethers } from "ethers";
import { createPublicClient, erc20Abi, http, webSocket } from "viem";

const [mode, url, address, wei] = process.argv.slice(2);
const ws = url.replace("http", "ws");
const expected = BigInt(wei);
// The contract of scenario.toml, and what the address holds of it.
const token = "0x3131313131313131313131313131313131313131";
const units = 2_500_000_000_000_000_000n;

/** The calls of each client. A value is what the chain has. */
async function clients() {
  const viem = createPublicClient({ transport: http(url, { retryCount: 0, timeout: 30_000 }) });
  const network = ethers.Network.from(31337);
  const ethersClient = new ethers.JsonRpcProvider(url, network, { staticNetwork: network });
  const contract = new ethers.Contract(token, ["function balanceOf(address) view returns (uint256)"], ethersClient);
  return {
    viem: {
      balance: () => viem.getBalance({ address }),
      nonce: async () => BigInt(await viem.getTransactionCount({ address })),
      block: async () => (await viem.getBlock()).hash,
      whole: async () => (await viem.getBlock({ blockTag: "latest", includeTransactions: true })).transactions.length,
      call: async () => (await viem.call({ to: address, data: "0x" })).data ?? "0x",
      token: () => viem.readContract({ address: token, abi: erc20Abi, functionName: "balanceOf", args: [address] }),
      number: () => viem.getBlockNumber({ cacheTime: 0 }),
      chain: async () => BigInt(await viem.getChainId()),
    },
    ethers: {
      balance: () => ethersClient.getBalance(address),
      nonce: async () => BigInt(await ethersClient.getTransactionCount(address)),
      block: async () => (await ethersClient.getBlock("latest")).hash,
      whole: async () => (await ethersClient.getBlock("latest", true)).prefetchedTransactions.length,
      call: () => ethersClient.call({ to: address, data: "0x" }),
      token: () => contract.balanceOf(address),
      number: async () => BigInt(await ethersClient.getBlockNumber()),
      chain: async () => (await ethersClient.getNetwork()).chainId,
    },
  };
}

/** The number of the next head that each client announces. */
async function subscriptions() {
  const viem = createPublicClient({ transport: webSocket(ws, { retryCount: 0, reconnect: false }) });
  const heard = new Promise((resolve, reject) => {
    const stop = viem.watchBlocks({
      emitMissed: false,
      onBlock: (block) => (stop(), resolve(block.number)),
      onError: reject,
    });
  });
  assert.ok((await heard) > 0n);
  console.log("viem      subscription  a block is announced");
  (await viem.transport.getRpcClient()).close();
  const socket = new ethers.WebSocketProvider(ws, 31337);
  const number = await new Promise((resolve) => socket.once("block", resolve));
  assert.ok(number > 0);
  console.log("ethers    subscription  a block is announced");
  await socket.destroy();
}

function check(name, value) {
  const is = {
    balance: () => assert.equal(value, expected),
    nonce: () => assert.equal(value, 0n),
    block: () => assert.match(value, /^0x[0-9a-f]{64}$/),
    whole: () => assert.equal(value, 0),
    call: () => assert.equal(value, "0x"),
    token: () => assert.equal(value, units),
    number: () => assert.ok(value > 0n),
    chain: () => assert.equal(value, 31337n),
  };
  is[name]();
}

for (const [client, calls] of Object.entries(await clients())) {
  for (const [name, call] of Object.entries(calls)) {
    if (mode === "known" || name === "chain") {
      const value = await call();
      check(name, value);
      console.log(`${client.padEnd(10)}${name.padEnd(14)}${value}`);
    } else {
      const error = await call().then(
        (value) => assert.fail(`${client} ${name} gives ${value} though nothing is known`),
        (error) => error,
      );
      assert.ok(!(error instanceof assert.AssertionError), error.message);
      const said = JSON.stringify(error, (_, value) => (typeof value === "bigint" ? `${value}` : value)) + error.message;
      assert.match(said, /not known \(it is not 0\)/, `${client} ${name}: ${said}`);
      const shown = `${error.code ?? error.name}: ${(error.shortMessage ?? error.message).split("\n")[0]}`;
      // As docs/migrating.md has it.
      const saldo = error.walk?.((cause) => cause.code === -32050) ?? error.error ?? error.info?.error;
      const { code, data } = saldo;
      assert.equal(code, -32050, `${client} ${name}: ${said}`);
      assert.ok([data].flat()[0].reason, `${client} ${name}: ${said}`);
      console.log(`${client.padEnd(10)}${name.padEnd(14)}throws ${shown} (${code})`);
    }
  }
}
if (mode === "known") await subscriptions();
process.exit(0);
