"""The processes of the soak test: mock LLM, gateway, Redis; what is done to them, and what is asked of them."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from client import ask

ROOT = Path(__file__).resolve().parents[2]
PROBE = "/__soak/probe"
# Less than an answer to it takes, and enough for its request to be there.
PROBE_GAP_SECONDS = 0.01
# what a worker that died leaves in the log of its master
DEATHS = ("exited on signal", "exited with fatal code", "panic at")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def has_redis() -> bool:
    return subprocess.run(["sh", "-c", "command -v redis-server"], capture_output=True).returncode == 0


class Redis:
    """A Redis of this test's own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    async def hang(self, seconds: float) -> None:
        """Answers nobody for a while, with its connections open."""
        self.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)

    async def die(self, seconds: float) -> None:
        self.stop()
        await asyncio.sleep(seconds)
        self.start()


class Mock:
    """mock-llm and its control API."""

    def __init__(self, folder: Path) -> None:
        port_file = folder / "mock-port"
        command = [ROOT / "target/release/mock-llm", "--listen", "127.0.0.1:0", "--port-file", port_file]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port_file = port_file
        self.port = 0

    async def ready(self) -> None:
        while not self.port_file.exists():
            assert self.process.poll() is None, "the mock LLM did not start"
            await asyncio.sleep(0.05)
        self.port = int(self.port_file.read_text())

    async def watch(self, secrets: list[str]) -> None:
        await ask(self.port, "POST", "/__mock/originals", secrets)

    async def leaks(self) -> dict[str, Any]:
        return await ask(self.port, "GET", "/__mock/leaks")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


class Gateway:
    """A gateway with the plugin, started and reloaded by gateway.lua."""

    def __init__(self, folder: Path, upstream_port: int) -> None:
        include = folder / "probe.conf"
        probe = ROOT / "scripts/soak/probe.lua"
        include.write_text(f"location = {PROBE} {{ content_by_lua_file {probe}; }}\n")
        command = ["luajit", "scripts/soak/gateway.lua", str(upstream_port), str(free_port()), str(include)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.about: dict[str, Any] = {}

    async def _say(self, config: dict[str, Any]) -> str:
        self.process.stdin.write(json.dumps(config) + "\n")
        self.process.stdin.flush()
        return await asyncio.to_thread(self.process.stdout.readline)

    async def start(self, config: dict[str, Any]) -> None:
        line = await self._say(config)
        assert line, "the gateway did not start"
        self.about = json.loads(line)

    async def reload(self, config: dict[str, Any]) -> None:
        answer = await self._say(config)
        assert answer == "ok\n", f"the gateway did not take a config: {answer!r}"

    @property
    def port(self) -> int:
        return self.about["port"]

    def workers(self) -> set[int]:
        """Workers that serve, not those that only finish what they have."""
        found = set()
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                title = (stat.parent / "cmdline").read_bytes()
            except (OSError, ValueError):
                continue
            if parent == self.about["pid"] and title.startswith(b"nginx: worker process") and b"shutting" not in title:
                found.add(int(stat.parent.name))
        return found

    def deaths(self) -> list[str]:
        lines = Path(self.about["log"]).read_text(errors="replace").splitlines()
        return [line for line in lines if any(death in line for death in DEATHS)]

    async def _ask_after(self, seconds: float) -> dict[str, Any]:
        await asyncio.sleep(seconds)
        return await ask(self.port, "GET", PROBE)

    async def probe(self) -> dict[int, dict[str, Any]]:
        """What each worker says of itself, by its process id."""
        reports: dict[int, dict[str, Any]] = {}
        async with asyncio.timeout(60):
            # Whichever worker takes the connection answers. Of connections that come at once an idle worker may take all,
            # each time; one that comes while it answers is the other's.
            while not self.workers() <= reports.keys():
                many = await asyncio.gather(*(self._ask_after(i * PROBE_GAP_SECONDS) for i in range(8)))
                reports |= {report["pid"]: report for report in many}
        return {pid: report for pid, report in reports.items() if pid in self.workers()}

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait()


class Bed:
    """All of them, gone with the `with`."""

    def __init__(self, with_redis: bool) -> None:
        self.temporary = tempfile.TemporaryDirectory(prefix="aws-masker-soak.")
        self.folder = Path(self.temporary.name)
        # workers of the gateway may run as another user
        os.chmod(self.folder, 0o755)
        self.redis = Redis(self.folder) if with_redis else None
        self.mock: Mock | None = None
        self.gateway: Gateway | None = None

    async def start(self, config: dict[str, Any]) -> None:
        if self.redis:
            self.redis.start()
        self.mock = Mock(self.folder)
        await self.mock.ready()
        self.gateway = Gateway(self.folder, self.mock.port)
        await self.gateway.start(config)

    def __enter__(self) -> "Bed":
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.gateway, self.mock, self.redis):
            if process:
                process.stop()
        self.temporary.cleanup()
