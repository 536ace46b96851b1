import { formatEther } from "saldo";

/** The line of a balance in the wallet. */
export async function line(client, address) {
  const reading = await client.getBalance({ address });
  if (reading.state === "proven") return `${formatEther(reading.amount)} ETH`;
  return `not known: ${reading.why.text}`;
}

/** What many wallets do: what is not known collapses into a number. */
export async function naiveLine(client, address) {
  const reading = await client.getBalance({ address });
  return `${formatEther(reading.state === "proven" ? reading.amount : 0n)} ETH`;
}
