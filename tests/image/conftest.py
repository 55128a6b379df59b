"""The image, built by the real engine from the real Dockerfile, and containers of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import engines
from tests.image import base

TAG = "acp:test"
# The base: host (default), debian, or real, which is asked of a registry.
KIND = "ACP_TEST_IMAGE_BASE"
_MEMORY, _PLENTY = Path("/dev/shm"), 4 << 30
ATTEMPTS = base.ROOT / "tests/security/sandbox"
# As docs/how-to/docker.md names them.
LOCKED = (
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--read-only", "--tmpfs", "/tmp:exec"),
)
STRONG = (
    *LOCKED,
    *("--security-opt", f"seccomp={base.ROOT / 'docker/seccomp.json'}"),
    *("--security-opt", "systempaths=unconfined"),
)


@dataclass(frozen=True)
class Image:
    """`kind` tells where the base came from; everything goes through the engine's own client."""

    url: str
    kind: str

    def docker(self, *words: str) -> str:
        """What a command of the engine's client prints; fails with what it complains of."""
        command = ["docker", "-H", self.url, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def run(self, options: tuple[str, ...], *words: str) -> str:
        """What a command prints in a container of its own, without a network."""
        mount = ("-v", f"{ATTEMPTS}:/attempts:ro")
        return self.docker("run", "--rm", "--network", "none", *mount, *options, TAG, *words)

    def json(self, options: tuple[str, ...], *words: str) -> Any:
        """The same, read as JSON."""
        return json.loads(self.run(options, *words))


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    if why := engines.missing() or base.missing():
        pytest.skip(why)
    kind = os.environ.get(KIND, "host")
    with engines.running(below=_in_memory()) as engine:
        if kind != "real":
            base.load(engine.url, kind)
        found = Image(engine.url, kind)
        found.docker("build", "-q", "--network", "host", "-t", TAG, str(base.ROOT))
        yield found


def _in_memory() -> Path | None:
    """A place in memory where there is plenty: an image is tens of thousands of small files."""
    found = os.statvfs(_MEMORY) if _MEMORY.is_dir() else None
    return _MEMORY if found and found.f_bavail * found.f_frsize > _PLENTY else None
