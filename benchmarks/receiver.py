"""How fast a webhook is acknowledged, durably, against an ASGI application that does nothing.

`python -m benchmarks.receiver`. Both are processes of their own; a 12 kB delivery over loopback.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECRET = "benchmark"
BARE = """
import sys, uvicorn
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for said in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{said}.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
"""
PAYLOAD = {
    "action": "created",
    "issue": {"number": 7, "title": "t", "body": "x" * 11_400, "state": "open"},
    "comment": {"id": 31, "body": "thanks", "created_at": "2026-11-22T10:05:00Z"},
    "repository": {"id": 4711, "full_name": "acme/shop", "default_branch": "main"},
    "installation": {"id": 11},
    "sender": {"id": 6, "login": "wanda", "type": "User"},
}
BODY = json.dumps(PAYLOAD).encode()
SIGNATURE = "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Acks:
    """Milliseconds until each answer, and how many came in a second."""

    taken: list[float]
    per_s: float

    def row(self, name: str) -> str:
        cuts = statistics.quantiles(self.taken, n=100)
        return f"  {name:34} {cuts[49]:7.2f}ms {cuts[98]:7.2f}ms {self.per_s:7.0f}/s"


async def client(port: int, numbers: Iterator[int], taken: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in numbers:
        head = (
            "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"X-GitHub-Event: issue_comment\r\nX-GitHub-Delivery: {os.getpid()}-{number}\r\n"
            f"X-Hub-Signature-256: {SIGNATURE}\r\nContent-Length: {len(BODY)}\r\n\r\n"
        )
        began = time.perf_counter()
        writer.write(head.encode() + BODY)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 202"), answer
        length = re.search(rb"content-length: (\d+)", answer)
        await reader.readexactly(int(length[1]) if length else 0)
        taken.append((time.perf_counter() - began) * 1000)
    writer.close()


async def measure(port: int, numbers: Iterator[int], clients: int, requests: int) -> Acks:
    taken: list[float] = []
    mine = iter([next(numbers) for _ in range(requests)])
    began = time.perf_counter()
    await asyncio.gather(*(client(port, mine, taken) for _ in range(clients)))
    return Acks(taken, requests / (time.perf_counter() - began))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


@contextmanager
def running(port: int, command: list[str], **more: str) -> Iterator[tuple[int, float]]:
    """The process, and the seconds until it answered."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **more}, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                asked.request("GET", "/healthz")
                asked.getresponse().read()
                asked.close()
                break
            except OSError:
                time.sleep(0.01)
        yield process.pid, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()


def service(data: Path, port: int) -> dict[str, str]:
    """An App that is known, and no worker: what is measured is the web process."""
    noted: dict[str, Any] = {"for": ["https://api.github.com", "1"], "app_id": 1}
    noted |= {"bot_id": 99, "bot_login": "acp[bot]"}
    (data / "github-app.json").write_text(json.dumps(noted), "utf-8")
    return {
        "ACP_DATA_DIR": str(data),
        "ACP_PORT": str(port),
        "ACP_WORKERS": "0",
        "ACP_GITHUB_APP_ID": "1",
        "ACP_GITHUB_PRIVATE_KEY": "not used by the web process",
        "ACP_GITHUB_WEBHOOK_SECRET": SECRET,
        "GITHUB_API_URL": "https://api.github.com",
    }


def resident_mb(pid: int) -> float:
    (line,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("utf-8"))
    return int(line) / 1024


async def receiver(rounds: int = 5) -> None:
    """Print the table: interleaved rounds with one client and with sixteen."""
    numbers = iter(range(10**9))
    bare, ours = free_port(), free_port()
    with tempfile.TemporaryDirectory() as data:
        web = running(ours, [sys.executable, "-m", "bot", "serve"], **service(Path(data), ours))
        floor = running(bare, [sys.executable, "-c", BARE, str(bare)])
        with floor, web as (pid, ready_s):
            idle = resident_mb(pid)
            found: dict[tuple[str, int], list[Acks]] = {}
            for number in range(rounds + 1):
                for name, port in (
                    ("bare ASGI, nothing stored", bare),
                    ("acp serve, durable", ours),
                ):
                    for clients in (1, 16):
                        acks = await measure(port, numbers, clients, 200 * min(clients, 4))
                        if number:
                            found.setdefault((name, clients), []).append(acks)
            print(f"\na webhook's answer (ready in {ready_s:.2f} s, {idle:.0f} MB idle, ", end="")
            print(f"{resident_mb(pid):.0f} MB after)")
    print(f"  {'':34} {'p50':>9} {'p99':>9} {'rate':>9}")
    for (name, clients), many in found.items():
        whole = [one for acks in many for one in acks.taken]
        per_s = statistics.median(acks.per_s for acks in many)
        print(Acks(whole, per_s).row(f"{name}, {clients} at once"))


if __name__ == "__main__":
    asyncio.run(receiver())
