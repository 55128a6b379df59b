"""How a run is put into words for people: pure functions from events to lines."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import bill
from bot.domain.bill import count, money
from bot.domain.events import Started
from bot.domain.result import Result
from bot.domain.scrub import printable
from pipeline.checkpoint import Checkpoint
from pipeline.progress import Kind, Progress
from pipeline.transitions import Stage

_EXCERPT_LINES = 8
_LINE_CHARS = 160


def header(started: Started) -> list[str]:
    """What a run is made of, before the first word of a model."""
    repository = started.repository or "none (starts from an empty tree)"
    base = f" at {started.base[:12]}" if started.base else ""
    source = "" if started.source == "text" else f" ({started.source})"
    replay = f"REPLAY      of run {started.replay_of}: recorded replies, nothing runs or is spent"
    return [
        *([one_line(replay)] if started.replay_of else []),
        one_line(f"task        {started.title}{source}"),
        one_line(f"repository  {repository}{base}"),
        f"sandbox     {started.sandbox}",
        f"iterations  at most {started.max_iterations}",
    ]


def lineup(models: Sequence[tuple[str, str]]) -> str:
    """Which model sits where."""
    return "models      " + (" · ".join(f"{seat} {model}" for seat, model in models) or "none")


def progress(said: Progress) -> str:
    """One line of what a seat does; "" for what only moves the counters."""
    text = one_line(said.text)
    match said.kind:
        case Kind.SEATED:
            return f"{said.agent} begins ({said.stage.value})"
        case Kind.MODEL:
            return ""
        case Kind.VERDICT:
            return f"{said.agent}: verdict: {text}"
        case Kind.TOOL | Kind.TESTS | Kind.NOTE:
            return f"{said.agent}: {text}"


def ledger(checkpoint: Checkpoint, before: int) -> str:
    """A finished seat in one line. `before` is how many tokens it had used earlier in the run."""
    parts = [f"{checkpoint.agent} done"]
    state = checkpoint.state
    if checkpoint.stage in {Stage.DRAFTING, Stage.FORMATTING}:
        parts.append(diff_size(state.get("proposed_code", "")))
    if (used := tokens_of(checkpoint) - before) > 0:
        parts.append(f"{count(used)} tokens")
    return " · ".join([*parts, duration(checkpoint.seconds)])


def tokens_of(checkpoint: Checkpoint) -> int:
    """Tokens that the checkpoint's agent has used until now."""
    usage = checkpoint.state.get("usage")
    seat = usage["agents"].get(checkpoint.agent) if usage else None
    return seat["input_tokens"] + seat["output_tokens"] if seat else 0


def excerpt(text: str, lines: int = _EXCERPT_LINES) -> list[str]:
    """The beginning of a longer text, indented, with a line that counts what is left out."""
    said = [one_line(line) for line in printable(text).strip().splitlines()]
    left = len(said) - lines
    shown = said if left <= 0 else [*said[:lines], f"… {left} more lines"]
    return [f"    {line}".rstrip() for line in shown]


def one_line(text: str) -> str:
    """The text on one printable line of bounded length."""
    flat = " ".join(printable(text).split("\n")).rstrip()
    return flat if len(flat) <= _LINE_CHARS else flat[: _LINE_CHARS - 1] + "…"


def diff_size(diff: str) -> str:
    """Files and lines of a diff, such as "2 files, +12 -3"; "no change" for none."""
    if not diff:
        return "no change"
    files, plus, minus, in_hunk = 0, 0, 0, False
    for line in diff.splitlines():
        if line.startswith("diff --git "):
            files, in_hunk = files + 1, False
        elif line.startswith("@@"):
            in_hunk = True
        elif in_hunk:
            plus += line.startswith("+")
            minus += line.startswith("-")
    return f"{files} file{'' if files == 1 else 's'}, +{plus} -{minus}"


def meter(tokens: int, usd: float | None) -> str:
    """Use so far, such as "12.3k tokens · $0.0412"; an unknown price is said to be one."""
    return f"{count(tokens)} tokens · {money(usd)}"


def duration(seconds: float) -> str:
    """A time for people, such as "0.4 s", "12 s", "3 min 5 s"."""
    if seconds < 10:  # noqa: PLR2004 - below, tenths are worth seeing
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def clock(seconds: float) -> str:
    """Elapsed time as "03:05"."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02}:{rest:02}"


def spent(result: Result) -> list[str]:
    """Cost and tokens, whole and by seat, and where the time went."""
    spent_then = " · spent when it was recorded, nothing now" if result.replay_of else ""
    split = result.seconds
    parts = ", ".join(
        f"{name} {duration(split[name])}" for name in ("model", "tests", "tools", "us")
    )
    return [
        f"cost      {bill.whole(result.usage)}{spent_then}",
        *(f"          {line}" for line in bill.columns(result.usage)),
        f"time      {duration(split['total'])} ({parts})",
    ]
