"""The result of a run: what every face shows of its end, and what machines read."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.task import Task
from pipeline.state import PipelineState, Status, usage_table
from pipeline.tally import rounded
from pipeline.tally import total as tally_total

_FEEDBACK_CHARS = 20_000
_PATHS = 8
_PROOF = "reproduction"


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended.

    `reason` is "" unless it failed; `summary` and `nothing_to_change` are the coder's own words.
    `branch` and `diff_file` say where the change was left ("": not there). `diff` is the change and
    its tests against `base_sha`, ready for `git apply`; `tests_diff` is the second part of it.
    `usd` is None where a price is unknown. `cut_off` is tokens and US dollars of a cancelled run as
    last heard; `usage` then ends with the last seat that was done. `replay_of` names the recorded
    run that was made again: its usage was spent then, and nothing now.
    """

    task: Task
    status: Status
    reason: str = ""
    feedback: str = ""
    summary: str = ""
    nothing_to_change: str = ""
    repository: str = ""
    base_sha: str = ""
    branch: str = ""
    commits: int = 0
    diff_file: str = ""
    code_diff: str = ""
    tests_diff: str = ""
    test_paths: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    test_output: str = ""
    qa_output: str = ""
    iterations: int = 0
    usage: Mapping[str, Any] = field(default_factory=usage_table)
    warnings: tuple[str, ...] = ()
    cut_off: tuple[int, float | None] | None = None
    replay_of: str = ""

    @classmethod
    def of(
        cls, state: PipelineState, task: Task, *, iterations: int, status: Status | None = None
    ) -> Result:
        """Read the last state of a run; `status` overrules where the run was cut short."""
        return cls(
            task=task,
            status=status or state.get("status", "failed"),
            reason=state.get("reason", ""),
            feedback=state.get("feedback", ""),
            summary=state.get("summary", ""),
            nothing_to_change=state.get("nothing_to_change", ""),
            repository=state.get("repo") or "",
            base_sha=state.get("base_sha", ""),
            code_diff=state.get("proposed_code", ""),
            tests_diff=state.get("proposed_tests", ""),
            test_paths=tuple(state.get("test_paths", ())),
            evidence=state.get("evidence", {}),
            test_output=state.get("test_output", ""),
            qa_output=state.get("qa_output", ""),
            iterations=iterations,
            usage=state.get("usage", usage_table()),
            warnings=tuple(state.get("notes", ())),
        )

    @property
    def diff(self) -> str:
        """The change and its tests, against the base."""
        return self.code_diff + self.tests_diff

    @property
    def test_command(self) -> str:
        """What a person types to run the tester's test; "" where there is none."""
        paths = self.test_paths[:_PATHS]
        run = [one["command"] for one in self.evidence.get("runs", ()) if one["name"] == _PROOF]
        if run and not all(path.endswith(".py") for path in paths):
            return str(run[-1])
        return shlex.join(("python", "-m", "pytest", *paths)) if paths else ""

    @property
    def ok(self) -> bool:
        """Whether the asked-for end was reached."""
        return self.status in {"completed", "no_change"}

    @property
    def usd(self) -> float | None:
        """What all seats cost, in US dollars; None as soon as one price is unknown."""
        return rounded(tally_total(self.usage).usd)

    @property
    def lost_usd(self) -> float | None:
        """What calls have perhaps cost that were cut off from their answer; no part of `usd`."""
        return rounded(tally_total(self.usage).lost_usd)

    @property
    def cost_usd(self) -> float | None:
        """What counts against the day's limit: paid, and perhaps paid."""
        return rounded(tally_total(self.usage).committed)

    @property
    def tokens(self) -> dict[str, int]:
        """Tokens of all seats: `input` and its parts, `output` and its part `reasoning`."""
        used = tally_total(self.usage)
        return {
            "input": used.input_tokens,
            "cached": used.cached_tokens,
            "cache_write": used.cache_write_tokens,
            "output": used.output_tokens,
            "reasoning": used.reasoning_tokens,
        }

    @property
    def seconds(self) -> dict[str, float]:
        """Where the wall time went: model, tests, tools, us (the rest) and total."""
        split = dict(self.usage["seconds"])
        total = split.pop("total")
        us = max(0.0, total - sum(split.values()))
        return {name: round(s, 3) for name, s in {**split, "us": us, "total": total}.items()}

    def to_dict(self) -> dict[str, Any]:
        """The stable end state that machines read; documented in `bot.entrypoints.json_lines`."""
        return {
            "status": self.status,
            "reason": self.reason,
            "feedback": self.feedback[:_FEEDBACK_CHARS],
            "task": {"title": self.task.title, "source": self.task.source, "url": self.task.url},
            "repository": self.repository,
            "base_sha": self.base_sha,
            "branch": self.branch,
            "diff_file": self.diff_file,
            "diff": self.diff,
            "tests_diff": self.tests_diff,
            "evidence": dict(self.evidence),
            "test_output": self.test_output,
            "qa_output": self.qa_output,
            "iterations": self.iterations,
            "cost_usd": self.usd if self.cut_off is None else self.cut_off[1],
            "perhaps_usd": self.lost_usd,
            "replayed": self.usage["replayed"],
            "tokens": self.tokens,
            "seconds": self.seconds,
            "agents": dict(self.usage["agents"]),
            "warnings": list(self.warnings),
            "replay_of": self.replay_of,
        }
