// What the checks ask of values.
import assert from "node:assert/strict";

/** `got` is what was `wanted`, as far as JSON tells. */
export function same(got, wanted, what) {
  assert.equal(JSON.stringify(got), JSON.stringify(wanted), what);
}

/** The error that `run` ends with is of class `kind` and has `status`; it is returned. */
export async function fails(run, kind, status) {
  let failure;
  try {
    await run();
  } catch (error) {
    failure = error;
  }

  assert.ok(failure instanceof kind, `${failure?.constructor?.name ?? "nothing"} instead of ${kind.name}`);
  assert.equal(failure.status, status);
  return failure;
}

/** All of an async iterable. */
export async function all(stream) {
  const items = [];
  for await (const item of stream) {
    items.push(item);
  }

  return items;
}

const TEXTS = new Set(["text", "thinking", "partial_json", "delta", "arguments", "content", "reasoning_content"]);
// they differ because the exchanges took place one after the other
const CLOCKS = new Set(["created", "created_at", "completed_at"]);

/** An event without text and without the mock's count of requests. */
export function skeleton(value, key = "") {
  if (Array.isArray(value)) {
    return value.map((item) => skeleton(item, key));
  }

  if (value !== null && typeof value === "object") {
    const kept = Object.entries(value).filter(([name]) => !CLOCKS.has(name));
    return Object.fromEntries(kept.map(([name, item]) => [name, skeleton(item, name)]));
  }

  if (typeof value !== "string") {
    return value;
  }

  return TEXTS.has(key) ? "…" : value.replace(/mock\d{8}/g, "mock");
}

// how far the mock's record was read: it grows with every check
let seen = 0;

/** The body of the request that the mock received last, with these headers. */
export async function received(mock, { headers }) {
  const answer = await fetch(`${mock}/__mock/requests?since=${seen}`);
  const entries = await answer.json();
  seen = Math.max(seen, ...entries.map((entry) => entry.seq));
  const found = entries.filter((entry) => entry.headers["x-check-id"] === headers["x-check-id"]);
  assert.equal(found.length, 1, "requests received");
  return JSON.parse(found[0].body);
}
