"""Events as a gateway under ordinary load would send them, into a Redis Stream."""

import json
import random
import threading
import time
import uuid

import redis

STREAM = "masking:events:stream"
DETAILS = {"request_id", "service", "route", "status", "kinds"}

ROUTES = [("anthropic", "messages", 0.7), ("openai", "chat-completions", 0.22), ("anthropic", "analyze-claude", 0.08)]
KINDS = [
    ("arn", 30), ("ec2:instance", 24), ("account-id", 22), ("name:s3-bucket", 17), ("ip:v4", 15), ("ec2:subnet", 11),
    ("ec2:security-group", 10), ("ec2:vpc", 9), ("host:aws", 8), ("name:s3-object-key", 7), ("name:sqs-queue", 5),
    ("id:uuid", 4), ("cred:access-key-id", 2), ("cred:secret-access-key", 1), ("custom:project-name", 1),
]


class Gateway:
    """One worker of one node; its events are numbered as a real one's are."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.node = str(uuid.UUID(int=self.random.getrandbits(128)))
        self.source = f"{self.random.getrandbits(48):012x}"
        self.sequence = 0

    def exchange(self, at_ms: int) -> list[dict]:
        """The events of an exchange whose request was masked."""
        masked = 1 + min(int(self.random.expovariate(0.2)), 60)
        names = self.random.choices([name for name, _ in KINDS], [weight for _, weight in KINDS], k=masked)
        size = int(self.random.lognormvariate(8.4, 1.1))
        request = self._event("data_masked", "masked", at_ms, masked=masked, distinct=max(1, masked // 2),
                              microseconds=3 + size // 900 + int(self.random.expovariate(0.16)),
                              bytes_in=size, bytes_out=max(2, size - masked),
                              kinds={name: names.count(name) for name in names})
        answer = self._event("data_unmasked", "restored", at_ms, restored=int(masked * self.random.random() * 0.8),
                             unresolved=0, microseconds=6 + int(self.random.expovariate(0.05)),
                             bytes_in=size // 4, bytes_out=size // 4 + masked)
        return self._same_request(request, answer)

    def clean(self, at_ms: int) -> list[dict]:
        """A request in which there was nothing to mask."""
        size = int(self.random.lognormvariate(7.5, 1))
        return self._same_request(self._event(
            "data_masked", "unchanged", at_ms, masked=0, distinct=0,
            microseconds=1 + size // 2000, bytes_in=size, bytes_out=size))

    def dry_run(self, at_ms: int) -> list[dict]:
        event = self.exchange(at_ms)[0]
        return [event | {"outcome": "dry_run", "bytes_out": event["bytes_in"]}]

    def blocked(self, at_ms: int) -> list[dict]:
        return self._same_request(self._event("mask_blocked", "blocked", at_ms, reason="BODY_TOO_LARGE"))

    def unresolved(self, at_ms: int) -> list[dict]:
        events = self.exchange(at_ms)
        events[1]["unresolved"] = 1
        return events

    def any(self, at_ms: int) -> list[dict]:
        return self.exchange(at_ms) if self.random.random() < 0.8 else self.clean(at_ms)

    def _event(self, kind: str, outcome: str, at_ms: int, **fields) -> dict:
        self.sequence += 1
        return {"version": 1, "type": kind, "timestamp": at_ms, "node": self.node, "source": self.source,
                "sequence": self.sequence, "outcome": outcome, **fields}

    def _same_request(self, *events: dict) -> list[dict]:
        service, route, _ = self.random.choices(ROUTES, [weight for *_, weight in ROUTES])[0]
        request_id = f"{self.random.getrandbits(128):032x}"
        for event in events:
            event |= {"request_id": request_id, "service": service, "route": route,
                      "status": 413 if event["type"] == "mask_blocked" else 200}
        return list(events)


def send(port: int, events: list[dict]) -> None:
    """Adds the events with ids of their own time, where Redis still takes those."""
    with redis.Redis(port=port) as client, client.pipeline(transaction=False) as pipeline:
        for event in events:
            pipeline.xadd(STREAM, {"event": json.dumps(event, separators=(",", ":"))})
        pipeline.execute()


def flush(port: int) -> None:
    with redis.Redis(port=port) as client:
        client.flushall()


def minimal(event: dict) -> dict:
    """What is left of it with event_detail = minimal."""
    return {name: value for name, value in event.items() if name not in DETAILS}


def history(gateway: Gateway, seconds: int, per_second: float) -> list[list[dict]]:
    """Exchanges of the last `seconds`, in waves as a day has them."""
    now = int(time.time() * 1000)
    exchanges = []
    for second in range(seconds, 0, -1):
        wave = 1 + 0.35 * ((second % 90) / 90 - 0.5) + gateway.random.gauss(0, 0.09)
        for _ in range(max(0, round(per_second * wave))):
            exchanges.append(gateway.any(now - second * 1000 + gateway.random.randrange(1000)))
    return exchanges


def send_history(port: int, exchanges: list[list[dict]]) -> None:
    """As `send`, but each entry is as old in Redis as its event, and the last of them is of now."""
    events = sorted((event for exchange in exchanges for event in exchange), key=lambda event: event["timestamp"])
    lag = int(time.time() * 1000) - events[-1]["timestamp"]
    for event in events:
        event["timestamp"] += lag
    with redis.Redis(port=port) as client, client.pipeline(transaction=False) as pipeline:
        for event in events:
            pipeline.xadd(STREAM, {"event": json.dumps(event)}, id=f"{event['timestamp']}-*")
        pipeline.execute()


class Load:
    """Traffic at a steady rate until it is stopped, in batches as the plugin sends them."""

    def __init__(self, port: int, gateway: Gateway, per_second: int, since: float | None = None) -> None:
        self.port, self.gateway, self.per_second, self.since = port, gateway, per_second, since
        self.requests = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        started = sent_at = self.since or time.time()
        while not self._is_over.wait(0.2):
            now = time.time()
            due = int((now - started) * self.per_second) - self.requests
            exchanges = [self.gateway.any(int(1000 * self.gateway.random.uniform(sent_at, now))) for _ in range(due)]
            send(self.port, [event for exchange in exchanges for event in exchange])
            self.requests += due
            sent_at = now
