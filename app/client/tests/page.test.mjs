// Runs app.js in a page of stubs: `node --test page.test.mjs`.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import vm from "node:vm";

const script = await readFile(new URL("../public/app.js", import.meta.url), "utf8");

class Element {
  textContent = "";
  #attributes = new Map();
  #listeners = new Map();

  getAttribute(name) {
    return this.#attributes.get(name) ?? null;
  }

  setAttribute(name, value) {
    this.#attributes.set(name, value);
  }

  removeAttribute(name) {
    this.#attributes.delete(name);
  }

  addEventListener(type, listener) {
    this.#listeners.set(type, listener);
  }

  click() {
    this.#listeners.get("click")();
  }
}

// Opens the page; `answer(method, path)` returns [status, body] or throws.
async function open(answer) {
  const elements = {};
  for (const id of ["count", "visit", "message", "release"]) {
    elements[id] = new Element();
  }
  const requests = [];
  const fetch = async (path, { method }) => {
    requests.push(`${method} ${path}`);
    const [status, body] = answer(method, path);
    return { ok: status < 400, status, json: async () => body };
  };
  const document = { getElementById: (id) => elements[id] ?? null };
  const errors = [];
  const console = { error: (error) => errors.push(error.message) };
  vm.runInNewContext(script, { document, fetch, console, AbortSignal });
  await setImmediate();
  return { elements, requests, errors };
}

function shop() {
  let visits = 1233;
  return (method, path) => {
    if (path === "/version.json") {
      return [200, { sha: "0123456789abcdef0123456789abcdef01234567" }];
    }
    visits += method === "POST" ? 1 : 0;
    return [method === "POST" ? 201 : 200, { visits, cached: false }];
  };
}

test("shows the number and the release, and counts no visit without a click", async () => {
  const { elements, requests } = await open(shop());
  assert.equal(elements.count.textContent, "1,233");
  assert.equal(elements.release.textContent, "Release 0123456789ab");
  assert.deepEqual(requests, ["GET /api/visits", "GET /version.json"]);
});

test("counts one visit if the button is pressed again before the response", async () => {
  const { elements, requests } = await open(shop());
  elements.visit.click();
  elements.visit.click();
  await setImmediate();
  assert.equal(requests.filter((request) => request === "POST /api/visits").length, 1);
  assert.equal(elements.count.textContent, "1,234");
  assert.match(elements.message.textContent, /Thank you/);
  assert.equal(elements.visit.getAttribute("aria-disabled"), null);
});

test("shows an error while the server is down, and recovers", async () => {
  const up = shop();
  let down = true;
  const { elements, errors } = await open((method, path) =>
    down ? [503, { error: "postgres is down" }] : up(method, path),
  );
  assert.ok(errors.includes("GET /api/visits answered 503"), errors);
  assert.match(elements.message.textContent, /does not answer/);
  down = false;
  elements.visit.click();
  await setImmediate();
  assert.equal(elements.count.textContent, "1,234");
  assert.match(elements.message.textContent, /Thank you/);
});

test("shows an error while the network is down", async () => {
  const { elements } = await open(() => {
    throw new TypeError("fetch failed");
  });
  assert.match(elements.message.textContent, /does not answer/);
});
