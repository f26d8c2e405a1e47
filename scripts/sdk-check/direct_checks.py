"""Streams through the gateway beside streams of the mock itself: the same events, in order, with the same ids.

The mock is asked once more, directly, with the very request that reached it through the gateway. Beyond the text, what
the SDKs make of both answers must not differ.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai

from bed import Bed, Check, check_equal
from samples import Sample

CLIENT = {"max_retries": 0, "timeout": 60}
TOOL = {"description": "Runs a command in a shell", "input_schema": {"type": "object"}, "name": "bash"}
FUNCTION = {"type": "function", "name": "bash", "parameters": {"type": "object"}, "strict": False}
TEXTS = {"text", "thinking", "partial_json", "delta", "arguments", "content", "reasoning_content"}
CLOCKS = {"created", "created_at", "completed_at"}
"""Members that differ because the exchanges took place one after the other."""

Call = Callable[..., Any]


def checks(bed: Bed, samples: list[Sample]) -> Iterator[Check]:
    """All checks of this suite."""
    for sample in samples:
        for name, call, request in calls(sample):
            for reply in ("text", "tool", "thinking"):
                yield (
                    f"as direct {name} {reply} [{sample.name}]",
                    lambda call=call, request=request, reply=reply: same_events(bed, call, request, reply),
                )


def calls(sample: Sample) -> Iterator[tuple[str, Call, dict[str, Any]]]:
    """Each API's streaming call, as a function of where to send it and of the request."""
    messages = [{"role": "user", "content": sample.prompt}]

    def anthropic_messages(url: str, **request: Any) -> Any:
        return anthropic.Anthropic(base_url=url, api_key="sk-ant-check", **CLIENT).messages.create(**request)

    def chat(url: str, **request: Any) -> Any:
        return openai.OpenAI(base_url=f"{url}/v1", api_key="sk-check", **CLIENT).chat.completions.create(**request)

    def responses(url: str, **request: Any) -> Any:
        return openai.OpenAI(base_url=f"{url}/v1", api_key="sk-check", **CLIENT).responses.create(**request)

    model = {"model": "m-1", "stream": True}
    yield "messages", anthropic_messages, {**model, "max_tokens": 64, "messages": messages, "tools": [TOOL]}
    function = {"name": "bash", "parameters": {"type": "object"}}
    tools = [{"type": "function", "function": function}]
    usage = {"include_usage": True}
    yield "chat", chat, {**model, "messages": messages, "tools": tools, "stream_options": usage}
    yield "responses", responses, {**model, "input": sample.prompt, "tools": [FUNCTION]}


def same_events(bed: Bed, call: Call, request: dict[str, Any], reply: str) -> None:
    for knobs in ({"delta": 2}, {"delta": 11}, {"delta": 400}, {"delta": 5, "write": 7}):
        exchange = bed.exchange(reply, **knobs)
        through = events(call(bed.gateway, **request, extra_headers=exchange.headers))
        headers = {name: value for name, value in exchange.headers.items() if name != "x-check-id"}
        direct = events(call(bed.mock.url, **exchange.body(), extra_headers=headers))
        check_equal(len(through), len(direct), f"number of events with {knobs}")
        for at, (got, wanted) in enumerate(zip(through, direct, strict=True)):
            check_equal(got, wanted, f"event {at} with {knobs}")


def events(stream: Any) -> list[Any]:
    """What the SDK made of each event, without text."""
    return [skeleton(event.model_dump()) for event in stream]


def skeleton(value: Any, key: str = "") -> Any:
    match value:
        case dict():
            return {name: skeleton(item, name) for name, item in value.items() if name not in CLOCKS}
        case list():
            return [skeleton(item, key) for item in value]
        case str() if key in TEXTS:
            return "…"
        case str():
            # the mock counts its requests
            return re.sub(r"mock\d{8}", "mock", value)
        case _:
            return value
