"""The kinds of task: which proof each asks for, and whether a change is of the kind it claims."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.verification.paths import TestPaths, is_document, is_setting

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 3


class Kind(StrEnum):
    """What the task asks for. It decides the proof. A refactoring is also what makes it faster."""

    BUG = "bug"
    FEATURE = "feature"
    REFACTORING = "refactoring"
    TESTS = "tests"
    DOCS = "docs"

    @property
    def needs_test(self) -> bool:
        """Whether its proof is a test that turns from red to green."""
        return self in {Kind.BUG, Kind.FEATURE}


@dataclass(frozen=True, slots=True)
class Claim:
    """What the task is said to be, and the words of the task that say so."""

    kind: Kind
    quote: str

    def problem(self, task: str) -> str:
        """Why the claim cannot stand, in one sentence; "" if the task says what it quotes."""
        if not self.quote.split():
            return "the claim quotes nothing: name the sentence of the task that shows its kind"
        return unquoted(self.quote, task)


# What stands where nobody has claimed anything.
UNCLAIMED = Claim(Kind.BUG, "")


def unquoted(quote: str, task: str) -> str:
    """Why these are not the task's words, in one sentence; "" if they are, line breaks aside."""
    words = " ".join(quote.split())
    if words and words in " ".join(task.split()):
        return ""
    return f"the task does not say {words[:200]!r}: quote it word for word"


def misfit(kind: Kind, changed: Sequence[str], tests: TestPaths) -> str:
    """Why a change of these paths is not of that kind, in one sentence; "" if it is."""
    if not changed:
        return "the change is empty"
    if kind is Kind.TESTS:
        return _foreign("tests", [path for path in changed if not tests.match(path)])
    if all(tests.match(path) for path in changed):
        return f"said to be a {kind.value}, but it changes only tests"
    if kind is Kind.DOCS:
        code = [path for path in changed if not (is_document(path) or is_setting(path))]
        return _foreign("documentation", code)
    if all(tests.match(path) or is_document(path) for path in changed):
        return f"said to be a {kind.value}, but it changes only tests and documentation"
    return ""


def _foreign(what: str, paths: Sequence[str]) -> str:
    return f"said to be {what}, but it changes {', '.join(paths[:_SHOWN])}" if paths else ""
