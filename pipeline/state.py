"""The state that travels through the loop: a plain, serialisable dict with one owner per key."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, Required, cast

from typing_extensions import TypedDict

from pipeline.errors import InvalidState, StateOwnershipError

Status = Literal["completed", "failed", "no_change", "cancelled"]


class Role(StrEnum):
    """What a seat is there for."""

    CODER = "coder"
    FORMATTER = "formatter"
    TESTER = "tester"
    REVIEWER = "reviewer"


class Reason(StrEnum):
    """Why a run ended as it did: the closed list behind `state["reason"]`."""

    EMPTY_DRAFT = "coder did not return code"
    TESTS_FAILED = "tests failed"
    QA_FAILED = "qa failed"
    UNPROVEN = "unproven"
    NOT_VERIFIED = "not verified"
    REPEATED = "repeated feedback"
    BUDGET = "budget"
    MODEL = "model failed"


class Attempt(TypedDict):
    """One failed pass of the loop: which gate stopped it, and the feedback it gave."""

    iteration: int
    gate: Literal["testing", "qa"]
    reason: str
    feedback: str


class Claim(TypedDict):
    """What the tester says the task is: its kind, and the sentence of the task behind it."""

    kind: str
    quote: str


class Expectation(TypedDict):
    """A test (its id) whose expectation the task changes, and the sentence that asks for it."""

    test: str
    quote: str


class Ruling(TypedDict):
    """What a reviewer finds where test and change disagree: which of them contradicts `quote`.

    `problem` says why the ruling does not count, or is "": the quote must stand in the task.
    """

    by: str
    against: Literal["change", "test"]
    quote: str
    why: str
    problem: str


class Dispute(TypedDict):
    """Authored tests that keep failing: their ids, how often in a row, and what was ruled on it.

    `dropped` are ids that a ruling took out of the proof; another proof must take their place.
    """

    ids: list[str]
    times: int
    rulings: list[Ruling]
    dropped: list[str]


class SeatUsage(TypedDict):
    """What one seat has used so far. `usd` is None where a price is unknown: never 0 for it.

    `calls` were answered; `failed` tries were billed without a usable answer, and are part of the
    tokens and of `usd`; `lost` tries were cut off from their answer by a crash, a cancel or the
    network: perhaps paid, `lost_usd` in all, which is no part of `usd`. `cached_tokens` and
    `cache_write_tokens` are parts of `input_tokens`, `reasoning_tokens` of `output_tokens`.
    """

    provider: str
    model: str
    calls: int
    failed: int
    lost: int
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    usd: float | None
    lost_usd: float | None


class Seconds(TypedDict):
    """Where the wall time went. What is left of `total` is ours."""

    model: float
    tests: float
    tools: float
    total: float


class UsageTable(TypedDict):
    """Tokens and cost by agent name, seconds of the whole run.

    `replayed`: the answers came from a journal, so nothing of this was spent now.
    """

    agents: dict[str, SeatUsage]
    seconds: Seconds
    replayed: bool


class PipelineState(TypedDict, total=False):
    """Everything that is known of a run. Extra keys of custom agents pass through.

    `proposed_code` is the unified diff against the commit `base_sha` ("" is the empty tree);
    `proposed_tests` is the diff of `test_paths` against base plus `proposed_code`.
    `summary` is the last coder's own account: words, no evidence.
    `tests_passed` and `qa_passed` are None where the operator left the role out ("not checked").
    """

    task: Required[str]
    repo: str | None
    base_sha: str
    test_paths: list[str]
    proposed_code: str
    summary: str
    nothing_to_change: str
    expectations: list[Expectation]
    proposed_tests: str
    claim: Claim
    dispute: Dispute
    tests_passed: bool | None
    test_output: str
    evidence: dict[str, Any]
    qa_passed: bool | None
    qa_output: str
    feedback: str
    attempts: list[Attempt]
    status: Status
    reason: str
    usage: UsageTable
    notes: list[str]


_SHARED_BY_GATES = frozenset({"feedback", "dispute"})
WRITES: Mapping[Role, frozenset[str]] = {
    Role.CODER: frozenset({"proposed_code", "summary", "nothing_to_change", "expectations"}),
    Role.FORMATTER: frozenset({"proposed_code"}),
    Role.TESTER: frozenset({"proposed_tests", "claim", "tests_passed", "test_output", "evidence"})
    | _SHARED_BY_GATES,
    Role.REVIEWER: frozenset({"qa_passed", "qa_output"}) | _SHARED_BY_GATES,
}
KNOWN = frozenset(PipelineState.__annotations__)


def usage_table() -> UsageTable:
    """A table of nothing used yet."""
    seconds = Seconds(model=0.0, tests=0.0, tools=0.0, total=0.0)
    return UsageTable(agents={}, seconds=seconds, replayed=False)


def copy_of(state: Mapping[str, Any]) -> PipelineState:
    """An independent copy, so that a stored checkpoint is never changed behind our back."""
    return cast("PipelineState", copy.deepcopy(dict(state)))


def check_ownership(role: Role, agent: str, before: PipelineState, after: object) -> None:
    """Refuse a step in which `agent` changed, added or dropped a key of another role.

    Raises InvalidState where an agent did not return a dict, StateOwnershipError otherwise.
    """
    if not isinstance(after, Mapping):
        kind = type(after).__name__
        raise InvalidState(f"agent {agent!r} returned {kind}; an agent returns the state")
    missing = object()
    for key in sorted(KNOWN - WRITES[role]):
        if before.get(key, missing) != after.get(key, missing):
            may = ", ".join(sorted(WRITES[role]))
            raise StateOwnershipError(
                f"agent {agent!r} is a {role.value} and must not write {key!r} (it may write {may})"
            )
