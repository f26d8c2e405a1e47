"""Checks of OpenAI's Responses, embeddings and bare prompts with the official SDK."""

import json
from collections.abc import Iterator
from typing import Any

import openai

from bed import Bed, Check, Exchange, check_equal
from samples import Sample

MODEL = "gpt-5"
TOOLS = [
    {
        "type": "function",
        "name": "bash",
        "description": "Runs a command in a shell",
        "parameters": {"type": "object", "properties": {"command": {"type": "string"}}},
        "strict": False,
    }
]


def checks(bed: Bed, samples: list[Sample]) -> Iterator[Check]:
    """All checks of this suite."""
    client = openai.OpenAI(base_url=f"{bed.gateway}/v1", api_key="sk-check", max_retries=0, timeout=60)
    for sample in samples:
        for run in (
            create,
            from_items,
            stream_text,
            stream_tool,
            agent_loop,
            previous_response,
            reasoning_round_trip,
            error,
            error_in_stream,
            embeddings,
            bare_prompt,
        ):
            yield f"responses {run.__name__} [{sample.name}]", lambda run=run, sample=sample: run(bed, client, sample)


def asking(exchange: Exchange, asked: Any, **more: Any) -> dict[str, Any]:
    """The arguments of a call."""
    return {"model": MODEL, "input": asked, "extra_headers": exchange.headers, **more}


def check_input_masked(bed: Bed, sample: Sample, exchange: Exchange) -> dict[str, str]:
    return bed.check_masked(sample, bed.check_unseen(sample, exchange)["input"])


def create(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    exchange = bed.exchange()
    given = {"metadata": {"note": sample.identifiers["instance"].value}, "instructions": sample.prompt}
    response = client.responses.create(**asking(exchange, sample.prompt, **given))
    check_equal(response.output_text, sample.prompt, "output_text")
    check_equal((response.instructions, response.metadata), (sample.prompt, given["metadata"]), "what is repeated")
    check_input_masked(bed, sample, exchange)
    # asked for later, the API tells it from what it kept
    check_equal(client.responses.retrieve(response.id).output_text, sample.prompt, "output_text of what was kept")


def from_items(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    """Earlier turns, tool calls (JSON in a string) and results are masked too, in the same way."""
    call = {
        "type": "function_call",
        "call_id": "call_abc123",
        "name": "bash",
        "arguments": json.dumps({"command": sample.prompt}, ensure_ascii=False),
    }
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": sample.prompt}]},
        call,
        {"type": "function_call_output", "call_id": "call_abc123", "output": sample.prompt},
    ]
    exchange = bed.exchange()
    response = client.responses.create(**asking(exchange, items, tools=TOOLS))
    check_equal(response.output_text, sample.prompt, "output_text")
    message, seen_call, result = bed.check_unseen(sample, exchange)["input"]
    text = message["content"][0]["text"]
    bed.check_masked(sample, text)
    check_equal(json.loads(seen_call["arguments"]), {"command": text}, "arguments")
    check_equal((seen_call["call_id"], seen_call["name"], result["output"]), ("call_abc123", "bash", text), "items")


def stream_text(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    for knobs in ({"delta": 1}, {"delta": 7}, {"delta": 500}, {"delta": 5, "write": 1}):
        exchange = bed.exchange(**knobs)
        pieces, done, numbers = [], None, []
        with client.responses.stream(**asking(exchange, sample.prompt)) as stream:
            for event in stream:
                numbers.append(event.sequence_number)
                if event.type == "response.output_text.delta":
                    pieces.append(event.delta)
                elif event.type == "response.output_text.done":
                    done = event.text
            final = stream.get_final_response()
        check_equal("".join(pieces), sample.prompt, f"streamed text with {knobs}")
        check_equal((done, final.output_text), (sample.prompt, sample.prompt), f"whole texts with {knobs}")
        check_equal(numbers, list(range(len(numbers))), "sequence numbers")
        check_input_masked(bed, sample, exchange)


def stream_tool(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    wanted = {"command": sample.prompt, "ids": sample.prompt.split()}
    for knobs in ({"delta": 1}, {"delta": 6}, {"delta": 1000}, {"delta": 4, "write": 3}):
        exchange = bed.exchange("tool", **knobs)
        pieces = []
        with client.responses.stream(**asking(exchange, sample.prompt, tools=TOOLS)) as stream:
            for event in stream:
                if event.type == "response.function_call_arguments.delta":
                    pieces.append(event.delta)
            final = stream.get_final_response()
        check_equal(json.loads("".join(pieces)), wanted, f"fragments with {knobs}")
        check_equal(json.loads(final.output[1].arguments), wanted, f"arguments of the final response with {knobs}")
        check_input_masked(bed, sample, exchange)


def agent_loop(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    """The tool is called with originals, and its result goes back masked, twice."""
    turns: list[Any] = [{"role": "user", "content": sample.prompt}]
    for _ in range(2):
        exchange = bed.exchange("agent")
        response = client.responses.create(**asking(exchange, turns, tools=TOOLS))
        bed.check_unseen(sample, exchange)
        calls = [item for item in response.output if item.type == "function_call"]
        turns += response.output
        for call in calls:
            check_equal(json.loads(call.arguments)["command"], sample.prompt, "command")
            output = "ran: " + json.loads(call.arguments)["command"]
            turns.append({"type": "function_call_output", "call_id": call.call_id, "output": output})
    assert not calls, "the loop did not end"
    check_equal(response.output_text, "ran: " + sample.prompt, "output_text")


def previous_response(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    """What the API itself kept comes back restored although the request does not hold it."""
    first = client.responses.create(**asking(bed.exchange(), sample.prompt))
    exchange = bed.exchange(delta=3)
    more = {"previous_response_id": first.id, "stream": True}
    events = client.responses.create(**asking(exchange, "And now?", **more))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    check_equal(text, sample.prompt + "\nAnd now?", "text")
    check_equal(exchange.body()["previous_response_id"], first.id, "previous_response_id")


def reasoning_round_trip(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    """A summary of reasoning is shown restored and goes back as it came; the mock refuses another one."""
    for more in ({}, {"stream": True}):
        exchange = bed.exchange("thinking", delta=4)
        answer = client.responses.create(**asking(exchange, sample.prompt, **more))
        if more:
            answer = [event for event in answer if event.type == "response.completed"][0].response
        reasoning = answer.output[0]
        check_equal(reasoning.summary[0].text, sample.prompt, "summary")
        turns = [{"role": "user", "content": sample.prompt}, *answer.output, {"role": "user", "content": "Go on."}]
        back = client.responses.create(**asking(bed.exchange(), turns))
        check_equal(back.output_text, "Go on.", "text of the next turn")


def error(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    for status, kind in (
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ):
        exchange = bed.exchange("error", status=status)
        try:
            client.responses.create(**asking(exchange, sample.prompt))
        except openai.APIStatusError as failure:
            check_equal((type(failure), failure.status_code), (kind, status), "exception")
            check_equal(failure.body["message"], "prompt was: " + sample.prompt, "message in the body")
        else:
            raise AssertionError("no error was raised")
        check_input_masked(bed, sample, exchange)


def error_in_stream(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    exchange = bed.exchange("error-stream", delta=5)
    try:
        events = list(client.responses.create(**asking(exchange, sample.prompt, stream=True)))
    except openai.APIError as failure:
        message = failure.message
    else:
        message = events[-1].message
    assert sample.identifiers["instance"].value in message, "the message does not quote the prompt"
    check_input_masked(bed, sample, exchange)


def embeddings(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    exchange = bed.exchange()
    answer = client.embeddings.create(
        model="text-embedding-3-small", input=[sample.prompt, sample.prompt], extra_headers=exchange.headers
    )
    first, second = (item.embedding for item in answer.data)
    assert first == second and len(first) > 1, "the same text has the same embedding"
    for text in bed.check_unseen(sample, exchange)["input"]:
        bed.check_masked(sample, text)


def bare_prompt(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    exchange = bed.exchange(delta=3)
    chunks = client.completions.create(
        model="gpt-3.5-turbo-instruct", prompt=sample.prompt, stream=True, extra_headers=exchange.headers
    )
    check_equal("".join(chunk.choices[0].text for chunk in chunks), sample.prompt, "text")
    bed.check_masked(sample, bed.check_unseen(sample, exchange)["prompt"])
