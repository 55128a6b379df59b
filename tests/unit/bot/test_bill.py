"""What a run has used, wherever runs are shown: `acp runs`, `acp logs` and the check run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inline_snapshot import snapshot

from bot.domain import bill
from bot.domain.store import StoredEvent
from bot.entrypoints.run_log import RunLog, used
from pipeline.checkpoint import Checkpoint
from pipeline.state import PipelineState
from pipeline.transitions import Cursor, Stage
from tests.unit.bot.conftest import USAGE, a_seat

FIRST = {**USAGE, "agents": {"gpt": a_seat("openai:gpt-6.1-sol", calls=1, input_tokens=900)}}


def event(seq: int, agent: str, stage: Stage, usage: Any) -> StoredEvent:
    state = PipelineState(task="t", usage=usage, proposed_code="")
    kept = Checkpoint(agent, stage, 1, state, Cursor(1, Stage.QA, 0), 3.25)
    at = f"2026-11-22T10:00:0{seq}+00:00"
    return StoredEvent("01RUN", seq, "checkpoint", {"checkpoint": kept.to_json()}, at)


def test_a_log_tells_steps_and_ends_in_the_bill() -> None:
    log = RunLog()
    lines = [
        log.line(event(1, "gpt", Stage.DRAFTING, FIRST)),
        log.line(event(2, "gpt", Stage.DRAFTING, USAGE)),
        log.line(event(3, "qa", Stage.QA, USAGE)),
    ]
    assert "\n".join([*lines, *log.bill()]) == snapshot("""\
10:00:01 checkpoint   iteration 1, drafting: gpt done · no change · 900 tokens · 3.2 s
10:00:02 checkpoint   iteration 1, drafting: gpt done · no change · 5.1k tokens · 3.2 s
10:00:03 checkpoint   iteration 1, qa: qa done · 1.1k tokens · 3.2 s

$0.11 · 7.0k tokens (4.0k cached) in 5 calls
Seat  Model             Calls    Read                Written  Cost
gpt   gpt-6.1-sol       4 calls  5.9k (4.0k cached)  100      $0.0123
qa    gemini-3.8-flash  1 call   1.0k                50       $0.10\
""")


def test_a_checkpoint_of_another_release_does_not_hide_the_rest_of_the_log() -> None:
    strange = replace(event(1, "gpt", Stage.QA, USAGE), data={"checkpoint": '{"v": 99}'})
    assert "version 99" in RunLog().line(strange)
    assert RunLog().bill() == []


def test_calls_that_failed_or_were_lost_stand_apart_and_so_does_what_is_perhaps_paid() -> None:
    seat = a_seat(
        "anthropic:claude-sonnet-5-5",
        calls=1200,
        failed=2,
        lost=1,
        input_tokens=1_500_000,
        cached_tokens=1_200_000,
        cache_write_tokens=9_000,
        output_tokens=64_000,
        reasoning_tokens=30_000,
        usd=2.5,
        lost_usd=0.031,
    )
    usage = {**USAGE, "agents": {"claude": seat}}
    assert "\n".join(used({"usage": usage})) == snapshot("""\

$2.50 and perhaps $0.0310 more · 1.6M tokens (1.2M cached) in 1,200 calls (2 failed, 1 lost)
Seat    Model              Calls                           Read                                    Written                  Cost
claude  claude-sonnet-5-5  1,200 calls (2 failed, 1 lost)  1.5M (1.2M cached, 9.0k cache written)  64.0k (30.0k reasoning)  $2.50 and perhaps $0.0310 more\
""")  # noqa: E501


def test_an_unknown_price_makes_the_whole_unknown_and_nothing_used_has_no_table() -> None:
    agents = {**USAGE["agents"], "qa": {**USAGE["agents"]["qa"], "usd": None}}
    assert bill.whole({**USAGE, "agents": agents}).startswith("cost unknown")
    assert bill.columns({**USAGE, "agents": {}}) == []
    assert bill.Spent(1, None, 0.5).cost_usd is None
