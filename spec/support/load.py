"""Sends requests to a gateway from many clients at once and checks every answer.

usage: load.py --port PORT --clients N (--requests N | --seconds S) [--path PATH] [--tokens FILE]

Each request holds an identifier that nobody has sent before, and a token of FILE (lines "TOKEN ORIGINAL") that only the
vault can explain. The answer has to be the request's own text: what was masked restored, the token restored or as it
was. Prints one JSON object.
"""

import argparse
import asyncio
import json
import time

TIMEOUT_SECONDS = 30
# the ids of a run begin with this, so that a leak is found by it
PREFIX = "i-0feed"


async def read_answer(reader):
    """Gives status and body of one answer with a Content-Length or in chunks."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ")[1])
    headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:] if line}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readline()
        return status, body
    return status, await reader.readexactly(int(headers["content-length"]))


class Run:
    """What all clients share."""

    def __init__(self, options):
        self.options = options
        self.started = time.monotonic()
        self.begun = 0
        self.times = []
        self.failures = {}
        self.unresolved = 0
        self.resolved = 0
        self.tokens = []
        if options.tokens:
            with open(options.tokens, encoding="ascii") as file:
                self.tokens = [line.split() for line in file]

    def next(self):
        """Number of the next request, or None at the end."""
        if self.options.requests and self.begun >= self.options.requests:
            return None
        if self.options.seconds and time.monotonic() - self.started >= self.options.seconds:
            return None
        self.begun += 1
        return self.begun

    def fail(self, kind):
        """Counts a failure."""
        self.failures[kind] = self.failures.get(kind, 0) + 1

    def check(self, status, body, wanted, original):
        """Counts what one answer is."""
        if status != 200:
            return self.fail(f"status {status}")
        text = json.loads(body)["content"][0]["text"]
        if original and text == wanted.replace("TOKEN", original[1]):
            self.resolved += 1
        elif original and text == wanted.replace("TOKEN", original[0]):
            self.unresolved += 1
        elif text != wanted:
            self.fail("another text")
        return None

    def body(self, number):
        """A request's body, the text it holds, and the token in it."""
        pair = self.tokens[number % len(self.tokens)] if self.tokens else None
        text = f"restart {PREFIX}{number:012x} and TOKEN" if pair else f"restart {PREFIX}{number:012x}"
        sent = text.replace("TOKEN", pair[0]) if pair else text
        message = {"model": "claude-test", "max_tokens": 64, "messages": [{"role": "user", "content": sent}]}
        return json.dumps(message).encode(), text, pair

    async def exchange(self, connection, number):
        """Sends one request over an open connection and checks its answer."""
        reader, writer = connection
        body, text, pair = self.body(number)
        head = (
            f"POST {self.options.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"x-mock-record: no\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        started = time.monotonic()
        writer.write(head.encode() + body)
        status, answer = await asyncio.wait_for(read_answer(reader), TIMEOUT_SECONDS)
        self.times.append(time.monotonic() - started)
        self.check(status, answer, text, pair)

    async def client(self):
        """Sends one request after the other over one connection."""
        connection = None
        while (number := self.next()) is not None:
            try:
                if not connection:
                    connection = await asyncio.open_connection("127.0.0.1", self.options.port)
                await self.exchange(connection, number)
            except (OSError, EOFError, asyncio.TimeoutError, ValueError, KeyError) as error:
                self.fail(type(error).__name__)
                if connection:
                    connection[1].close()
                connection = None

    def report(self):
        """The result as one object."""
        times = sorted(self.times) or [0]

        def percentile(share):
            return round(times[min(len(times) - 1, int(len(times) * share))] * 1000, 2)

        return {
            "requests": self.begun,
            "failed": sum(self.failures.values()),
            "failures": self.failures,
            "resolved": self.resolved,
            "unresolved": self.unresolved,
            "seconds": round(time.monotonic() - self.started, 2),
            "p50_ms": percentile(0.5),
            "p99_ms": percentile(0.99),
            "max_ms": percentile(1),
        }


async def main():
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/v1/messages")
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--requests", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--tokens")
    run = Run(parser.parse_args())
    await asyncio.gather(*(run.client() for _ in range(run.options.clients)))
    print(json.dumps(run.report()))


asyncio.run(main())
