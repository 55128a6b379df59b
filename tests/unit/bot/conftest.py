"""A small repository, and results to tell of."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from bot.domain.result import Result
from bot.domain.task import Task
from pipeline.state import SeatUsage, Seconds, UsageTable
from pipeline.tally import Tally

CODE = """\
diff --git a/shop.py b/shop.py
--- a/shop.py
+++ b/shop.py
@@ -1 +1 @@
-total = 1
+total = 2
"""
TESTS = """\
diff --git a/test_shop.py b/test_shop.py
new file mode 100644
--- /dev/null
+++ b/test_shop.py
@@ -0,0 +1 @@
+assert True
"""


def a_seat(model: str, **used: Any) -> SeatUsage:
    """What a seat has used; `model` is "vendor:id", and what is not said is nothing."""
    return cast("SeatUsage", {**Tally().seat(*model.split(":")), **used})


USAGE = UsageTable(
    agents={
        "gpt": a_seat(
            "openai:gpt-6.1-sol",
            calls=4,
            input_tokens=5900,
            cached_tokens=4000,
            output_tokens=100,
            usd=0.0123,
        ),
        "qa": a_seat(
            "google:gemini-3.8-flash", calls=1, input_tokens=1000, output_tokens=50, usd=0.1
        ),
    },
    seconds=Seconds(model=12.0, tests=63.0, tools=1.5, total=80.25),
    replayed=False,
)


def git(repo: Path, *args: str) -> str:
    pinned = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", *pinned, "-C", str(repo), *args], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    path = tmp_path / "shop"
    path.mkdir()
    git(path, "init", "-q", "-b", "main")
    (path / "shop.py").write_text("total = 1\n")
    git(path, "add", ".")
    git(path, "commit", "-q", "-m", "one")
    return path


@pytest.fixture
def a_result(repo: Path) -> Callable[..., Result]:
    def make(**changes: object) -> Result:
        known: dict[str, object] = {
            "task": Task("Totals are wrong", url="https://github.com/acme/shop/issues/7"),
            "status": "completed",
            "repository": str(repo),
            "base_sha": git(repo, "rev-parse", "HEAD"),
            "code_diff": CODE,
            "tests_diff": TESTS,
            "test_paths": ("test_shop.py",),
            "iterations": 1,
        }
        return Result(**(known | changes))  # type: ignore[arg-type]

    return make
