"""The end of a run, as it stands on the screen."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from bot.domain.result import Result
from bot.domain.task import Task
from bot.entrypoints.summary import summary
from tests.unit.bot.conftest import USAGE

DIFF = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n-x\n+y\n+--z\n"


def a_result(**changes: Any) -> Result:
    known: dict[str, Any] = {
        "task": Task("Totals are wrong"),
        "status": "completed",
        "repository": "/src/my shop",
        "base_sha": "b" * 40,
        "code_diff": DIFF,
        "test_paths": ("tests/test_acp.py",),
        "iterations": 2,
        "usage": USAGE,
    }
    return Result(**(known | changes))


def test_the_end_of_a_proven_run() -> None:
    done = a_result(
        branch="acp/totals", commits=2, warnings=("author and reviewer share a vendor",)
    )
    assert summary(done) == snapshot("""\
COMPLETED after 2 iterations: 1 file, +2 -1

cost      $0.11 · 7.0k tokens (4.0k cached) in 5 calls
          Seat  Model             Calls    Read                Written  Cost
          gpt   gpt-6.1-sol       4 calls  5.9k (4.0k cached)  100      $0.0123
          qa    gemini-3.8-flash  1 call   1.0k                50       $0.10
time      1 min 20 s (model 12 s, tests 1 min 3 s, tools 1.5 s, us 3.8 s)
note      author and reviewer share a vendor

branch    acp/totals in /src/my shop (your work tree is as it was)
check the proof:
  git -C '/src/my shop' switch --detach acp/totals~1   # the test alone: it fails
  git -C '/src/my shop' switch acp/totals   # with the change: it passes
  after each: python -m pytest tests/test_acp.py
next      git -C '/src/my shop' diff bbbbbbbbbbbb acp/totals
""")


def test_the_end_of_a_failed_run() -> None:
    failed = a_result(
        status="failed",
        reason="tests failed",
        feedback="E assert 1 == 2",
        diff_file="/here/acp-totals-draft.diff",
    )
    assert summary(failed).split("cost ")[0] == snapshot("""\
FAILED after 2 iterations: tests failed
The last feedback:
    E assert 1 == 2

""")
    assert summary(failed).split("us 3.8 s)")[1] == snapshot("""\


the last draft (not proven) is in /here/acp-totals-draft.diff
next      look at it, then: git apply /here/acp-totals-draft.diff
""")


@pytest.mark.parametrize("kept", ["", "/here/acp-totals-draft.diff"])
def test_the_end_of_a_cancelled_run_says_what_is_kept(kept: str) -> None:
    first = summary(a_result(status="cancelled", diff_file=kept)).splitlines()[0]
    assert first.startswith("CANCELLED: your repository was not touched")
    assert ("is kept" in first) is bool(kept)


def test_the_end_of_a_run_with_nothing_to_change() -> None:
    assert summary(a_result(status="no_change", code_diff="")).splitlines()[0] == snapshot(
        "NO CHANGE after 2 iterations: the task is done already; a test for it passes as it is"
    )


def test_evidence_of_a_strange_shape_does_not_spoil_the_end() -> None:
    assert summary(a_result(evidence={"mine": 1})).startswith("COMPLETED")


def test_an_unknown_price_is_said_to_be_one() -> None:
    seat = USAGE["agents"]["gpt"] | {"usd": None}
    done = a_result(usage={**USAGE, "agents": {"gpt": seat, "qa": USAGE["agents"]["qa"]}})
    assert done.usd is None
    assert "cost unknown" in summary(done)
