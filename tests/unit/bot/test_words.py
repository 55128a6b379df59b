"""Every sentence that a person reads of a run, as it stands on the screen."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from inline_snapshot import snapshot

from bot.domain.bill import money
from bot.domain.events import Event, LinedUp, Progressed, Started, Stepped, Warned
from bot.domain.result import Result
from bot.domain.scrub import Scrubber
from bot.domain.task import Task
from bot.entrypoints import wording
from bot.entrypoints.json_lines import JsonLines
from bot.entrypoints.views import LiveView, PlainView
from pipeline.checkpoint import Checkpoint
from pipeline.progress import Kind, Progress
from pipeline.state import PipelineState
from pipeline.transitions import Cursor, Stage
from tests.unit.bot.conftest import USAGE

SECRET = "sk-secret-of-the-test"
SCRUB = Scrubber([SECRET])
DIFF = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n-x\n+y\n+--z\n"


def said(kind: Kind, text: str, tokens: int = 0) -> Progressed:
    return Progressed(Progress(kind, "gpt", Stage.DRAFTING, 1, text, tokens, 0.004))


def stepped(agent: str, stage: Stage, **state: Any) -> Stepped:
    known = PipelineState(task="t", base_sha="b" * 40, usage=USAGE)
    known.update(state)  # type: ignore[typeddict-item]
    return Stepped(Checkpoint(agent, stage, 1, known, Cursor(1, Stage.TESTING, 0), 3.25))


EVENTS: list[Event] = [
    Started("Totals \x1b[31mare wrong", "acme/shop#7", "https://x/acme/shop.git", "", "bwrap", 3),
    Warned("uncommitted changes are not part of the base"),
    LinedUp((("gpt", "openai:gpt-6.1-sol"), ("qa", "google:gemini-3.8-flash"))),
    said(Kind.SEATED, "coder"),
    said(Kind.MODEL, "gpt-6.1-sol", 1200),
    said(Kind.TOOL, f"edit {SECRET}.py", 1200),
    stepped("gpt", Stage.DRAFTING, proposed_code=DIFF),
    said(Kind.TESTS, "12 passed, 1 failed"),
    said(Kind.VERDICT, "tests failed"),
    stepped(
        "tests",
        Stage.TESTING,
        tests_passed=False,
        attempts=[
            {
                "iteration": 1,
                "gate": "testing",
                "reason": "tests failed",
                "feedback": "\n".join(f"line {n}" for n in range(20)),
            }
        ],
    ),
]


def a_clock() -> Callable[[], float]:
    now = iter(range(1000))
    return lambda: float(next(now))


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


def test_a_run_in_plain_lines() -> None:
    out = io.StringIO()
    view = PlainView(out, SCRUB, a_clock())
    for event in EVENTS:
        view(event)
    assert out.getvalue() == snapshot("""\
00:01 task        Totals ?[31mare wrong (acme/shop#7)
00:01 repository  https://x/acme/shop.git
00:01 sandbox     bwrap
00:01 iterations  at most 3
00:02 warning: uncommitted changes are not part of the base
00:03 models      gpt openai:gpt-6.1-sol · qa google:gemini-3.8-flash
00:04 iteration 1 of 3
00:04 gpt begins (drafting)
00:06 gpt: edit ***.py
00:07 base        bbbbbbbbbbbb
00:07 gpt done · 1 file, +2 -1 · 6.0k tokens · 3.2 s
00:08 gpt: 12 passed, 1 failed
00:09 gpt: verdict: tests failed
00:10 tests done · 3.2 s
00:10 testing said no: tests failed
00:10     line 0
00:10     line 1
00:10     line 2
00:10     line 3
00:10     line 4
00:10     line 5
00:10     line 6
00:10     line 7
00:10     … 12 more lines
""")


def test_a_run_on_a_terminal_without_colour() -> None:
    out = io.StringIO()
    view = LiveView(out, SCRUB, a_clock(), colour=False)
    for event in EVENTS:
        view(event)
    view.close()
    screen = [line.split("\r\x1b[K")[-1] for line in out.getvalue().split("\n")]
    assert screen == snapshot(
        [
            "task        Totals ?[31mare wrong (acme/shop#7)",
            "repository  https://x/acme/shop.git",
            "sandbox     bwrap",
            "iterations  at most 3",
            "warning: uncommitted changes are not part of the base",
            "models      gpt openai:gpt-6.1-sol · qa google:gemini-3.8-flash",
            "iteration 1 of 3",
            "base        bbbbbbbbbbbb",
            "gpt done · 1 file, +2 -1 · 6.0k tokens · 3.2 s",
            "gpt: 12 passed, 1 failed",
            "gpt: verdict: tests failed",
            "tests done · 3.2 s",
            "testing said no: tests failed",
            "    line 0",
            "    line 1",
            "    line 2",
            "    line 3",
            "    line 4",
            "    line 5",
            "    line 6",
            "    line 7",
            "    … 12 more lines",
            "",
        ]
    )


def test_the_status_line_says_who_works_on_what_and_what_it_costs() -> None:
    out = io.StringIO()
    view = LiveView(out, SCRUB, a_clock(), colour=False)
    view(EVENTS[5])
    assert out.getvalue().split("\r\x1b[K")[-1] == snapshot(
        "⠋ 00:01 · iteration 1 · 1.2k tokens · $0.0040 · gpt: edit ***.py"
    )


def test_colours_are_only_used_where_they_are_wanted() -> None:
    plain, coloured = io.StringIO(), io.StringIO()
    LiveView(plain, SCRUB, a_clock(), colour=False)(EVENTS[1])
    LiveView(coloured, SCRUB, a_clock(), colour=True)(EVENTS[1])
    assert "\x1b[33mwarning" in coloured.getvalue()
    assert "\x1b[33m" not in plain.getvalue()


def test_a_run_as_json_lines() -> None:
    out = io.StringIO()
    view = JsonLines(out, SCRUB, a_clock())
    for event in EVENTS:
        view(event)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == snapshot(
        [
            "started",
            "warning",
            "lineup",
            "progress",
            "progress",
            "progress",
            "step",
            "progress",
            "progress",
            "step",
        ]
    )
    assert lines[5] == snapshot(
        {
            "event": "progress",
            "kind": "tool",
            "agent": "gpt",
            "stage": "drafting",
            "iteration": 1,
            "text": "edit ***.py",
            "tokens": 1200,
            "cost_usd": 0.004,
            "at": 6.0,
        }
    )
    assert SECRET not in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_the_end_state_is_stable_for_machines() -> None:
    out = io.StringIO()
    JsonLines(out, SCRUB, a_clock()).done(a_result().to_dict(), 0)
    done = json.loads(out.getvalue())
    assert list(done) == snapshot(
        [
            "event",
            "exit_code",
            "status",
            "reason",
            "feedback",
            "task",
            "repository",
            "base_sha",
            "branch",
            "diff_file",
            "diff",
            "tests_diff",
            "evidence",
            "test_output",
            "qa_output",
            "iterations",
            "cost_usd",
            "perhaps_usd",
            "replayed",
            "tokens",
            "seconds",
            "agents",
            "warnings",
            "replay_of",
            "at",
        ]
    )
    assert done["seconds"] == snapshot(
        {"model": 12.0, "tests": 63.0, "tools": 1.5, "us": 3.75, "total": 80.25}
    )
    assert (done["cost_usd"], done["tokens"]) == snapshot(
        (0.1123, {"input": 6900, "cached": 4000, "cache_write": 0, "output": 150, "reasoning": 0})
    )


@pytest.mark.parametrize(
    ("usd", "shown"),
    [(None, "cost unknown"), (0.0, "$0.00"), (0.0123, "$0.0123"), (12.3, "$12.30")],
)
def test_money(usd: float | None, shown: str) -> None:
    assert money(usd) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.44, "0.4 s"), (12.4, "12 s"), (59.7, "1 min 0 s"), (185, "3 min 5 s")]
)
def test_durations(seconds: float, shown: str) -> None:
    assert wording.duration(seconds) == shown


def test_the_size_of_a_diff_counts_lines_and_not_headers() -> None:
    assert wording.diff_size(DIFF) == "1 file, +2 -1"
    assert wording.diff_size("") == "no change"
