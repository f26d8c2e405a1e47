"""Checks of the official TypeScript SDKs: their program looks at what the SDKs return, this at what the mock saw."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bed import Bed, Check
from samples import Sample

PROGRAM = Path(__file__).parents[2] / "target" / "sdk-check" / "check.mjs"


def checks(bed: Bed, samples: list[Sample]) -> Iterator[Check]:
    """What the program checked, one by one."""
    job = {
        "gateway": bed.gateway,
        "mock": bed.mock.url,
        "samples": [
            {"name": sample.name, "prompt": sample.prompt, "instance": sample.identifiers["instance"].value}
            for sample in samples
        ],
    }
    since = bed.mock.last_seq
    program = subprocess.run(["node", str(PROGRAM)], input=json.dumps(job), capture_output=True, text=True, check=False)
    entries: dict[str, list[dict[str, Any]]] = {}
    for entry in bed.mock.call("GET", f"requests?since={since}"):
        entries.setdefault(entry["headers"].get("x-check-id"), []).append(entry)
    by_name = {sample.name: sample for sample in samples}
    for line in program.stdout.splitlines():
        result = json.loads(line)
        yield result["label"], lambda result=result: judge(bed, by_name[result["sample"]], result, entries)
    yield "typescript program", lambda: ended(program)


def judge(bed: Bed, sample: Sample, result: dict[str, Any], entries: dict[str, list[dict[str, Any]]]) -> None:
    assert result["reason"] is None, result["reason"]
    assert result["requests"], "nothing was sent"
    for mark in result["requests"]:
        assert entries.get(mark), "the mock did not receive a request"
        for entry in entries[mark]:
            bed.check_entry_unseen(sample, entry)


def ended(program: subprocess.CompletedProcess[str]) -> None:
    assert program.returncode == 0, f"ended with {program.returncode}: {program.stderr[-400:]}"
    assert program.stdout, "it checked nothing"
