// Drives the official TypeScript SDKs through the gateway.
//
// usage: node check.mjs <JOB.json
//
// JOB has gateway, mock (URLs) and samples ({ name, prompt, instance }). Each check prints a line of JSON: label,
// reason (why it failed, or null) and requests, the marks of those that hold the sample's prompt: what the mock saw of
// them, the caller judges.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

import * as anthropic from "./anthropic.mjs";
import * as openai from "./openai.mjs";

const job = JSON.parse(readFileSync(0, "utf8"));

for (const [suite, { connect, checks }] of Object.entries({ anthropic, openai })) {
  const client = connect(job.gateway);
  const direct = connect(job.mock);
  for (const sample of job.samples) {
    for (const check of checks) {
      const requests = [];
      // the headers of a request to come: its mark, the answer asked of the mock, and how it is sent
      const headers = (reply = "text", knobs = {}) => {
        const mark = randomUUID();
        requests.push(mark);
        const given = { "x-check-id": mark, "x-mock-reply": reply };
        for (const [name, value] of Object.entries(knobs)) {
          given["x-mock-" + name] = String(value);
        }

        return { headers: given };
      };
      let reason = null;
      try {
        await check({ client, direct, sample, headers, mock: job.mock });
      } catch (failure) {
        reason = String(failure).replace(/\s+/g, " ");
      }

      const label = `typescript ${suite} ${check.name} [${sample.name}]`;
      console.log(JSON.stringify({ label, reason, sample: sample.name, requests }));
    }
  }
}
