"""Checks with the official Anthropic SDK."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import anthropic

from bed import Bed, Check, Exchange, check_equal
from samples import Sample

MODEL = "claude-sonnet-4-5"
TOOLS = [
    {
        "name": "bash",
        "description": "Runs a command in a shell",
        "input_schema": {
            "type": "object",
            "properties": {"command": {"type": "string"}, "ids": {"type": "array", "items": {"type": "string"}}},
            "required": ["command"],
        },
    }
]
CLIENT = {"api_key": "sk-ant-check", "max_retries": 0, "timeout": 60}


def checks(bed: Bed, samples: list[Sample]) -> Iterator[Check]:
    """All checks of this SDK."""
    client = anthropic.Anthropic(base_url=bed.gateway, **CLIENT)
    for sample in samples:
        for run in (
            create,
            create_from_blocks,
            history,
            stream_text,
            create_tool,
            stream_tool,
            tool_round_trip,
            agent_loop,
            create_thinking,
            stream_thinking,
            count_tokens,
            error,
            errors_by_status,
            error_in_stream,
            create_async,
            stream_async,
        ):
            yield f"anthropic {run.__name__} [{sample.name}]", lambda run=run, sample=sample: run(bed, client, sample)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def asking(exchange: Exchange, messages: list[Any], **more: Any) -> dict[str, Any]:
    """The arguments of a call."""
    return {
        "model": MODEL,
        "max_tokens": 1024,
        "messages": messages,
        "extra_headers": exchange.headers,
        **more,
    }


def tool_input(sample: Sample) -> dict[str, Any]:
    return {"command": sample.prompt, "ids": sample.prompt.split()}


def check_prompt_masked(bed: Bed, sample: Sample, exchange: Exchange) -> dict[str, str]:
    """The mock saw the prompt, as the content of the last message, without its identifiers."""
    body = bed.check_unseen(sample, exchange)
    return bed.check_masked(sample, body["messages"][-1]["content"])


def create(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    exchange = bed.exchange()
    message = client.messages.create(**asking(exchange, [user(sample.prompt)]))
    check_equal([block.type for block in message.content], ["text"], "blocks")
    check_equal(message.content[0].text, sample.prompt, "text")
    check_equal(message.stop_reason, "end_turn", "stop_reason")
    check_prompt_masked(bed, sample, exchange)


def create_from_blocks(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    exchange = bed.exchange()
    cached = {"type": "text", "text": sample.prompt, "cache_control": {"type": "ephemeral"}}
    content = [cached, {"type": "text", "text": "\nAgain:\n"}, {"type": "text", "text": sample.prompt}]
    message = client.messages.create(**asking(exchange, [user(content)]))
    check_equal(message.content[0].text, f"{sample.prompt}\nAgain:\n{sample.prompt}", "text")
    seen = bed.check_unseen(sample, exchange)["messages"][0]["content"]
    check_equal(seen[0]["text"], seen[2]["text"], "the same text is masked in the same way")
    check_equal(seen[0]["cache_control"], {"type": "ephemeral"}, "cache_control")
    bed.check_masked(sample, seen[0]["text"])


def history(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    """Earlier turns, tool calls and results are masked too, each identifier in the same way everywhere."""
    ids = {name: found.value for name, found in sample.identifiers.items()}
    call = {"command": f"aws ec2 describe-instances --instance-ids {ids['instance']}", "ids": list(ids.values())}
    messages = [
        user(sample.prompt),
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": sample.prompt},
                {"type": "tool_use", "id": "toolu_01A09q90qw90lq917835lq9", "name": "bash", "input": call},
            ],
        },
        user(
            [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_01A09q90qw90lq917835lq9",
                    "content": [{"type": "text", "text": sample.prompt}],
                },
                {"type": "text", "text": " / "},
                {"type": "tool_result", "tool_use_id": "toolu_01B", "content": sample.prompt},
            ]
        ),
    ]
    exchange = bed.exchange()
    message = client.messages.create(**asking(exchange, messages, system=sample.prompt, tools=TOOLS))
    check_equal(message.content[0].text, f"{sample.prompt} / {sample.prompt}", "text")

    seen = bed.check_unseen(sample, exchange)
    first, answer, last = (turn["content"] for turn in seen["messages"])
    places = [seen["system"], first, answer[0]["text"], last[0]["content"][0]["text"], last[2]["content"]]
    stand_ins = bed.check_masked(sample, first)
    for place in places:
        check_equal(place, first, "the same text is masked in the same way")
    wanted = {"command": f"aws ec2 describe-instances --instance-ids {stand_ins['instance']}"}
    wanted["ids"] = [stand_ins[name] for name in ids]
    check_equal(answer[1], {**messages[1]["content"][1], "input": wanted}, "tool_use")
    check_equal(last[0]["tool_use_id"], "toolu_01A09q90qw90lq917835lq9", "tool_use_id")
    check_equal(seen["tools"], TOOLS, "tools")


def stream_text(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    for knobs in ({"delta": 1}, {"delta": 7}, {"delta": 500}, {"delta": 5, "write": 1}, {"delta": 9, "write": 37}):
        exchange = bed.exchange(**knobs)
        with client.messages.stream(**asking(exchange, [user(sample.prompt)])) as stream:
            pieces = list(stream.text_stream)
            message = stream.get_final_message()
        check_equal("".join(pieces), sample.prompt, f"streamed text with {knobs}")
        check_equal(message.content[0].text, sample.prompt, f"text of the final message with {knobs}")
        check_equal(message.stop_reason, "end_turn", "stop_reason")
        check_prompt_masked(bed, sample, exchange)


def create_tool(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    exchange = bed.exchange("tool")
    message = client.messages.create(**asking(exchange, [user(sample.prompt)], tools=TOOLS))
    check_equal(message.stop_reason, "tool_use", "stop_reason")
    check_equal((message.content[1].name, message.content[1].input), ("bash", tool_input(sample)), "tool call")
    check_prompt_masked(bed, sample, exchange)


def stream_tool(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    for knobs in ({"delta": 1}, {"delta": 6}, {"delta": 1000}, {"delta": 4, "write": 3}):
        exchange = bed.exchange("tool", **knobs)
        fragments = []
        with client.messages.stream(**asking(exchange, [user(sample.prompt)], tools=TOOLS)) as stream:
            for event in stream:
                if event.type == "input_json":
                    fragments.append(event.partial_json)
            message = stream.get_final_message()
        check_equal(json.loads("".join(fragments)), tool_input(sample), f"fragments with {knobs}")
        check_equal(message.content[1].input, tool_input(sample), f"input of the final message with {knobs}")
        check_equal(message.stop_reason, "tool_use", "stop_reason")
        check_prompt_masked(bed, sample, exchange)


def tool_round_trip(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    """A tool call that the client sends back reaches the mock as the mock had made it."""
    first = bed.exchange("tool", delta=5)
    with client.messages.stream(**asking(first, [user(sample.prompt)], tools=TOOLS)) as stream:
        message = stream.get_final_message()
    made = check_prompt_and_seen(bed, sample, first)

    second = bed.exchange()
    result = {"type": "tool_result", "tool_use_id": message.content[1].id, "content": sample.prompt}
    turns = [user(sample.prompt), {"role": "assistant", "content": message.content}, user([result])]
    answer = client.messages.create(**asking(second, turns, tools=TOOLS))
    check_equal(answer.content[0].text, sample.prompt, "text")
    call = bed.check_unseen(sample, second)["messages"][1]["content"][1]
    check_equal(call["input"], {"command": made, "ids": made.split()}, "input that came back")
    check_equal(call["id"], message.content[1].id, "id that came back")


def agent_loop(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    """The SDK's own loop: the tool is called with originals, and its result goes back masked."""
    commands = []

    @anthropic.beta_tool
    def bash(command: str, ids: list[str]) -> str:
        """Runs a command in a shell.

        Args:
            command: what to run
            ids: the words of it
        """
        commands.append((command, ids))
        return f"ran: {command}"

    exchange = bed.exchange("agent", delta=4)
    call = asking(exchange, [user(sample.prompt)], tools=[bash])
    messages = list(client.beta.messages.tool_runner(**call))
    check_equal(commands, [(sample.prompt, sample.prompt.split())], "calls of the tool")
    check_equal([message.stop_reason for message in messages], ["tool_use", "end_turn"], "turns")
    check_equal(messages[-1].content[0].text, "ran: " + sample.prompt, "text of the last turn")
    for entry in exchange.all_received():
        bed.check_entry_unseen(sample, entry)


def check_prompt_and_seen(bed: Bed, sample: Sample, exchange: Exchange) -> str:
    """As `check_prompt_masked`; returns the prompt that the mock saw, which is what it echoes."""
    check_prompt_masked(bed, sample, exchange)
    return exchange.body()["messages"][-1]["content"]


def check_thinking_comes_back(
    bed: Bed, client: anthropic.Anthropic, sample: Sample, first: Exchange, message: Any
) -> None:
    """The thinking that the client got, sent back, reaches the mock byte for byte as the mock had sent it."""
    check_equal([block.type for block in message.content], ["thinking", "text"], "blocks")
    check_equal(message.content[1].text, sample.prompt, "text")
    sent = check_prompt_and_seen(bed, sample, first)

    second = bed.exchange()
    turns = [user(sample.prompt), {"role": "assistant", "content": message.content}, user("Go on.")]
    # the mock refuses thinking whose signature does not fit, as the real API does
    answer = client.messages.create(**asking(second, turns))
    check_equal(answer.content[0].text, "Go on.", "text of the next turn")
    block, text = bed.check_unseen(sample, second)["messages"][1]["content"][:2]
    signature = "sig-" + hashlib.sha256(sent.encode()).hexdigest()
    check_equal(block, {"type": "thinking", "thinking": sent, "signature": signature}, "thinking that came back")
    check_equal(text["text"], sent, "text that came back")


def create_thinking(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    exchange = bed.exchange("thinking")
    message = client.messages.create(**asking(exchange, [user(sample.prompt)]))
    check_thinking_comes_back(bed, client, sample, exchange, message)


def stream_thinking(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    for delta in (1, 8, 300):
        exchange = bed.exchange("thinking", delta=delta)
        with client.messages.stream(**asking(exchange, [user(sample.prompt)])) as stream:
            message = stream.get_final_message()
        check_thinking_comes_back(bed, client, sample, exchange, message)


def count_tokens(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    exchange = bed.exchange()
    count = client.messages.count_tokens(model=MODEL, messages=[user(sample.prompt)], extra_headers=exchange.headers)
    assert count.input_tokens > 0
    check_prompt_masked(bed, sample, exchange)


def check_error_quotes(failure: anthropic.APIStatusError, sample: Sample) -> None:
    """The error quotes the prompt as the client wrote it."""
    check_equal(failure.body["error"]["message"], "prompt was: " + sample.prompt, "message in the body")
    for name, found in sample.identifiers.items():
        assert found.value in str(failure), f"the message of the exception lacks {name}"


def error(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    exchange = bed.exchange("error")
    try:
        client.messages.create(**asking(exchange, [user(sample.prompt)]))
    except anthropic.APIStatusError as failure:
        assert isinstance(failure, anthropic.BadRequestError), f"an error of another kind: {type(failure)}"
        check_equal(failure.status_code, 400, "status")
        check_error_quotes(failure, sample)
    else:
        raise AssertionError("no error was raised")
    check_prompt_masked(bed, sample, exchange)


def errors_by_status(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    for status, kind in (
        (401, anthropic.AuthenticationError),
        (403, anthropic.PermissionDeniedError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
    ):
        exchange = bed.exchange("error", status=status)
        try:
            client.messages.create(**asking(exchange, [user(sample.prompt)]))
        except anthropic.APIStatusError as failure:
            check_equal((type(failure), failure.status_code), (kind, status), "exception")
            check_error_quotes(failure, sample)
        else:
            raise AssertionError("no error was raised")


def error_in_stream(bed: Bed, client: anthropic.Anthropic, sample: Sample) -> None:
    exchange = bed.exchange("error-stream", delta=5)
    try:
        with client.messages.stream(**asking(exchange, [user(sample.prompt)])) as stream:
            stream.get_final_message()
    except anthropic.APIStatusError as failure:
        check_error_quotes(failure, sample)
    else:
        raise AssertionError("no error was raised")
    check_prompt_masked(bed, sample, exchange)


def create_async(bed: Bed, _client: anthropic.Anthropic, sample: Sample) -> None:
    async def run() -> None:
        async with anthropic.AsyncAnthropic(base_url=bed.gateway, **CLIENT) as client:
            message = await client.messages.create(**asking(exchange, [user(sample.prompt)]))
        check_equal(message.content[0].text, sample.prompt, "text")

    exchange = bed.exchange()
    asyncio.run(run())
    check_prompt_masked(bed, sample, exchange)


def stream_async(bed: Bed, _client: anthropic.Anthropic, sample: Sample) -> None:
    async def run() -> str:
        call = asking(exchange, [user(sample.prompt)])
        client = anthropic.AsyncAnthropic(base_url=bed.gateway, **CLIENT)
        async with client, client.messages.stream(**call) as stream:
            return "".join([piece async for piece in stream.text_stream])

    exchange = bed.exchange(delta=3)
    check_equal(asyncio.run(run()), sample.prompt, "text")
    check_prompt_masked(bed, sample, exchange)
