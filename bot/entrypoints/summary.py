"""The end of a run for people: what came out, the proof, what it cost, and what to do next."""

from __future__ import annotations

import shlex

from bot.domain.result import Result
from bot.domain.scrub import printable
from bot.entrypoints.wording import diff_size, excerpt, meter, one_line, spent

_FEEDBACK_LINES = 30


def summary(result: Result) -> str:
    """The whole summary, ending in a newline."""
    parts = [_replay(result), _outcome(result), _evidence(result), _facts(result), _next(result)]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _replay(result: Result) -> list[str]:
    if not result.replay_of:
        return []
    return [one_line(f"REPLAY of run {result.replay_of}: no model was asked, nothing was run")]


def _outcome(result: Result) -> list[str]:
    times = f"{result.iterations} iteration{'' if result.iterations == 1 else 's'}"
    match result.status:
        case "completed":
            return [f"COMPLETED after {times}: {diff_size(result.diff)}"]
        case "no_change":
            return [
                f"NO CHANGE after {times}: the task is done already; a test for it passes as it is"
            ]
        case "cancelled":
            kept = (
                "the last draft is kept (below)"
                if result.diff_file
                else "there was no draft to keep"
            )
            return [f"CANCELLED: your repository was not touched, {kept}"]
        case "failed":
            said = [one_line(f"FAILED after {times}: {result.reason or 'no reason given'}")]
            if result.feedback:
                said += ["The last feedback:", *excerpt(result.feedback, _FEEDBACK_LINES)]
            return said


def _evidence(result: Result) -> list[str]:
    if "kind" not in result.evidence:  # a tester of the caller's own keeps what it likes there
        return []
    from pipeline.verification.evidence import Evidence

    return printable(Evidence.from_dict(dict(result.evidence)).render()).rstrip().splitlines()


def _facts(result: Result) -> list[str]:
    used = [f"cost      {meter(*result.cut_off)}"] if result.cut_off else spent(result)
    return [*used, *(one_line(f"note      {warning}") for warning in result.warnings)]


def _next(result: Result) -> list[str]:
    if result.replay_of:
        return []
    if result.branch:
        return _check_branch(result)
    if result.diff_file:
        apply = f"git apply {shlex.quote(result.diff_file)}"
        what = "the change" if result.ok else "the last draft (not proven)"
        return [f"{what} is in {result.diff_file}", f"next      look at it, then: {apply}"]
    if result.status == "failed":
        return ["next      say more in the task, or allow more with --max-iterations"]
    return []


def _check_branch(result: Result) -> list[str]:
    """The commands with which anyone checks the proof."""
    git = f"git -C {shlex.quote(result.repository)}"
    branch = shlex.quote(result.branch)
    lines = [f"branch    {result.branch} in {result.repository} (your work tree is as it was)"]
    if result.commits > 1:
        lines += [
            "check the proof:",
            f"  {git} switch --detach {branch}~1   # the test alone: it fails",
            f"  {git} switch {branch}   # with the change: it passes",
            f"  after each: {result.test_command}",
        ]
    return [*lines, f"next      {git} diff {result.base_sha[:12]} {branch}"]
