"""What a project needs to run its tests, as it was found in its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.sandbox.base import Mount

Language = Literal["python", "node", "go", "rust", "java", "make", "other"]
Argv = tuple[str, ...]

# Stand in for paths that are known only when a set-up runs.
ENV = "{env}"
PYTHON = "{python}"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the operator or the repository's settings say; empty fields are found out.

    `path` is the project's folder, `setup` are lines for a shell, `test` and `lint` are commands.
    `report` is a glob: where the command of the tests writes JUnit's XML.
    """

    path: str = "."
    setup: tuple[str, ...] = ()
    test: str = ""
    lint: str = ""
    report: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to set a project up.

    `source` names what told it ("uv.lock", "extras test"). `steps` are run in the project's folder,
    one after the other. `inputs` are the files whose content decides the outcome. `test` is the
    command of the tests; () is pytest. `report` is what tells of each single test of it (see
    `reports`). `lint` is a line for a shell. `python` is the wish for an
    interpreter, a specifier or a version. `programs` have to be on the machine. `bare`: nothing to
    set up. `env` are variables of set-up and tests, `files` are written before the first step.
    Paths may begin with ENV and PYTHON. `etc` are files below /etc that the programs cannot do
    without, as patterns: of the host's /etc a sandbox shows nothing that is not named. `problem` is
    why there is no way to set this up, with the mend.
    """

    language: Language
    source: str
    steps: tuple[Argv, ...] = ()
    inputs: tuple[str, ...] = ()
    test: Argv = ()
    report: Argv = ()
    lint: str = ""
    python: str = ""
    programs: tuple[str, ...] = ()
    path: str = "."
    bare: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    etc: tuple[str, ...] = ()
    problem: str = ""

    def mounts(self) -> tuple[Mount, ...]:
        """What of the host's /etc is shown."""
        home = Path("/etc")
        return tuple(Mount(path) for name in self.etc for path in sorted(home.glob(name)))
