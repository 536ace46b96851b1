// A transport for viem.

import { custom } from "viem";
import type { Transport } from "viem";

import type { Client } from "./client.js";
import { saldoProvider } from "./provider.js";
import type { Eip1193Provider } from "./provider.js";

/**
 * Returns a transport for viem: `createPublicClient({ chain, transport: saldo(client, http(url)) })`. What `saldoProvider` lists is proven or
 * fails; every other method goes to `inner`, a transport or a provider.
 */
export function saldo(client: Client, inner?: Transport | Eip1193Provider): Transport {
  return (parameters) => {
    const provider = typeof inner === "function" ? (inner(parameters) as Eip1193Provider) : inner;
    return custom(saldoProvider(client, provider), { key: "saldo", name: "saldo" })(parameters);
  };
}
