"""Checks with the official OpenAI SDK."""

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
        "function": {
            "name": "bash",
            "description": "Runs a command in a shell",
            "parameters": {"type": "object", "properties": {"command": {"type": "string"}}},
        },
    }
]


def checks(bed: Bed, samples: list[Sample]) -> Iterator[Check]:
    """All checks of this SDK."""
    client = openai.OpenAI(base_url=f"{bed.gateway}/v1", api_key="sk-check", max_retries=0, timeout=60)
    for sample in samples:
        for run in (create, history, stream_text, create_tool, stream_tool, agent_loop, error, error_in_stream):
            yield f"openai {run.__name__} [{sample.name}]", lambda run=run, sample=sample: run(bed, client, sample)


def user(content: str) -> dict[str, Any]:
    return {"role": "user", "content": content}


def asking(exchange: Exchange, messages: list[Any], **more: Any) -> dict[str, Any]:
    """The arguments of a call."""
    return {"model": MODEL, "messages": messages, "extra_headers": exchange.headers, **more}


def tool_input(sample: Sample) -> dict[str, Any]:
    return {"command": sample.prompt, "ids": sample.prompt.split()}


def check_prompt_masked(bed: Bed, sample: Sample, exchange: Exchange) -> None:
    """The mock saw the prompt, as the content of the last message, without its identifiers."""
    body = bed.check_unseen(sample, exchange)
    bed.check_masked(sample, body["messages"][-1]["content"])


def create(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    exchange = bed.exchange()
    completion = client.chat.completions.create(**asking(exchange, [user(sample.prompt)]))
    check_equal(completion.choices[0].message.content, sample.prompt, "content")
    check_equal(completion.choices[0].finish_reason, "stop", "finish_reason")
    check_prompt_masked(bed, sample, exchange)


def history(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    """Earlier turns, tool calls (JSON in a string) and results are masked too, in the same way."""
    arguments = json.dumps({"command": sample.prompt}, ensure_ascii=False)
    call = {"id": "call_abc123", "type": "function", "function": {"name": "bash", "arguments": arguments}}
    messages = [
        {"role": "system", "content": sample.prompt},
        user(sample.prompt),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_abc123", "content": sample.prompt},
    ]
    exchange = bed.exchange()
    completion = client.chat.completions.create(**asking(exchange, messages, tools=TOOLS))
    check_equal(completion.choices[0].message.content, sample.prompt, "content")

    seen = bed.check_unseen(sample, exchange)
    system, first, answer, result = seen["messages"]
    bed.check_masked(sample, first["content"])
    check_equal(system["content"], first["content"], "the same text is masked in the same way")
    check_equal(result, {**messages[3], "content": first["content"]}, "tool message")
    seen_call = answer["tool_calls"][0]
    check_equal(json.loads(seen_call["function"]["arguments"]), {"command": first["content"]}, "arguments")
    check_equal((seen_call["id"], seen_call["function"]["name"]), ("call_abc123", "bash"), "tool call")
    check_equal(seen["tools"], TOOLS, "tools")


def stream_text(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    for knobs in ({"delta": 1}, {"delta": 7}, {"delta": 500}, {"delta": 5, "write": 1}):
        exchange = bed.exchange(**knobs)
        text, finish = "", None
        for chunk in client.chat.completions.create(**asking(exchange, [user(sample.prompt)], stream=True)):
            for choice in chunk.choices:
                text += choice.delta.content or ""
                finish = choice.finish_reason or finish
        check_equal(text, sample.prompt, f"streamed text with {knobs}")
        check_equal(finish, "stop", "finish_reason")
        check_prompt_masked(bed, sample, exchange)


def create_tool(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    exchange = bed.exchange("tool")
    completion = client.chat.completions.create(**asking(exchange, [user(sample.prompt)], tools=TOOLS))
    function = completion.choices[0].message.tool_calls[0].function
    check_equal((function.name, json.loads(function.arguments)), ("bash", tool_input(sample)), "tool call")
    check_equal(completion.choices[0].finish_reason, "tool_calls", "finish_reason")
    check_prompt_masked(bed, sample, exchange)


def stream_tool(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    for knobs in ({"delta": 1}, {"delta": 6}, {"delta": 1000}, {"delta": 4, "write": 3}):
        exchange = bed.exchange("tool", **knobs)
        with client.chat.completions.stream(**asking(exchange, [user(sample.prompt)], tools=TOOLS)) as stream:
            completion = stream.get_final_completion()
        function = completion.choices[0].message.tool_calls[0].function
        check_equal((function.name, json.loads(function.arguments)), ("bash", tool_input(sample)), f"call with {knobs}")
        check_prompt_masked(bed, sample, exchange)


def agent_loop(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    """The tool is called with originals, and its result goes back masked."""
    turns: list[Any] = [user(sample.prompt)]
    for _ in range(2):
        exchange = bed.exchange("agent", delta=4)
        with client.chat.completions.stream(**asking(exchange, turns, tools=TOOLS)) as stream:
            message = stream.get_final_completion().choices[0].message
        bed.check_unseen(sample, exchange)
        # what only parses has no place in a request
        turns.append(message.model_dump(exclude={"parsed": True}, exclude_none=True))
        for call in message.tool_calls or []:
            command = json.loads(call.function.arguments)["command"]
            check_equal(command, sample.prompt, "command")
            turns.append({"role": "tool", "tool_call_id": call.id, "content": f"ran: {command}"})
    check_equal(message.content, "ran: " + sample.prompt, "content")


def error_in_stream(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    exchange = bed.exchange("error-stream", delta=5)
    try:
        list(client.chat.completions.create(**asking(exchange, [user(sample.prompt)], stream=True)))
    except openai.APIError as failure:
        check_equal(failure.message, "prompt was: " + sample.prompt, "message")
    else:
        raise AssertionError("no error was raised")
    check_prompt_masked(bed, sample, exchange)


def error(bed: Bed, client: openai.OpenAI, sample: Sample) -> None:
    exchange = bed.exchange("error")
    try:
        client.chat.completions.create(**asking(exchange, [user(sample.prompt)]))
    except openai.BadRequestError as failure:
        check_equal(failure.body["message"], "prompt was: " + sample.prompt, "message in the body")
        for name, found in sample.identifiers.items():
            assert found.value in str(failure), f"the message of the exception lacks {name}"
    else:
        raise AssertionError("no error was raised")
    check_prompt_masked(bed, sample, exchange)
