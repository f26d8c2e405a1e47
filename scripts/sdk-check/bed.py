"""What the checks share: the servers under test, and the questions asked about what the mock saw."""

import base64
import json
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from samples import Sample

Check = tuple[str, Callable[[], None]]
"""A label and a function that raises AssertionError."""


class Mock:
    """The control API of mock-llm."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.last_seq = 0
        # straight to the mock, whatever proxy the environment names
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/__mock/{path}", data=data, method=method)
        with self.opener.open(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@dataclass(frozen=True)
class Exchange:
    """One request to come: the headers to send with it, and afterwards what the mock received."""

    mock: Mock
    headers: dict[str, str]
    since: int
    """Number of a request that came before."""

    def all_received(self) -> list[dict[str, Any]]:
        """The mock's records, where the SDK sends more than one request with these headers."""
        entries = self.mock.call("GET", f"requests?since={self.since}")
        self.mock.last_seq = max([self.mock.last_seq, *(entry["seq"] for entry in entries)])
        return [entry for entry in entries if entry["headers"].get("x-check-id") == self.headers["x-check-id"]]

    def received(self) -> dict[str, Any]:
        """The mock's record of the request."""
        found = self.all_received()
        assert len(found) == 1, f"the mock received the request {len(found)} times"
        return found[0]

    def body(self) -> dict[str, Any]:
        """The JSON body that the mock received."""
        return json.loads(self.received()["body"])


@dataclass(frozen=True)
class Bed:
    """The servers under test. With `direct`, the SDKs talk to the mock itself and nothing is masked."""

    gateway: str
    mock: Mock
    direct: bool

    def exchange(self, reply: str = "text", **knobs: object) -> Exchange:
        """A request that the mock answers with `reply`; knobs are named like its headers: delta=1, delay_ms=5."""
        headers = {"x-check-id": uuid.uuid4().hex, "x-mock-reply": reply}
        for name, value in knobs.items():
            headers["x-mock-" + name.replace("_", "-")] = str(value)
        return Exchange(self.mock, headers, self.mock.last_seq)

    def check_unseen(self, sample: Sample, exchange: Exchange) -> dict[str, Any]:
        """The mock saw no secret of `sample` anywhere in the request. Returns the body that it saw."""
        return self.check_entry_unseen(sample, exchange.received())

    def check_entry_unseen(self, sample: Sample, entry: dict[str, Any]) -> dict[str, Any]:
        """As `check_unseen`, of one of the mock's records."""
        body = json.loads(entry["body"])
        raw = base64.b64decode(entry["body_base64"]).decode()
        texts = [raw, entry["path"], entry["query"], *entry["headers"].values(), *strings(body)]
        seen = {name for text in texts for secret, name in sample.secrets.items() if secret in text}
        if self.direct:
            assert seen == set(sample.secrets.values()), "without a gateway the mock sees every identifier"
        else:
            assert not seen, f"the mock saw {', '.join(sorted(seen))}"
        return body

    def check_masked(self, sample: Sample, seen: str) -> dict[str, str]:
        """`seen` is the prompt of `sample` with something else in place of each identifier, which is returned."""
        stand_ins = sample.stand_ins(seen)
        for name, found in sample.identifiers.items():
            if self.direct:
                assert stand_ins[name] == found.value
            else:
                leaked = [part for part in found.secrets if part in stand_ins[name]]
                assert stand_ins[name] != found.value and not leaked, f"{name} was not masked"
        return stand_ins


def strings(value: Any) -> Iterator[str]:
    """All strings of a JSON value, keys too; strings that hold JSON are opened."""
    match value:
        case str():
            yield value
            if value[:1] in ("{", "["):
                try:
                    inner = json.loads(value)
                except ValueError:
                    return
                yield from strings(inner)
        case list():
            for item in value:
                yield from strings(item)
        case dict():
            for key, item in value.items():
                yield key
                yield from strings(item)


def check_equal(got: object, wanted: object, what: str) -> None:
    """`got` is what was `wanted`, or the first difference is shown."""
    if got == wanted:
        return
    left, right = (x if isinstance(x, str) else json.dumps(x, ensure_ascii=False, default=repr) for x in (got, wanted))
    at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    start = max(at - 20, 0)
    raise AssertionError(f"{what}: got …{left[start : at + 40]!r}, wanted …{right[start : at + 40]!r}")
