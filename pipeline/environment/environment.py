"""Chooses the Python that runs a repository's tests, and says how a sandbox shows it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.environment.interpreter import Interpreter, inspect, own_base
from pipeline.environment.support import support_directory
from pipeline.errors import WorkspaceError
from pipeline.sandbox.base import Limits, Mount, Spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROGRAMS = ("/usr/local/bin", "/usr/bin", "/bin")
_VENVS = (".venv", "venv")
# CI makes hypothesis repeatable and keeps snapshot libraries from rewriting what they check.
# TZ stays unset: the sandbox's own time zone is UTC.
_VARIABLES = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "CI": "true",
}


@dataclass(frozen=True, slots=True)
class Environment:
    """The Python that runs the repository's tests, as seen inside a sandbox.

    `python`, `launcher` and `ruff` are absolute paths, the same inside and outside. `label` is for
    people. `order` is where the tree stands against site-packages. Of a bare environment: "last",
    as nothing of the project is installed there. Of a venv: "first", since the project itself is
    often installed in it, as a copy or as an editable link to the user's own work tree: the tests
    would judge that code instead of the tree's. What still slips in ahead (an import hook) is found
    by the plugin at the end of a run, which is not trusted then.

    `roots` are the folders of the tree that are imported from (default: `src` and the top). `test`
    is the command of the tests, run in `folder`; () is pytest. `report` is what tells of its single
    tests (see `reports`). `lint` is a further command that a change must not break. `inputs` are
    the files that the environment was made from, `notes` what a reader should know of it. With a
    `problem` the set-up has failed: nothing that is run in the environment verifies anything.
    `parts` are the environments of the projects, where a repository holds several; in a session of
    all of them a command of one goes behind its `prefix`.
    """

    python: str
    label: str
    launcher: str
    order: str
    ruff: str = ""
    read_only: tuple[Mount, ...] = ()
    path: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    roots: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    report: tuple[str, ...] = ()
    lint: str = ""
    folder: str = "."
    inputs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""
    prefix: tuple[str, ...] = ()
    parts: tuple[Environment, ...] = ()

    def spec(self, tree: Path, limits: Limits | None = None) -> Spec:
        """A sandbox over `tree` in which this Python and Ruff work."""
        return Spec(tree, self.read_only, self.path, self.env, limits or Limits())

    def remarks(self, changed: Iterable[str]) -> tuple[str, ...]:
        """What was not verified of a change of the paths `changed`, as this was made before it."""
        if self.parts:
            return tuple(one for part in self.parts for one in part.remarks(changed))
        folder = "" if self.folder == "." else f"{self.folder}/"
        own = sorted({folder + name for name in self.inputs}.intersection(changed))
        if not own:
            return ()
        return (f"what the change of {', '.join(own)} installs: the tests ran without it",)


def combined(parts: tuple[Environment, ...]) -> Environment:
    """One environment that shows those of several projects; the first one's commands go first."""
    parts = tuple(replace(part, prefix=_around(part)) for part in parts)
    first = parts[0]
    return replace(
        first,
        label="; ".join(f"{part.folder}: {part.label}" for part in parts),
        read_only=_outermost(tuple(dict.fromkeys(m for part in parts for m in part.read_only))),
        path=tuple(dict.fromkeys(entry for part in parts for entry in part.path)),
        env={name: value for part in reversed(parts) for name, value in part.env.items()},
        folder=".",
        test=(),
        report=(),
        lint="",
        inputs=tuple(f"{part.folder}/{name}" for part in parts for name in part.inputs),
        notes=tuple(f"{part.folder}: {note}" for part in parts for note in part.notes),
        problem="",
        prefix=(),
        parts=parts,
    )


def _around(part: Environment) -> tuple[str, ...]:
    """What gives a command the variables and the programs of one project."""
    env = {**part.env, "PATH": ":".join((*part.path, *PROGRAMS))}
    return ("/usr/bin/env", *(f"{name}={value}" for name, value in env.items()))


def find_environment(
    repo: str | None, python: Path | None = None, *, cache: Path | None = None
) -> Environment:
    """The interpreter that the caller names, else the repository's own venv, else a bare one.

    `repo` is a local path (its `.venv` or `venv` is used if it holds pytest and Python 3.8 or
    newer), a URL or None. `cache` is where the support directory is kept. Raises WorkspaceError.
    """
    found, remark = _at_hand(repo, python, cache)
    return found or bare_environment(cache, remark)


def environment_at_hand(
    repo: str | None, python: Path | None, *, cache: Path | None = None
) -> Environment | None:
    """What the caller names, or the repository's own venv; None where there is neither."""
    return _at_hand(repo, python, cache)[0]


def bare_environment(cache: Path | None = None, remark: str = "") -> Environment:
    """Our interpreter's standard library and pytest; `remark` ends the label."""
    return _bare(inspect(own_base()), cache, remark)


def environment_in(
    place: Path, base: Interpreter, label: str, support: Path | None = None
) -> Environment:
    """The venv that was built in `place` over `base`; `support` is where launcher and plugin go."""
    mounts = (Mount(place), *base.mounts)
    found = replace(base, python=place / "bin" / "python", virtual=True, mounts=mounts)
    made = support_directory(found, _ruff(), bare=False, cache=support)
    return _environment(found.python, label, "first", found, made)


def _at_hand(
    repo: str | None, python: Path | None, cache: Path | None
) -> tuple[Environment | None, str]:
    """The environment, or a remark on why a venv is passed over."""
    if python is not None:
        named = inspect(python)
        return (_own if named.pytest else _bare)(named, cache), ""
    reason = ""
    for folder in _VENVS if repo else ():
        candidate = Path(repo or "", folder, "bin", "python")
        if not candidate.exists():
            continue
        found, reason = _usable(candidate, folder)
        if found is not None:
            return _own(found, cache, f" of {folder}"), ""
    return None, reason


def _usable(candidate: Path, folder: str) -> tuple[Interpreter | None, str]:
    """The interpreter, or None and a remark for the label."""
    try:
        found = inspect(candidate)
    except WorkspaceError:
        return None, f"; {folder} does not work"
    if found.version < (3, 8):
        return None, f"; {folder} is older than Python 3.8"
    return (found, "") if found.pytest else (None, f"; {folder} has no pytest")


def _own(found: Interpreter, cache: Path | None, where: str = "") -> Environment:
    """The interpreter with its own packages; only launcher, plugin and report log are added."""
    support = support_directory(found, _ruff(), bare=False, cache=cache)
    label = f"Python {found.release}{where}, pytest {found.pytest}"
    return _environment(found.python, label, "first", found, support)


def _bare(base: Interpreter, cache: Path | None, remark: str = "") -> Environment:
    """The interpreter's standard library and pytest, nothing else."""
    if base.version < (3, 11):
        raise WorkspaceError(
            f"{base.python} has no pytest, and ours needs Python 3.11; install pytest there"
        )
    support = support_directory(base, _ruff(), bare=True, cache=cache)
    version = metadata.version("pytest")
    label = f"Python {base.release}, pytest {version} (bare{remark})"
    return _environment(support / "bin" / "python", label, "last", base, support)


def _ruff() -> str:
    from ruff import find_ruff_bin  # type: ignore[import-untyped]

    return str(find_ruff_bin())


def _environment(
    python: Path, label: str, order: str, found: Interpreter, support: Path
) -> Environment:
    ruff = _ruff()
    return Environment(
        python=str(python),
        label=label,
        launcher=str(support / "probe" / "acp_pytest.py"),
        order=order,
        ruff=ruff,
        read_only=_outermost((*found.mounts, Mount(support), Mount(Path(ruff)))),
        path=tuple(dict.fromkeys((str(support / "bin"), str(python.parent)))),
        env=dict(_VARIABLES),
    )


def _outermost(mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
    """Without those that another one shows already."""
    shown = {mount.source for mount in mounts}
    return tuple(mount for mount in mounts if shown.isdisjoint(mount.source.parents))
