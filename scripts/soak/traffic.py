"""What the clients of the soak test do, and what each of them must get back."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable

from client import Answer, Broken, Client
from originals import Pool

TOKEN = re.compile(rb"\b[A-Z][A-Z0-9]{1,9}_(?:[A-Z2-7]{13}|[A-Z2-7]{8})\b")
ANSWER_SECONDS = 60
BODY_LIMIT = 4 * 1024 * 1024
MAX_NOTES = 20
API_KEYS = [f"key-{number}" for number in range(1, 6)]


Action = Callable[["Traffic", Client], Awaitable[None]]


class Wrong(AssertionError):
    """An answer that is not what was asked for."""


class Traffic:
    """Counts of everything that was done, and what went wrong."""

    def __init__(self, port: int, pool: Pool) -> None:
        self.port = port
        self.pool = pool
        self.done: Counter[str] = Counter()
        self.wrong = 0
        self.unexpected = 0
        self.notes: list[str] = []
        self.open = asyncio.Event()
        self.in_flight = 0
        self.stopping = False

    async def quiet(self) -> None:
        """Stops new exchanges and waits for those in flight."""
        self.open.clear()
        while self.in_flight:
            await asyncio.sleep(0.02)

    async def run_client(self) -> None:
        """One client, until the traffic stops."""
        client = Client(self.port)
        choices, weights = zip(*ACTIONS)
        while not self.stopping:
            await self.open.wait()
            await self._run(self.pool.random.choices(choices, weights)[0], client)
            # lets the others go on even where every answer is there at once
            await asyncio.sleep(0)
        client.close()

    async def peak(self, clients: int) -> None:
        """As many of the largest exchanges at once as there will ever be."""
        for action in (large, large_answer, oversized, large):
            connections = [Client(self.port) for _ in range(clients)]
            await asyncio.gather(*(self._run(action, client) for client in connections))
            for client in connections:
                client.close()

    async def say_everything(self, clients: int) -> None:
        """Every original under every API key, over so many connections that each worker has met them all."""
        text = self.pool.everything()
        for key in API_KEYS:

            async def everything(traffic: Traffic, client: Client) -> None:
                answer = await traffic.send(client, messages(text), key=key)
                check_status(answer, 200)
                check_text(answer.json()["content"][0]["text"], text)

            connections = [Client(self.port) for _ in range(clients)]
            await asyncio.gather(*(self._run(everything, client) for client in connections))
            for client in connections:
                client.close()

    async def _run(self, action: Action, client: Client) -> None:
        self.in_flight += 1
        try:
            await asyncio.wait_for(action(self, client), ANSWER_SECONDS)
            self.done[action.__name__] += 1
        except Wrong as error:
            self.wrong += 1
            self._note(f"{action.__name__}: {error}")
        except (Broken, TimeoutError, OSError, ValueError, LookupError, AssertionError) as error:
            self.unexpected += 1
            self._note(f"{action.__name__}: {type(error).__name__}: {error}")
            client.close()
        finally:
            self.in_flight -= 1

    def _note(self, text: str) -> None:
        if len(self.notes) < MAX_NOTES:
            self.notes.append(text)

    async def send(
        self, client: Client, body: dict, path: str = "/v1/messages", leave_after=None, key: str | None = None, **knobs
    ) -> Answer:
        headers = {"Content-Type": "application/json", "x-api-key": key or self.pool.random.choice(API_KEYS)}
        headers |= {"x-mock-" + name.replace("_", "-"): str(value) for name, value in knobs.items()}
        return await client.request("POST", path, headers, json.dumps(body).encode(), leave_after)


def messages(content: object, **more: object) -> dict:
    return {"model": "mock", "max_tokens": 1024, "messages": [{"role": "user", "content": content}]} | more


def check_status(answer: Answer, *wanted: int) -> None:
    assert answer.status in wanted, f"status {answer.status}, wanted {wanted}"


def check_text(text: str, wanted: str) -> None:
    if text != wanted:
        raise Wrong(f"{len(text)} characters came back for {len(wanted)}, or others")


def check_no_token(body: bytes) -> None:
    if TOKEN.search(body):
        raise Wrong("a token was not restored")


def events(body: bytes) -> list[dict]:
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line != b"[DONE]"]


async def plain(traffic: Traffic, client: Client) -> None:
    text = traffic.pool.text()
    answer = await traffic.send(client, messages(text), write=traffic.pool.random.choice([7, 64, 4096]))
    check_status(answer, 200)
    check_text(answer.json()["content"][0]["text"], text)


async def streamed(traffic: Traffic, client: Client) -> None:
    text = traffic.pool.text()
    knobs = {"delta": traffic.pool.random.randint(1, 20), "write": traffic.pool.random.choice([1, 13, 1000])}
    answer = await traffic.send(client, messages(text, stream=True), **knobs)
    check_status(answer, 200)
    check_text("".join(event.get("delta", {}).get("text", "") for event in events(answer.body)), text)


async def large(traffic: Traffic, client: Client) -> None:
    text = traffic.pool.text(size=traffic.pool.random.randint(50_000, 600_000))
    answer = await traffic.send(client, messages(text, stream=traffic.pool.random.random() < 0.3), delta=500)
    check_status(answer, 200)
    if answer.headers["content-type"].startswith("text/event-stream"):
        check_text("".join(event.get("delta", {}).get("text", "") for event in events(answer.body)), text)
    else:
        check_text(answer.json()["content"][0]["text"], text)


async def large_answer(traffic: Traffic, client: Client) -> None:
    answer = await traffic.send(client, messages(traffic.pool.text()), reply="large", size=1_000_000)
    check_status(answer, 200)
    check_no_token(answer.body)


async def tool(traffic: Traffic, client: Client) -> None:
    text = traffic.pool.text()
    tools = [{"name": "run", "description": traffic.pool.text(), "input_schema": {"type": "object"}}]
    answer = await traffic.send(client, messages(text, tools=tools), reply="tool")
    check_status(answer, 200)
    called = next(block for block in answer.json()["content"] if block["type"] == "tool_use")
    check_text(called["input"]["command"], text)


async def streamed_tool(traffic: Traffic, client: Client) -> None:
    text = traffic.pool.text()
    result = [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": text}]}]
    answer = await traffic.send(client, messages(result, stream=True), reply="tool", delta=5)
    check_status(answer, 200)
    said = "".join(event.get("delta", {}).get("partial_json", "") for event in events(answer.body))
    check_text(json.loads(said)["command"], text)


async def chat(traffic: Traffic, client: Client) -> None:
    text = traffic.pool.text()
    stream = traffic.pool.random.random() < 0.5
    answer = await traffic.send(client, messages(text, stream=stream), path="/v1/chat/completions", delta=6)
    check_status(answer, 200)
    if stream:
        choices = [choice for event in events(answer.body) for choice in event["choices"]]
        check_text("".join(choice["delta"].get("content") or "" for choice in choices), text)
    else:
        check_text(answer.json()["choices"][0]["message"]["content"], text)


async def clean(traffic: Traffic, client: Client) -> None:
    text = traffic.pool.clean_text()
    answer = await traffic.send(client, messages(text))
    check_status(answer, 200)
    check_text(answer.json()["content"][0]["text"], text)


async def error(traffic: Traffic, client: Client) -> None:
    text = traffic.pool.text()
    answer = await traffic.send(client, messages(text), reply="error")
    check_status(answer, 400)
    if text not in answer.json()["error"]["message"]:
        raise Wrong("the error does not quote what was sent")


async def error_in_stream(traffic: Traffic, client: Client) -> None:
    answer = await traffic.send(client, messages(traffic.pool.text(), stream=True), reply="error-stream", delta=4)
    check_status(answer, 200)
    check_no_token(answer.body)


async def upstream_fault(traffic: Traffic, client: Client) -> None:
    status = traffic.pool.random.choice([429, 500, 503, 529])
    answer = await traffic.send(client, messages(traffic.pool.text()), status=status)
    check_status(answer, status)
    check_no_token(answer.body)


async def upstream_reset(traffic: Traffic, client: Client) -> None:
    body = messages(traffic.pool.text(size=3000), stream=traffic.pool.random.random() < 0.5)
    try:
        check_status(await traffic.send(client, body, reply="reset"), 200, 502)
    except Broken:
        pass


async def leaving(traffic: Traffic, client: Client) -> None:
    body = messages(traffic.pool.text(size=20_000), stream=True)
    await traffic.send(client, body, delta=9, delay_ms=1, leave_after=traffic.pool.random.randint(1, 3000))


async def invalid(traffic: Traffic, client: Client) -> None:
    headers = {"Content-Type": "application/json"}
    body = json.dumps(messages(traffic.pool.text())).encode()[:-3]
    check_status(await client.request("POST", "/v1/messages", headers, body), 400)


async def oversized(traffic: Traffic, client: Client) -> None:
    body = messages(traffic.pool.text() + "x" * BODY_LIMIT)
    try:
        check_status(await traffic.send(client, body), 413)
    except Broken:
        # the gateway may answer and hang up before the body is through
        pass


ACTIONS: list[tuple[Action, int]] = [
    (plain, 20),
    (streamed, 20),
    (large, 4),
    (large_answer, 1),
    (tool, 6),
    (streamed_tool, 6),
    (chat, 8),
    (clean, 8),
    (error, 4),
    (error_in_stream, 4),
    (upstream_fault, 4),
    (upstream_reset, 3),
    (leaving, 6),
    (invalid, 3),
    (oversized, 1),
]
