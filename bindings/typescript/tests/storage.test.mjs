// The storages: a write is whole or not at all, versions are compared, and what is no storage is refused.

import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ExtensionStorage, MemoryStorage, acknowledge, createClient } from "saldo";
import { FileStorage } from "saldo/node";

import { OWNED, withWorld, proven } from "./drill.mjs";

class Area {
  items = {};

  async get(key) {
    return structuredClone(key in this.items ? { [key]: this.items[key] } : {});
  }

  async set(items) {
    Object.assign(this.items, JSON.parse(JSON.stringify(items)));
  }
}

const folder = mkdtempSync(join(tmpdir(), "saldo-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
let files = 0;

const kinds = {
  memory: () => {
    const storage = new MemoryStorage();
    return () => storage;
  },
  file: () => {
    const path = join(folder, `${(files += 1)}.saldo`);
    return () => new FileStorage(path);
  },
  extension: () => {
    const area = new Area();
    return () => new ExtensionStorage(area);
  },
};

const put = (name, ...bytes) => ({ name, value: Uint8Array.from(bytes) });
const content = async (storage) => Object.fromEntries([...(await storage.load()).entries].map(([name, value]) => [name, [...value]]));

for (const [kind, make] of Object.entries(kinds)) {
  test(`${kind}: a write is whole, is counted, and gives a new version`, async () => {
    const open = make();
    const storage = open();
    assert.deepEqual([...(await storage.load()).entries], []);
    assert.equal((await storage.load()).version, 0n);
    const changes = [put("a", 1, 2), put("é", 255), put("b")];
    const ack = await storage.apply(changes, 0n);
    assert.deepEqual(ack, acknowledge(changes.map(({ name, value }) => [name, value]), ack.version));
    assert.notEqual(ack.version, 0n);
    const removed = await storage.apply([{ name: "a", value: undefined }, put("c", 3)], ack.version);
    assert.notEqual(removed.version, ack.version);
    assert.equal(removed.checksum, 97 + 99 + 3);
    assert.deepEqual(await content(open()), { é: [255], b: [], c: [3] });
    assert.equal((await open().load()).version, removed.version);
  });

  test(`${kind}: another version is a conflict, and nothing is written`, async () => {
    const open = make();
    const { version } = await open().apply([put("a", 1)], 0n);
    for (const wrong of [0n, version + 1n]) {
      await assert.rejects(open().apply([put("a", 2)], wrong), { kind: "conflict" });
    }
    assert.deepEqual(await content(open()), { a: [1] });
  });

  test(`${kind}: of writes at one time, one wins, and none is lost in silence`, async () => {
    const open = make();
    const writes = await Promise.allSettled([1, 2, 3, 4].map((byte) => open().apply([put(`n${byte}`, byte)], 0n)));
    assert.equal(writes.filter(({ status }) => status === "fulfilled").length, 1);
    for (const { reason } of writes.filter(({ status }) => status === "rejected")) assert.equal(reason.kind, "conflict");
    assert.equal(Object.keys(await content(open())).length, 1);
  });

  test(`${kind}: a client goes on from it`, () =>
  withWorld("proven", async (world) => {
    const open = make();
    const client = await createClient({ ...world.options, storage: open() });
    await proven(client, world.owner);
    assert.deepEqual(await client.storageFaults(), []);
    await client.shutdown();
    const next = await createClient({ ...world.options, storage: open() });
    assert.equal((await next.last({ owner: world.owner })).amount, OWNED);
    await next.shutdown();
  }));
}

test("a file is only its owner's, and a cut or changed one is damaged", async () => {
  const path = join(folder, "damaged.saldo");
  const storage = new FileStorage(path);
  await storage.apply([put("a", 1, 2, 3)], 0n);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith("damaged.saldo.")), []);
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at += 1) {
    const changed = Buffer.from(whole);
    changed[at] ^= 1;
    writeFileSync(path, changed);
    await assert.rejects(storage.load(), { kind: "damaged" }, `byte ${at}`);
  }
  writeFileSync(path, whole);
  truncateSync(path, whole.length - 1);
  await assert.rejects(storage.load(), { kind: "damaged" });
});

test("processes share a file, and lose nothing", async () => {
  const path = join(folder, "shared.saldo");
  const program = `
    import { FileStorage } from "saldo/node";
    const storage = new FileStorage(process.argv[1]);
    for (let left = 20; left > 0; ) {
      const { version } = await storage.load();
      try { await storage.apply([{ name: process.argv[2] + left, value: Uint8Array.of(left) }], version); left -= 1; }
      catch (error) { if (error.kind !== "conflict") throw error; }
    }`;
  const run = (name) =>
    new Promise((done) => {
      const cwd = new URL("..", import.meta.url);
      spawn(process.execPath, ["--input-type=module", "-e", program, path, name], { cwd, stdio: "inherit" }).on("exit", done);
    });
  assert.deepEqual(await Promise.all(["a", "b", "c"].map(run)), [0, 0, 0]);
  assert.equal(Object.keys(await content(new FileStorage(path))).length, 60);
  assert.equal((await new FileStorage(path).load()).version, 60n);
});
