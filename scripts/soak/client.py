"""A small HTTP/1.1 client on asyncio that keeps its connection, and that can leave in the middle of an answer."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

READ_BYTES = 65536


class Broken(Exception):
    """The connection ended before the answer did."""


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"", leave_after: int | None = None
    ) -> Answer:
        """Sends a request and reads the whole answer, or `leave_after` bytes of its body before it hangs up."""
        is_reused = self.streams is not None
        while True:
            if self.streams is None:
                self.streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
            answer = Answer()
            try:
                await self._exchange(answer, method, path, headers or {}, body, leave_after)
                return answer
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                self.close()
                # a server may close a connection that waits for the next request at any time
                if is_reused and not answer.status:
                    is_reused = False
                    continue
                raise Broken(str(error)) from error
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        if self.streams:
            self.streams[1].close()
            self.streams = None

    async def _exchange(
        self, answer: Answer, method: str, path: str, headers: dict[str, str], body: bytes, leave_after: int | None
    ) -> None:
        reader, writer = self.streams
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()

        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        answer.status = int(head[0].split(" ")[1])
        for line in filter(None, head[1:]):
            name, _, value = line.partition(":")
            answer.headers[name.lower()] = value.strip()

        async for piece in self._pieces(answer):
            answer.body += piece
            if leave_after is not None and len(answer.body) >= leave_after:
                self.close()
                return
        if answer.headers.get("connection", "").lower() == "close":
            self.close()

    async def _pieces(self, answer: Answer):
        reader = self.streams[0]
        if answer.status in (204, 304):
            return
        if "chunked" in answer.headers.get("transfer-encoding", ""):
            while True:
                size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
                piece = await reader.readexactly(size + 2)
                if size == 0:
                    return
                yield piece[:-2]
        elif "content-length" in answer.headers:
            left = int(answer.headers["content-length"])
            while left > 0:
                piece = await reader.read(min(left, READ_BYTES))
                if not piece:
                    raise Broken("the answer is shorter than it says")
                left -= len(piece)
                yield piece
        else:
            while piece := await reader.read(READ_BYTES):
                yield piece
            self.close()


async def ask(port: int, method: str, path: str, body: Any = None, timeout: float = 60) -> Any:
    """One request on a connection of its own; JSON both ways."""
    client = Client(port)
    try:
        data = b"" if body is None else json.dumps(body).encode()
        answer = await asyncio.wait_for(
            client.request(method, path, {"Content-Type": "application/json", "Connection": "close"}, data), timeout
        )
        assert answer.status < 300, f"{method} {path}: status {answer.status}"
        return answer.json() if answer.body else None
    finally:
        client.close()
