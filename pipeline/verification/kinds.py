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
    """What the task asks for. It decides the proof."""

    BUG = "bug"
    FEATURE = "feature"
    REFACTORING = "refactoring"
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
        quote = " ".join(self.quote.split())
        if not quote:
            return "the claim quotes nothing: name the sentence of the task that shows its kind"
        if quote not in " ".join(task.split()):
            return f"the task does not say {quote[:200]!r}: quote it word for word"
        return ""


def misfit(kind: Kind, changed: Sequence[str], tests: TestPaths) -> str:
    """Why a change of these paths is not of that kind, in one sentence; "" if it is."""
    if not changed:
        return "the change is empty"
    if all(tests.match(path) for path in changed):
        return "only tests are changed, and that cannot be proven yet"
    if kind is Kind.DOCS:
        code = [path for path in changed if not (is_document(path) or is_setting(path))]
        shown = ", ".join(code[:_SHOWN])
        return f"said to be documentation, but it changes {shown}" if code else ""
    if all(tests.match(path) or is_document(path) for path in changed):
        return f"said to be a {kind.value}, but it changes only tests and documentation"
    return ""
