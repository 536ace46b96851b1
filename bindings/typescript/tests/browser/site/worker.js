// Reads one balance in a worker, and keeps it in IndexedDB.
import { IndexedDbStorage, createClient } from "/saldo/saldo.js";

onmessage = async ({ data: { options, owner } }) => {
  const client = await createClient({ ...options, storage: new IndexedDbStorage() });
  let reading = await client.getBalance({ address: owner });
  for (let left = 50; reading.state !== "proven" && left > 0; left -= 1) reading = await client.getBalance({ address: owner });
  const faults = await client.storageFaults();
  await client.shutdown();
  postMessage({ reading, faults });
};
