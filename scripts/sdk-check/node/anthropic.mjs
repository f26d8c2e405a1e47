// Checks of @anthropic-ai/sdk.
import assert from "node:assert/strict";

import Anthropic from "@anthropic-ai/sdk";

import { all, fails, received, same, skeleton } from "./expect.mjs";

const MODEL = "claude-sonnet-4-5";
const TOOLS = [
  { name: "bash", description: "Runs a command", input_schema: { type: "object", properties: { command: { type: "string" } } } },
];
const KNOBS = [{ delta: 1 }, { delta: 7 }, { delta: 500 }, { delta: 5, write: 1 }];

/** A client whose network leads to `url` whatever host the API names: a batch names its results by the vendor's URL. */
export function connect(url) {
  const lead = (target, options) => {
    const { pathname, search } = new URL(target);
    return fetch(new URL(pathname + search, url), options);
  };
  return new Anthropic({ baseURL: url, apiKey: "sk-ant-check", maxRetries: 0, timeout: 60000, fetch: lead });
}

const ask = (content, more = {}) => ({
  model: MODEL,
  max_tokens: 1024,
  messages: [{ role: "user", content }],
  ...more,
});

async function create({ client, sample, headers }) {
  const message = await client.messages.create(ask(sample.prompt), headers());
  same(message.content, [{ type: "text", text: sample.prompt }], "content");
  same(message.stop_reason, "end_turn", "stop_reason");
}

async function stream({ client, sample, headers }) {
  for (const knobs of KNOBS) {
    const stream = client.messages.stream(ask(sample.prompt), headers("text", knobs));
    let text = "";
    stream.on("text", (piece) => {
      text += piece;
    });
    const message = await stream.finalMessage();
    same([text, message.content[0].text], [sample.prompt, sample.prompt], `text with ${JSON.stringify(knobs)}`);
  }
}

async function streamTool({ client, sample, headers }) {
  const wanted = { command: sample.prompt, ids: sample.prompt.split(/\s+/).filter(Boolean) };
  for (const knobs of KNOBS) {
    const stream = client.messages.stream(ask(sample.prompt, { tools: TOOLS }), headers("tool", knobs));
    const message = await stream.finalMessage();
    same(message.content[1].input, wanted, `input with ${JSON.stringify(knobs)}`);
  }
}

async function thinkingRoundTrip({ client, sample, headers }) {
  const first = await client.messages.stream(ask(sample.prompt), headers("thinking", { delta: 4 })).finalMessage();
  same(first.content[1].text, sample.prompt, "text");
  // the mock refuses thinking whose signature does not fit, as the real API does
  const messages = [
    { role: "user", content: sample.prompt },
    { role: "assistant", content: first.content },
    { role: "user", content: sample.prompt },
  ];
  const next = await client.messages.create(ask("", { messages }), headers());
  same(next.content[0].text, sample.prompt, "text of the next turn");
}

async function agentLoop({ client, sample, headers }) {
  const messages = [{ role: "user", content: sample.prompt }];
  const commands = [];
  let message;
  do {
    message = await client.messages.create(ask("", { messages, tools: TOOLS }), headers("agent"));
    messages.push({ role: "assistant", content: message.content });
    const results = message.content
      .filter((block) => block.type === "tool_use")
      .map((block) => {
        commands.push(block.input.command);
        return { type: "tool_result", tool_use_id: block.id, content: "ran: " + block.input.command };
      });
    messages.push({ role: "user", content: results });
  } while (message.stop_reason === "tool_use");
  same(commands, [sample.prompt], "commands");
  same(message.content[0].text, "ran: " + sample.prompt, "text of the last turn");
}

async function countTokens({ client, sample, headers }) {
  const { model, messages } = ask(sample.prompt);
  const count = await client.messages.countTokens({ model, messages }, headers());
  assert.ok(count.input_tokens > 0);
}

async function batch({ client, sample, headers }) {
  const requests = ["first", "second"].map((name) => ({ custom_id: name, params: ask(sample.prompt) }));
  const created = await client.messages.batches.create({ requests }, headers());
  same((await client.messages.batches.retrieve(created.id)).processing_status, "ended", "processing_status");
  const results = await all(await client.messages.batches.results(created.id));
  const got = results.map((line) => [line.custom_id, line.result.message.content[0].text]);
  same(got, [["first", sample.prompt], ["second", sample.prompt]], "results");
}

async function errors({ client, sample, headers }) {
  for (const [status, kind] of [
    [400, Anthropic.BadRequestError],
    [401, Anthropic.AuthenticationError],
    [429, Anthropic.RateLimitError],
    [500, Anthropic.InternalServerError],
  ]) {
    const run = () => client.messages.create(ask(sample.prompt), headers("error", { status }));
    const failure = await fails(run, kind, status);
    same(failure.error.error.message, "prompt was: " + sample.prompt, "message");
  }
}

async function errorInStream({ client, sample, headers }) {
  const run = () => client.messages.stream(ask(sample.prompt), headers("error-stream", { delta: 5 })).finalMessage();
  await assert.rejects(run, (failure) => failure instanceof Anthropic.APIError && failure.message.includes(sample.instance));
}

async function sameEventsAsDirect({ client, direct, sample, headers, mock }) {
  for (const reply of ["text", "tool", "thinking"]) {
    for (const knobs of KNOBS) {
      const given = headers(reply, knobs);
      const request = ask(sample.prompt, { stream: true, tools: TOOLS });
      const through = await all(await client.messages.create(request, given));
      const { "x-check-id": _, ...more } = given.headers;
      const wanted = await all(await direct.messages.create(await received(mock, given), { headers: more }));
      same(skeleton(through), skeleton(wanted), `events of ${reply} with ${JSON.stringify(knobs)}`);
    }
  }
}

export const checks = [
  create,
  stream,
  streamTool,
  thinkingRoundTrip,
  agentLoop,
  countTokens,
  batch,
  errors,
  errorInStream,
  sameEventsAsDirect,
];
