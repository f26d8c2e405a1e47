// Checks of openai.
import assert from "node:assert/strict";

import OpenAI from "openai";

import { all, fails, received, same, skeleton } from "./expect.mjs";

const FUNCTION = { name: "bash", parameters: { type: "object", properties: { command: { type: "string" } } } };
const TOOLS = [{ type: "function", function: FUNCTION }];
const FLAT_TOOLS = [{ type: "function", strict: false, ...FUNCTION }];
const KNOBS = [{ delta: 1 }, { delta: 7 }, { delta: 500 }, { delta: 5, write: 1 }];

export function connect(url) {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "sk-check", maxRetries: 0, timeout: 60000 });
}

const chat = (content, more = {}) => ({ model: "gpt-5", messages: [{ role: "user", content }], ...more });
const respond = (input, more = {}) => ({ model: "gpt-5", input, ...more });

async function create({ client, sample, headers }) {
  const completion = await client.chat.completions.create(chat(sample.prompt), headers());
  same(completion.choices[0].message.content, sample.prompt, "content");
  const response = await client.responses.create(respond(sample.prompt), headers());
  same(response.output_text, sample.prompt, "output_text");
}

async function streamChat({ client, sample, headers }) {
  for (const knobs of KNOBS) {
    const stream = client.chat.completions.stream(chat(sample.prompt), headers("text", knobs));
    same(await stream.finalContent(), sample.prompt, `content with ${JSON.stringify(knobs)}`);
  }
}

async function streamResponses({ client, sample, headers }) {
  for (const knobs of KNOBS) {
    const stream = client.responses.stream(respond(sample.prompt), headers("text", knobs));
    let text = "";
    const numbers = [];
    stream.on("event", (event) => numbers.push(event.sequence_number));
    stream.on("response.output_text.delta", (event) => {
      text += event.delta;
    });
    const response = await stream.finalResponse();
    same([text, response.output_text], [sample.prompt, sample.prompt], `texts with ${JSON.stringify(knobs)}`);
    same(numbers, [...numbers.keys()], "sequence numbers");
  }
}

async function streamTool({ client, sample, headers }) {
  const wanted = { command: sample.prompt, ids: sample.prompt.split(/\s+/).filter(Boolean) };
  for (const knobs of KNOBS) {
    const stream = client.chat.completions.stream(chat(sample.prompt, { tools: TOOLS }), headers("tool", knobs));
    const { tool_calls: calls } = (await stream.finalMessage());
    same(JSON.parse(calls[0].function.arguments), wanted, `arguments with ${JSON.stringify(knobs)}`);
  }
}

// the SDK's own loop
async function agentLoop({ client, sample, headers }) {
  const commands = [];
  const bash = {
    type: "function",
    function: {
      ...FUNCTION,
      parse: JSON.parse,
      function: ({ command }) => {
        commands.push(command);
        return "ran: " + command;
      },
    },
  };
  const given = headers("agent", { delta: 4 });
  const runner = client.chat.completions.runTools(chat(sample.prompt, { tools: [bash], stream: true }), given);
  same(await runner.finalContent(), "ran: " + sample.prompt, "content of the last turn");
  same(commands, [sample.prompt], "commands");
}

async function previousResponse({ client, sample, headers }) {
  const first = await client.responses.create(respond(sample.prompt), headers());
  const knobs = { headers: { "x-mock-delta": "3" } };
  const more = { previous_response_id: first.id, stream: true };
  const events = await all(await client.responses.create(respond("And now?", more), knobs));
  const text = events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta);
  same(text.join(""), sample.prompt + "\nAnd now?", "text");
}

async function errors({ client, sample, headers }) {
  for (const [status, kind] of [
    [400, OpenAI.BadRequestError],
    [401, OpenAI.AuthenticationError],
    [429, OpenAI.RateLimitError],
    [500, OpenAI.InternalServerError],
  ]) {
    const run = () => client.chat.completions.create(chat(sample.prompt), headers("error", { status }));
    const failure = await fails(run, kind, status);
    same(failure.error.message, "prompt was: " + sample.prompt, "message");
  }
}

async function errorInStream({ client, sample, headers }) {
  const given = headers("error-stream", { delta: 5 });
  const run = async () => all(await client.chat.completions.create(chat(sample.prompt, { stream: true }), given));
  await assert.rejects(run, (failure) => failure instanceof OpenAI.APIError && failure.message.includes(sample.instance));
}

async function sameEventsAsDirect({ client, direct, sample, headers, mock }) {
  const calls = [
    [(to, body, options) => to.chat.completions.create(body, options), chat(sample.prompt, { tools: TOOLS })],
    [(to, body, options) => to.responses.create(body, options), respond(sample.prompt, { tools: FLAT_TOOLS })],
  ];
  for (const [call, request] of calls) {
    for (const reply of ["text", "tool", "thinking"]) {
      for (const knobs of KNOBS) {
        const given = headers(reply, knobs);
        const through = await all(await call(client, { ...request, stream: true }, given));
        const { "x-check-id": _, ...more } = given.headers;
        const wanted = await all(await call(direct, await received(mock, given), { headers: more }));
        same(skeleton(through), skeleton(wanted), `events of ${reply} with ${JSON.stringify(knobs)}`);
      }
    }
  }
}

export const checks = [
  create,
  streamChat,
  streamResponses,
  streamTool,
  agentLoop,
  previousResponse,
  errors,
  errorInStream,
  sameEventsAsDirect,
];
