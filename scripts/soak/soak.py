"""Mixed traffic through a gateway for a long time, with everything around it failing now and then.

usage: DURATION=600 GATEWAY=kong|openresty python3 scripts/soak/soak.py

DURATION  seconds, or 90m, 12h (600)
CLIENTS   how many at once (8)
SEED      of everything random (the date of the first commit)
REPORT    file for the report as JSON (none)

Ends with exit status 0 only if nothing leaked, every answer came back as it should, no worker died, the memory of the
workers did not grow, and no handle of the library stayed open.
"""

import asyncio
import json
import os
import random
import sys
import time
from typing import Any

from bed import Bed, has_redis
from originals import Pool
from traffic import BODY_LIMIT, Traffic

MAX_GROWTH = 0.05
# Beside what is held stands what LuaJIT's allocator keeps free between strings of many sizes. It levels off, late.
MAX_RESIDENT_GROWTH = 0.25
SETTLE_SECONDS = 30
WEIGHINGS = 8
RELOAD_SECONDS = 3.0
REDIS_FAULT_SECONDS = 7.0
ORIGINALS = 2000


def seconds(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600}
    return float(text[:-1]) * units[text[-1]] if text[-1] in units else float(text)


class Soak:
    def __init__(self, bed: Bed, duration: float, clients: int, seed: int) -> None:
        self.bed = bed
        self.duration = duration
        self.clients = clients
        self.random = random.Random(seed)
        self.pool = Pool(ORIGINALS, seed)
        self.reloads = 0
        self.redis_faults = 0
        self.config_number = 0

    def config(self) -> dict[str, Any]:
        """A config of the plugin that no earlier one was equal to."""
        self.config_number += 1
        config: dict[str, Any] = {
            "token_secret": "a secret for the soak test only",
            "max_request_body_size": BODY_LIMIT,
            "custom_terms": [f"never-said-{self.config_number}"],
            # Each config begins without a memory of what it scanned. With a small one each reaches its bound, so that
            # what is weighed does not hang on how long ago the last reload was.
            "scan_cache_size": 1 << 17,
        }
        if self.bed.redis:
            config["use_redis"] = self.random.random() < 0.8
            config["redis"] = {"host": "127.0.0.1", "port": self.bed.redis.port, "timeout": 200}
        return config

    async def reload_for(self, deadline: float) -> None:
        while time.monotonic() + RELOAD_SECONDS < deadline:
            await asyncio.sleep(RELOAD_SECONDS)
            await self.bed.gateway.reload(self.config())
            self.reloads += 1

    async def break_redis_until(self, deadline: float) -> None:
        while self.bed.redis and time.monotonic() + 2 * REDIS_FAULT_SECONDS < deadline:
            await asyncio.sleep(REDIS_FAULT_SECONDS)
            await self.random.choice([self.bed.redis.hang, self.bed.redis.die])(self.random.uniform(0.5, 3))
            self.redis_faults += 1

    async def weigh(self, traffic: Traffic) -> dict[int, dict[str, Any]]:
        """What each worker holds when nothing is going on."""
        await traffic.quiet()
        reports = await self.bed.gateway.probe()
        traffic.open.set()
        return reports

    async def settled(self, traffic: Traffic) -> dict[int, dict[str, Any]]:
        """Weighs once every worker has given up what belonged to former configs, or has had time enough to."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            reports = await self.weigh(traffic)
            if time.monotonic() > deadline or all(report["open_handles"] == 1 for report in reports.values()):
                return reports
            await asyncio.sleep(1)

    async def run(self) -> dict[str, Any]:
        await self.bed.start(self.config())
        gateway, mock = self.bed.gateway, self.bed.mock
        await mock.watch(self.pool.secrets())
        traffic = Traffic(gateway.port, self.pool)
        keeps_workers = gateway.about["keeps_workers"]

        began = time.monotonic()
        end = began + self.duration
        # Where every reload makes new workers, they live long enough to be weighed only in the second half.
        reloads_end = end if keeps_workers else began + self.duration / 2
        warm = began + self.duration * (0.25 if keeps_workers else 0.65)

        clients = [asyncio.create_task(traffic.run_client()) for _ in range(self.clients)]
        traffic.open.set()
        chaos = [asyncio.create_task(self.reload_for(reloads_end)), asyncio.create_task(self.break_redis_until(end))]
        progress = asyncio.create_task(self.show_progress(traffic, end))

        await asyncio.sleep(warm - time.monotonic())
        # what the plugin remembers of tokens is bounded; only what grows after that bound was reached is lost
        await traffic.say_everything(2 * self.clients)
        await traffic.peak(2 * self.clients)
        before = await self.weigh(traffic)
        timeline = [before]
        for point in range(1, WEIGHINGS):
            await asyncio.sleep(max(0.0, warm + (end - warm) * point / WEIGHINGS - time.monotonic()))
            timeline.append(await self.weigh(traffic))
        await asyncio.sleep(max(0.0, end - time.monotonic()))
        await asyncio.gather(*chaos)
        after = await self.settled(traffic)
        traffic.stopping = True
        await asyncio.gather(*clients)
        progress.cancel()

        leaks = await mock.leaks()
        timeline.append(after)

        def growth(of: str) -> float:
            """That of the worker that grew most."""
            stayed = before.keys() & after.keys()
            return round(max((after[pid][of] / before[pid][of] - 1 for pid in stayed), default=0.0), 4)

        return {
            "gateway": gateway.about["version"],
            "seconds": round(self.duration),
            "exchanges": traffic.done.total(),
            "by_action": dict(sorted(traffic.done.items())),
            "bodies_checked": leaks["checked"],
            "reloads": self.reloads,
            "redis_faults": self.redis_faults if self.bed.redis else None,
            "workers": len(after),
            "memory_by_time": [list(reports.values()) for reports in timeline],
            "leaks": leaks["leaks"],
            "wrong_restores": traffic.wrong,
            "unexpected_answers": traffic.unexpected,
            "worker_restarts": len(before.keys() - after.keys()) + len(gateway.deaths()),
            "held_growth": growth("held_bytes"),
            "resident_growth": growth("resident_bytes"),
            # the detector of the config in force is meant to be open
            "open_handles": sum(report["open_handles"] - 1 for report in after.values()),
            "notes": traffic.notes + gateway.deaths()[:5],
        }

    @staticmethod
    async def show_progress(traffic: Traffic, end: float) -> None:
        while sys.stderr.isatty():
            left = max(0, round(end - time.monotonic()))
            print(f"\r{traffic.done.total()} exchanges, {left} s to go ", end="", file=sys.stderr, flush=True)
            await asyncio.sleep(1)


def verdicts(report: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """(what, value, whether that is good)."""
    zeros = ["leaks", "wrong_restores", "unexpected_answers", "worker_restarts", "open_handles"]
    found = [(name.replace("_", " "), str(report[name]), report[name] == 0) for name in zeros]
    for name, limit in [("held", MAX_GROWTH), ("resident", MAX_RESIDENT_GROWTH)]:
        growth = report[f"{name}_growth"]
        what = f"growth of the memory that is {name}, after warm-up (limit {limit:.0%})"
        found.append((what, f"{growth:+.1%}", growth < limit))
    # a test that did nothing proves nothing
    found.append(("bodies the mock checked", str(report["bodies_checked"]), report["bodies_checked"] > 0))
    found.append(("config reloads", str(report["reloads"]), report["reloads"] > 0))
    return found


def show(report: dict[str, Any]) -> bool:
    megabytes = 1 << 20
    print(f"soak of {report['seconds']} s on {report['gateway']}, {report['workers']} workers")
    print(f"  {report['exchanges']} exchanges: " + ", ".join(f"{n} {name}" for name, n in report["by_action"].items()))
    faults = "no Redis here" if report["redis_faults"] is None else f"{report['redis_faults']} Redis faults"
    print(f"  {faults}")
    for name in ("held", "resident"):
        weighed = [sum(worker[f"{name}_bytes"] for worker in workers) for workers in report["memory_by_time"]]
        print(f"  MB {name} by all workers over the time: " + ", ".join(f"{value / megabytes:.1f}" for value in weighed))
    for note in report["notes"]:
        print(f"  note: {note}")
    is_good = True
    for what, value, good in verdicts(report):
        print(f"  {'ok  ' if good else 'FAIL'} {what}: {value}")
        is_good = is_good and good
    return is_good


def main() -> int:
    duration = seconds(os.environ.get("DURATION") or "600")
    clients = int(os.environ.get("CLIENTS") or 8)
    seed = int(os.environ.get("SEED") or 20261125)
    with Bed(with_redis=has_redis()) as bed:
        report = asyncio.run(Soak(bed, duration, clients, seed).run())
    if path := os.environ.get("REPORT"):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=2)
    return 0 if show(report) else 1


if __name__ == "__main__":
    sys.exit(main())
