"""A private Redis and a monitor that reads from it, on free ports."""

import os
import socket
import subprocess
import tempfile
import time
import urllib.request


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what: str, found, seconds: float = 30):
    """Returns what `found` gives once it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = found()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


def accepts(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class Bed:
    """Stops what it started. Both servers keep their ports over a restart."""

    def __init__(self, monitor: str) -> None:
        self.program = monitor
        self.redis_port, self.port = free_port(), free_port()
        self.folder = tempfile.TemporaryDirectory()
        self.redis = self.monitor = None

    def __enter__(self) -> "Bed":
        self.start_redis()
        self.start_monitor()
        return self

    def __exit__(self, *_) -> None:
        for process in (self.monitor, self.redis):
            if process:
                process.kill()
                process.wait()
        self.folder.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start_redis(self) -> None:
        self.redis = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.redis_port), "--save", "", "--appendonly", "no",
             "--dir", self.folder.name],
            stdout=subprocess.DEVNULL)
        wait_for("Redis", lambda: accepts(self.redis_port))

    def start_monitor(self) -> None:
        log = open(os.path.join(self.folder.name, "monitor.log"), "ab")
        self.monitor = subprocess.Popen(
            [self.program, "--redis-url", f"redis://127.0.0.1:{self.redis_port}", "--listen", f"127.0.0.1:{self.port}",
             "--detail", "detailed"],
            stderr=log)
        log.close()
        wait_for("the monitor", lambda: accepts(self.port))

    def stop_monitor(self) -> None:
        self.monitor.kill()
        self.monitor.wait()

    def stop_redis(self) -> None:
        self.redis.kill()
        self.redis.wait()

    def metric(self, name: str) -> float:
        """All series of the metric together."""
        with urllib.request.urlopen(self.url + "metrics") as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((name + "{", name + " ")))
