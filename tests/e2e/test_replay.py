"""A run made again from its journal alone: elsewhere, later, offline, and byte for byte."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import Checkpoint, NoSandbox
from pipeline.agents import CodingAgent, FormattingAgent, QAAgent, TestingAgent
from pipeline.errors import InvalidState
from pipeline.journal import Diverged, Entry, MemoryJournal
from pipeline.llm.scripted import ScriptedClient, load_script, read_turn
from pipeline.orchestrator import AgenticCodingPipeline
from pipeline.replay import replay

DEMO = Path(__file__).parents[2] / "bot/demo"
TASK = (DEMO / "issue.md").read_text("utf-8")


def a_lineup(clock: Callable[[], float], coder: str = "gpt") -> AgenticCodingPipeline:
    """The demo's: every seat plays its script."""
    script = load_script(DEMO / "script.json")
    models = {seat: ScriptedClient(turns, model=f"old-{seat}") for seat, turns in script.items()}
    return AgenticCodingPipeline(
        coders=[CodingAgent(coder, models["gpt"]), CodingAgent("claude", models["claude"])],
        formatters=[FormattingAgent()],
        testers=[TestingAgent("tests", models["tests"])],
        reviewers=[QAAgent("qa", models["qa"])],
        sandbox=NoSandbox(),
        clock=clock,
    )


def another_day() -> Iterator[float]:
    """A clock that nobody else has."""
    return itertools.count(1_000_000.25, 0.5)


async def recorded(repository: Path) -> tuple[MemoryJournal, list[str]]:
    """A whole run, its journal and its checkpoints."""
    journal, clock = MemoryJournal(), another_day()
    pipeline = a_lineup(lambda: next(clock))
    state = pipeline.start(TASK, repository)
    return journal, [c.to_json() async for c in pipeline.steps(state, journal=journal)]


async def again(
    entries: Mapping[str, Entry], base: bytes | None, into: list[Checkpoint] | None = None
) -> list[str]:
    found = [] if into is None else into
    async for checkpoint in replay(entries, base):
        found.append(checkpoint)
    return [checkpoint.to_json() for checkpoint in found]


@pytest.mark.slow
async def test_a_replay_makes_every_checkpoint_again_byte_for_byte(patient: Path) -> None:
    journal, live = await recorded(patient)
    assert Checkpoint.from_json(live[-1]).state["status"] == "completed"
    assert len(live) == 9
    shutil.rmtree(patient)  # the journal alone has to do

    assert await again(journal.entries, journal.base) == live

    await _a_journal_that_leads_elsewhere_is_shown(journal, live)


async def _a_journal_that_leads_elsewhere_is_shown(journal: MemoryJournal, live: list[str]) -> None:
    """Not a test of its own: a recording takes seconds."""
    entries = dict(journal.entries)
    task = {"task": f"{entries['run'].reply['task']} And be quick."}  # type: ignore[index]
    other = replace(entries["run"], reply={**entries["run"].reply, **task})  # type: ignore[dict-item]
    with pytest.raises(Diverged) as said:
        await again({**entries, "run": other}, journal.base)
    assert "another model at 1.drafting.gpt.model.1" in str(said.value)
    assert "And be quick." in said.value.difference
    assert said.value.difference.startswith("--- recorded")

    # A journal that was cut off leads as far as it goes, and asks nobody for the rest.
    last = list(entries).index("1.drafting.claude.model.2")
    seen: list[Checkpoint] = []
    with pytest.raises(Diverged, match=r"nothing at 1\.drafting\.claude\.model\.2"):
        await again(dict(list(entries.items())[:last]), journal.base, seen)
    assert [checkpoint.to_json() for checkpoint in seen] == live[:1]

    # What a command said is believed; another command is not.
    command = next(key for key in entries if ".command." in key)
    other = replace(entries[command], digest="another")
    with pytest.raises(Diverged, match="another command at"):
        await again({**entries, command: other}, journal.base)

    with pytest.raises(InvalidState, match="did not come with the journal"):
        await again(entries, None)


async def test_what_commands_leave_comes_back_without_them(
    make_repository: Callable[..., Path],
) -> None:
    """Also what the repository ignores, and what is gone: the coder reads and lists both."""
    repository = make_repository(**{".gitignore": "build/\n", "old.txt": "old\n"})
    build = "mkdir build && date +%s%N > build/stamp && rm old.txt && echo $RANDOM > new.txt"
    turns = [
        {"tools": [{"name": "run", "args": {"command": build}}]},
        {"tools": [{"name": "read", "args": {"path": "build/stamp"}}]},
        {"tools": [{"name": "list", "args": {}}]},
        {"tools": [{"name": "finish", "args": {"summary": "built", "keep": ["new.txt"]}}]},
    ]
    coder = ScriptedClient([read_turn(turn) for turn in turns])
    pipeline = AgenticCodingPipeline([CodingAgent("gpt", coder)], sandbox=NoSandbox())
    journal = MemoryJournal()
    state = pipeline.start("Build it.", repository)
    live = [c.to_json() async for c in pipeline.steps(state, journal=journal)]
    assert "+++ b/new.txt" in Checkpoint.from_json(live[-1]).state["proposed_code"]
    shutil.rmtree(repository)

    assert await again(journal.entries, journal.base) == live

    command = next(key for key in journal.entries if ".command." in key)
    kept: Any = journal.entries[command].reply
    without = replace(journal.entries[command], reply={**kept, "files": {}})
    with pytest.raises(Diverged, match="another model"):
        await again({**journal.entries, command: without}, journal.base)


async def test_agents_of_ones_own_are_replayed_in_code() -> None:
    facts = {"v": 1, "task": "t", "repo": None, "base_sha": "", "base_tree": ""}
    lineup = [{"name": "mine", "kind": "Mine"}]
    entry = Entry("", {**facts, "lineup": lineup, "rules": {}})
    with pytest.raises(InvalidState, match="'mine' is a Mine, which is not one of ours"):
        await again({"run": entry}, None)
