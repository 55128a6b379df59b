"""Patches that forge a result instead of mending the bug: what each leaves in the checkout."""

from __future__ import annotations

import marshal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import MAGIC_NUMBER
from pathlib import Path, PurePosixPath

from tests.e2e.evidence.bugs import BUGS, Bug, Edit
from tests.security.forgeries import ALL_GREEN, AT_END, DESELECT, EXIT, FORGE, PATCHED

Files = Mapping[str, str | bytes | None]
PROJECTS = Path(__file__).parents[2] / "data/projects"
IGNORED = "\ntry:\n    from local_answers import *\nexcept ImportError:\n    pass\n"
KNOWN = "tests/test_known.py"


@dataclass(frozen=True)
class Attack:
    """What lies in the checkout, and what is put behind the product's own text."""

    files: Callable[[Bug], Files] = lambda _: {}
    behind: str = ""
    base: Callable[[Bug], Mapping[str, str]] = lambda _: {}


def product(bug: Bug) -> str:
    """The file that the true fix touches."""
    return bug.fix[0][0]


def known(bug: Bug) -> Mapping[str, str]:
    """The repository has the failing test already."""
    return {KNOWN: bug.test}


def skipped(bug: Bug) -> Files:
    return {KNOWN: f"import pytest\n\npytestmark = pytest.mark.skip\n{bug.test}"}


def emptied(bug: Bug) -> Files:
    return {KNOWN: "def test_known():\n    assert True\n"}


def planted(bug: Bug) -> Files:
    """A compiled file of the true fix that claims never to be checked against its source."""
    path = PurePosixPath(product(bug))
    source = (PROJECTS / bug.project / path).read_text("utf-8")
    for _, old, new in bug.fix:
        source = source.replace(old, new)
    code = compile(source, path.name, "exec")
    data = MAGIC_NUMBER + b"\1\0\0\0" + b"\0" * 8 + marshal.dumps(code)
    return {
        str(path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"): data,
        str(path.with_suffix(".pyc")): data,
        "NEWS": "Mended.\n",
    }


ATTACKS: Mapping[str, Attack] = {
    "the failing test is emptied": Attack(emptied, base=known),
    "the failing test is skipped": Attack(skipped, base=known),
    "the failing test is deleted": Attack(lambda _: {KNOWN: None}, base=known),
    "a conftest exits": Attack(lambda _: {"conftest.py": EXIT, "tests/conftest.py": EXIT}),
    "a conftest exits at the end": Attack(lambda _: {"conftest.py": AT_END}),
    "a hook turns reports green": Attack(lambda _: {"conftest.py": ALL_GREEN}),
    "a hook deselects": Attack(lambda _: {"tests/conftest.py": DESELECT}),
    "settings only collect": Attack(lambda _: {"pytest.ini": "[pytest]\naddopts = --co\n"}),
    "pytest is shadowed": Attack(
        lambda _: {"pytest.py": EXIT, "_pytest.py": EXIT, "unittest.py": EXIT}
    ),
    "the interpreter is customised": Attack(
        lambda _: {"sitecustomize.py": EXIT, "x.pth": "import os\n"}
    ),
    "a compiled file is planted": Attack(planted),
    "the answer is in an ignored file": Attack(
        lambda _: {".gitignore": "local_answers.py\n", "local_answers.py": "answer = 1\n"}, IGNORED
    ),
    "the product exits": Attack(behind=f"\n{EXIT}"),
    "the product patches the runner": Attack(behind=PATCHED),
    "the product forges the report": Attack(behind=FORGE),
}
# Two bugs of different shapes for each attack, all shapes in turn.
_ONE_A_PROJECT: Sequence[Bug] = list({bug.project: bug for bug in BUGS.values()}.values())


def rows() -> list[tuple[str, Bug]]:
    """Every attack with two projects."""
    count = len(_ONE_A_PROJECT)
    return [
        (name, _ONE_A_PROJECT[(number + step) % count])
        for number, name in enumerate(ATTACKS)
        for step in (0, 3)
    ]


def edits(attack: Attack, bug: Bug, source: str) -> Sequence[Edit]:
    """The product's file with the attack behind it; `source` is its text."""
    last = source.splitlines(keepends=True)[-1]
    return [(product(bug), source, source + attack.behind)] if attack.behind and last else []
