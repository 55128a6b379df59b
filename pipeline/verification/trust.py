"""Says why a test run cannot be trusted: rules, each of which a forger would have to think of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.sandbox.base import STOPPED
from pipeline.verification.report import clean

if TYPE_CHECKING:
    from pipeline.sandbox.base import ExecResult
    from pipeline.verification.report import Log

_TAIL_CHARS = 1500


@dataclass(frozen=True, slots=True)
class Heard:
    """What a run has left: the end of its process, the bytes of its report, and what these say.

    `data` None is a report that is not there. `canary` names the test that had to fail; "" is none.
    """

    done: ExecResult
    data: bytes | None
    log: Log
    canary: str


Rule = Callable[[Heard], str]


def problem(heard: Heard, rules: Sequence[Rule] | None = None) -> str:
    """Why the run cannot be trusted, in one sentence with the end of its output; "" if it can."""
    said = next(filter(None, (rule(heard) for rule in RULES if rules is None or rule in rules)), "")
    if not said:
        return ""
    return f"{said}\n{clean(heard.done.text)[-_TAIL_CHARS:].strip()}".strip()


def unfinished(heard: Heard) -> str:
    """The process must end by itself, and as its report says."""
    done, log = heard.done, heard.log
    if said := stopped(done):
        return said
    if heard.data is None:
        return f"the tests left no report (exit code {done.code})"
    if log.damaged:
        return ""
    if log.finished is None:
        return f"the test session did not finish (exit code {done.code})"
    if log.finished != done.code:
        return f"the report says exit code {log.finished}, the process said {done.code}"
    return ""


def damaged(heard: Heard) -> str:
    """Every line of the report must be one that a runner writes."""
    return f"the test report is damaged ({heard.log.damaged})" if heard.log.damaged else ""


def disagrees(heard: Heard) -> str:
    """The exit code must be the one that such results lead to."""
    log = heard.log
    red = any(result.red for result in log.results.values())
    expected = set(log.red_codes) if heard.canary or red else {0, 5}
    if heard.done.code in expected:
        return ""
    return f"exit code {heard.done.code} does not agree with the report of the single tests"


def canary_missing(heard: Heard) -> str:
    """The test that had to fail must have run."""
    lost = heard.canary and heard.log.canary is None
    return "a test that was planted to fail did not run" if lost else ""


def canary_alive(heard: Heard) -> str:
    """The test that had to fail must have failed."""
    if not heard.canary or heard.log.canary in {None, "failed"}:
        return ""
    return f"a test that was planted to fail is reported as {heard.log.canary}"


def unmeasured(heard: Heard) -> str:
    """The plugin of ours must have said its piece."""
    silent = heard.canary and not heard.log.facts
    return "the run did not say what it measured" if silent else ""


def elsewhere(heard: Heard) -> str:
    """The code that ran must be the tree's."""
    foreign = heard.log.facts.get("foreign")
    if not foreign:
        return ""
    names = ", ".join(map(str, foreign))
    return f"the tests ran against installed copies, not against the tree: {names}"


RULES: tuple[Rule, ...] = (
    unfinished,
    damaged,
    disagrees,
    canary_missing,
    canary_alive,
    unmeasured,
    elsewhere,
)


def stopped(done: ExecResult) -> str:
    """What ended a command that did not end by itself, in one sentence; "" if it did."""
    if done.reason == "timeout":
        return f"the tests did not end within {done.wall_s:.0f} s"
    if done.reason == "output":
        return "the tests wrote more output than is allowed"
    if done.reason in {"memory", "processes", "disk"}:
        return f"the tests were stopped: {STOPPED[done.reason]}"
    if done.reason == "killed" or done.code is None:
        return f"the tests were killed (signal {done.signal})"
    return ""
