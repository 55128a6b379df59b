"""What was once said of a tree id is not asked again."""

from __future__ import annotations

import shutil

import pytest

from pipeline.errors import PatchError, WorkspaceError
from pipeline.workspace.remembered import Remembered
from pipeline.workspace.repository import Repository


async def test_a_question_is_asked_once_and_the_oldest_answer_goes_first() -> None:
    asked: list[str] = []
    remembered = Remembered(2)

    async def answer(question: str) -> str:
        async def ask() -> str:
            asked.append(question)
            return question.upper()

        return await remembered.answer(question, ask)

    assert [await answer(name) for name in ("a", "b", "a", "c")] == ["A", "B", "A", "C"]
    assert asked == ["a", "b", "c"]
    assert [await answer(name) for name in ("a", "c", "b")] == ["A", "C", "B"]
    assert asked == ["a", "b", "c", "b"]


async def test_a_failure_and_a_very_long_text_are_not_kept() -> None:
    remembered = Remembered(2)
    answers = iter(["x" * (2**20 + 1), "short", "other"])

    async def fail() -> str:
        raise PatchError("no")

    async def ask() -> str:
        return next(answers)

    with pytest.raises(PatchError):
        await remembered.answer("q", fail)
    assert len(await remembered.answer("q", ask)) > 2**20
    assert await remembered.answer("q", ask) == "short"
    assert await remembered.answer("q", ask) == "short"


async def test_what_git_said_of_two_trees_is_known_without_git(empty: Repository) -> None:
    old = await empty.write(empty.base_tree, "a.py", b"x = 1\n")
    new = await empty.write(old, "a.py", b"x = 2\n")
    diff = await empty.diff(old, new)
    facts = (await empty.changes(old, new), await empty.paths(new))
    shutil.rmtree(empty.git_dir)

    assert await empty.diff(old, new) == diff
    assert (await empty.changes(old, new), await empty.paths(new)) == facts
    # A diff is tried before it is given, so what it makes of its base is known as well.
    assert await empty.apply(old, diff) == new
    with pytest.raises(WorkspaceError):
        await empty.apply(new, diff)
    with pytest.raises(WorkspaceError):
        await empty.diff(new, old)
