// The transport by `fetch`: its limits, and what it never sends.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { gzipSync } from "node:zlib";

import { FetchTransport, TransportFailure } from "saldo";

let server;
let url;
const seen = [];
let closed = 0;

before(async () => {
  server = createServer((request, response) => {
    seen.push(request);
    response.on("close", () => (closed += 1));
    const answers = {
      "/ok": () => response.setHeader("x-a", "1").end("fine"),
      "/gzip": () => response.setHeader("content-encoding", "gzip").end(gzipSync("x".repeat(10_000))),
      "/bomb": () => response.setHeader("content-encoding", "gzip").end(gzipSync(Buffer.alloc(64 << 20))),
      "/endless": () => {
        const more = () => response.destroyed || (response.write(Buffer.alloc(65_536)), setImmediate(more));
        more();
      },
      "/silent": () => {},
      "/slow": () => response.write("a"),
      "/redirect": () => response.writeHead(302, { location: `${url}/ok` }).end(),
      "/error": () => response.writeHead(503).end("busy"),
      "/broken": () => (response.writeHead(200, { "content-length": "100" }), response.write("a"), setTimeout(() => response.destroy(), 20)),
    };
    answers[request.url]();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${server.address().port}`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

function send(path, { signal = new AbortController().signal, ...more } = {}) {
  const request = { method: "GET", url: `${url}${path}`, headers: [], body: new Uint8Array(0), timeoutMs: 5_000, maxBytes: 1 << 20, ...more };
  return new FetchTransport().send(request, signal);
}

const fails = (kind, more = {}) => (error) => {
  assert.ok(error instanceof TransportFailure, String(error));
  assert.ok(!error.message.includes("127.0.0.1"), error.message);
  assert.deepEqual({ kind: error.kind, ...more }, { kind, ...Object.fromEntries(Object.keys(more).map((name) => [name, error[name]])) });
  return true;
};

test("a response with any status is a response", async () => {
  const response = await send("/ok");
  assert.equal(response.status, 200);
  assert.equal(Buffer.from(response.body).toString(), "fine");
  assert.equal(new Map(response.headers).get("x-a"), "1");
  assert.equal((await send("/error")).status, 503);
  assert.equal((await send("/gzip")).body.length, 10_000);
});

test("a body is sent, and neither credentials nor a referrer", async () => {
  seen.length = 0;
  await send("/ok", { method: "POST", body: new TextEncoder().encode("{}"), headers: [["content-type", "application/json"]] });
  const [{ headers, method }] = seen;
  assert.equal(method, "POST");
  assert.equal(headers["content-type"], "application/json");
  for (const name of ["cookie", "authorization", "referer", "origin"]) assert.equal(headers[name], undefined);
});

test("a redirect is not followed", async () => {
  seen.length = 0;
  await assert.rejects(send("/redirect"), fails("redirect", { status: 302 }));
  assert.deepEqual(seen.map((request) => request.url), ["/redirect"]);
});

test("the size limit holds while the body arrives and after inflating", async () => {
  await assert.rejects(send("/endless", { maxBytes: 100_000 }), fails("too_large"));
  await assert.rejects(send("/bomb", { maxBytes: 100_000 }), fails("too_large"));
  await assert.rejects(send("/ok", { maxBytes: 3 }), fails("too_large"));
  assert.equal((await send("/ok", { maxBytes: 4 })).body.length, 4);
});

test("the deadline holds before and within the body", async () => {
  for (const path of ["/silent", "/slow"]) {
    const began = performance.now();
    await assert.rejects(send(path, { timeoutMs: 100 }), fails("timeout"));
    assert.ok(performance.now() - began < 2_000);
  }
});

test("an abort closes the connection", async () => {
  const ended = new AbortController();
  const answer = send("/slow", { signal: ended.signal });
  setTimeout(() => ended.abort(), 50);
  closed = 0;
  await assert.rejects(answer, TransportFailure);
  for (let left = 100; closed === 0 && left > 0; left -= 1) await new Promise((done) => setTimeout(done, 10));
  assert.ok(closed > 0);
});

test("what Node says about a failure is kept", async () => {
  const gone = createServer().listen(0, "127.0.0.1");
  await once(gone, "listening");
  const { port } = gone.address();
  await new Promise((done) => gone.close(done));
  await assert.rejects(send("", { url: `http://127.0.0.1:${port}/` }), fails("connect"));
  await assert.rejects(send("", { url: "http://nowhere.invalid/" }), fails("dns"));
  await assert.rejects(send("", { url: url.replace("http", "https") }), (error) => error.kind.startsWith("tls"));
  await assert.rejects(send("/broken"), fails("broken"));
});
