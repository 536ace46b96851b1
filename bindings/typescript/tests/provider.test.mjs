// The EIP-1193 provider, alone and under viem and ethers as they come from npm.

import { test } from "node:test";
import assert from "node:assert/strict";

import { BrowserProvider, Contract } from "ethers";
import { ProviderError, saldoProvider } from "saldo";
import { saldo } from "saldo/viem";
import { BaseError, createPublicClient, custom, defineChain, erc20Abi, http } from "viem";

import { OWNED, proven, withClient } from "./drill.mjs";

const UNUSED = "0x00000000000000000000000000000000000000aa";
const CALL = `0x70a08231${"0".repeat(24)}`;

/** An inner provider that records what it is asked, and answers what it is told. */
class Inner {
  asked = [];
  listeners = new Map();

  constructor(answers = {}) {
    this.answers = answers;
  }

  async request({ method, params }) {
    this.asked.push(method);
    if (!(method in this.answers)) throw Object.assign(new Error(`no ${method}`), { code: 4200 });
    const answer = this.answers[method];
    return typeof answer === "function" ? answer(params) : answer;
  }

  on(event, listener) {
    this.listeners.set(event, listener);
  }

  removeListener(event) {
    this.listeners.delete(event);
  }
}

const code = (expected, check = () => {}) => (error) => {
  assert.ok(error instanceof ProviderError, String(error));
  assert.equal(error.code, expected);
  check(error);
  return true;
};

test("balances, nonces and balanceOf are proven, and never asked of the inner provider", () =>
  withClient("frozen_token", async (client, world) => {
    await proven(client, world.owner);
    const { owner, token } = world.steps[0].holdings[1];
    const inner = new Inner({ eth_chainId: `0x${client.chainId.toString(16)}`, eth_blockNumber: "0x7" });
    const provider = saldoProvider(client, inner);
    const request = (method, ...params) => provider.request({ method, params });
    for (const tag of [[], ["latest"], ["finalized"], ["safe"]]) {
      assert.equal(BigInt(await request("eth_getBalance", world.owner, ...tag)), OWNED);
      assert.equal(await request("eth_getTransactionCount", world.owner, ...tag), "0x0");
    }
    const data = CALL + owner.slice(2);
    assert.equal(await request("eth_call", { to: token, data }, "latest"), `0x${"9".padStart(64, "0")}`);
    assert.equal(await request("eth_call", { to: token, input: data, from: UNUSED }), `0x${"9".padStart(64, "0")}`);
    assert.equal(await request("eth_chainId"), `0x${client.chainId.toString(16)}`);
    assert.equal(await request("net_version"), String(client.chainId));
    assert.equal(await request("eth_blockNumber"), "0x7");
    assert.deepEqual(inner.asked, ["eth_chainId", "eth_blockNumber"]);
  }));

test("what cannot be proven is an error with a code, never the word of the inner provider", () =>
  withClient("frozen_token", async (client, world) => {
    await proven(client, world.owner);
    const never = () => assert.fail("the inner provider was asked");
    const inner = new Inner({ eth_chainId: `0x${client.chainId.toString(16)}`, eth_getBalance: never, eth_call: never, eth_getTransactionCount: "0x5" });
    const provider = saldoProvider(client, inner);
    const request = (method, ...params) => provider.request({ method, params });
    for (const tag of ["pending", "earliest", "0x1", { blockHash: `0x${"1".repeat(64)}` }]) {
      await assert.rejects(request("eth_getBalance", world.owner, tag), code(-32004));
    }
    for (const address of [undefined, "vitalik.eth", "0x12", 7]) {
      await assert.rejects(request("eth_getBalance", address), code(-32602));
    }
    const data = CALL + UNUSED.slice(2);
    const token = world.steps[0].holdings[2].token;
    await assert.rejects(request("eth_call", { to: token, data }), code(-32050, ({ data: { reason, last }, message }) => {
      assert.equal(reason, "not_a_token");
      assert.equal(last, null);
      assert.match(message, /it is not 0/);
    }));
    await assert.rejects(request("eth_call", { to: token, data, value: "0x1" }), code(-32004));
    await assert.rejects(request("eth_call", { to: token, data }, "latest", { [token]: {} }), code(-32004));
    await assert.rejects(request("eth_call", { to: token, data: `${data}00` }), code(-32004));
    // A wallet that sends chooses its nonce by what is pending, which no block proves.
    assert.equal(await request("eth_getTransactionCount", world.owner, "pending"), "0x5");
    await assert.rejects(saldoProvider(client).request({ method: "eth_sendTransaction", params: [] }), code(4200));
  }));

test("in an outage the error has the last proven value with its age", () =>
  withClient("all_unreachable", async (client, world) => {
    await proven(client, world.owner);
    await world.happen("1h");
    const inner = new Inner();
    const provider = saldoProvider(client, inner);
    // An answer can still be on its way when the outage begins.
    const untilItFails = async () => {
      for (let left = 100; left > 0; left -= 1) {
        await provider.request({ method: "eth_getBalance", params: [world.owner] });
        await new Promise((done) => setTimeout(done, 100));
      }
    };
    await assert.rejects(untilItFails(), code(-32050, ({ data }) => {
      assert.equal(data.reason, "all_unreachable");
      assert.equal(BigInt(data.last.value), OWNED);
      assert.equal(typeof data.last.age_seconds, "number");
      assert.ok(data.attempts.length > 0);
    }));
  }));

test("at another chain nothing is answered for this one", () =>
  withClient("proven", async (client, world) => {
    const inner = new Inner({ eth_chainId: "0x89" });
    const provider = saldoProvider(client, inner);
    await assert.rejects(provider.request({ method: "eth_getBalance", params: [world.owner] }), code(4901));
    inner.listeners.get("chainChanged")(`0x${client.chainId.toString(16)}`);
    assert.equal(await provider.request({ method: "eth_chainId" }), `0x${client.chainId.toString(16)}`);
    await proven(client, world.owner);
    assert.equal(BigInt(await provider.request({ method: "eth_getBalance", params: [world.owner] })), OWNED);
  }));

test("viem reads proven amounts, and gets the code of what is not known", () =>
  withClient("frozen_token", async (client, world) => {
    await proven(client, world.owner);
    const { owner, token } = world.steps[0].holdings[1];
    const notAToken = world.steps[0].holdings[2].token;
    const chain = defineChain({
      id: client.chainId,
      name: "drill",
      nativeCurrency: { name: "ether", symbol: "ETH", decimals: 18 },
      rpcUrls: { default: { http: [] } },
    });
    const url = world.options.rpc[0].url;
    for (const transport of [saldo(client, http(url)), custom(saldoProvider(client, http(url)({ chain })))]) {
      const viem = createPublicClient({ chain, transport });
      assert.equal(await viem.getChainId(), client.chainId);
      assert.equal(await viem.getBalance({ address: world.owner }), OWNED);
      assert.equal(await viem.getBalance({ address: world.owner, blockTag: "finalized" }), OWNED);
      assert.equal(await viem.getTransactionCount({ address: world.owner }), 0);
      const balanceOf = (address) =>
        viem.readContract({ address, abi: erc20Abi, functionName: "balanceOf", args: [owner] });
      assert.equal(await balanceOf(token), 9n);
      const hasCode = (expected) => (error) => {
        assert.ok(error instanceof BaseError);
        const cause = error.walk((one) => one.code === expected);
        assert.ok(cause, error.message);
        return true;
      };
      await assert.rejects(balanceOf(notAToken), hasCode(-32050));
      await assert.rejects(viem.getBalance({ address: world.owner, blockNumber: 1n }), hasCode(-32004));
    }
  }));

test("ethers reads proven amounts, and gets the code of what is not known", () =>
  withClient("frozen_token", async (client, world) => {
    await proven(client, world.owner);
    const { owner, token } = world.steps[0].holdings[1];
    const provider = new BrowserProvider(saldoProvider(client));
    assert.equal((await provider.getNetwork()).chainId, BigInt(client.chainId));
    assert.equal(await provider.getBalance(world.owner), OWNED);
    assert.equal(await provider.getBalance(world.owner, "finalized"), OWNED);
    assert.equal(await provider.getTransactionCount(world.owner), 0);
    const contract = new Contract(token, ["function balanceOf(address) view returns (uint256)"], provider);
    assert.equal(await contract.balanceOf(owner), 9n);
    await assert.rejects(provider.getBalance(world.owner, 1), (error) => {
      assert.equal((error.error ?? error.info?.error ?? error).code, -32004);
      return true;
    });
    await assert.rejects(contract.attach(world.steps[0].holdings[2].token).balanceOf(owner), (error) => {
      assert.equal((error.info?.error ?? error.error).code, -32050);
      return true;
    });
    provider.destroy();
  }));
