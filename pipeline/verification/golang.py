"""Runs `go test -json` and reads what it tells, with a test planted in each package that fails."""

from __future__ import annotations

import json
import posixpath
import re
import secrets
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipeline.errors import WorkspaceError
from pipeline.verification.report import DAMAGED, Log, TestResult, clean, finite, merge
from pipeline.verification.runner import take, told
from pipeline.verification.whole import named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.environment import Environment
    from pipeline.sandbox.base import Limits
    from pipeline.verification.report import Outcome, TestRun
    from pipeline.verification.runner import Place, Selection

_PLANTED = 'package %s\n\nimport "testing"\n\nfunc %s(t *testing.T) {\n\tt.Fatal()\n}\n'
_PACKAGE = re.compile(r"^package\s+(\w+)", re.MULTILINE)
_MODULE = re.compile(r"^module\s+\"?([^\s\"]+)", re.MULTILINE)
_NAMES = re.compile(r"^func\s+((?:Test|Example|Fuzz)\w*)\s*\(", re.MULTILINE)
# What `go` writes besides JSON: packages as a line, errors of building under a heading.
_PLAIN = re.compile(r"(?:FAIL|ok|\?|---)\s|FAIL$|#\s|\s*$")
_FAILED = re.compile(r"FAIL\s+(\S+)(?:\s|$)")
_NOISE = re.compile(r"\s*(?:===|--- (?:PASS|FAIL|SKIP):)")
_ENDS: Mapping[str, Outcome] = {"pass": "passed", "fail": "failed", "skip": "skipped"}
_SOURCE_BYTES = 4 * 2**20
_MOST_FILES = 10_000
_LINK = 0o120000
_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Sources:
    """The test files of a module: folder -> file -> text. Folders are relative to the tree."""

    module: str
    folder: str
    files: Mapping[str, Mapping[str, str]]

    def place(self, package: str) -> str:
        """A package's folder; the package's name where it is of another module."""
        if package != self.module and not package.startswith(f"{self.module}/"):
            return package
        inner = package.removeprefix(self.module).strip("/")
        return posixpath.normpath(posixpath.join(self.folder, inner))

    def id(self, package: str, test: str) -> str:
        """The file in which the test stands, and its name."""
        folder, name = self.place(package), test.partition("/")[0]
        held = self.files.get(folder, {})
        file = next((path for path, text in held.items() if name in _NAMES.findall(text)), folder)
        return f"{file}::{test}"


async def run_go(
    session: Place,
    environment: Environment,
    selection: Selection,
    *,
    canary: str,
    limits: Limits | None = None,
) -> TestRun:
    """Run the suite, or the tests of the selection. Raises SandboxError if nothing could start."""
    sources = await _sources(session, environment.folder)
    planted = await _plant(session, sources, selection.paths, canary)
    report = f".acp-{secrets.token_hex(8)}.jsonl"
    chosen = _chosen(sources, selection, _function(canary))
    argv = _argv(environment.test, chosen)
    # Kept apart from what the build says, and not bounded as output is.
    words = ("sh", "-c", 'exec "$@" > "$0"', f"{session.workdir}/{report}", *argv)
    done = await session.exec((*environment.prefix, *words), cwd=environment.folder, limits=limits)
    data = await take(session, report)
    for path in planted:
        await take(session, path)
    log, text = read(data or b"", sources, _function(canary), done.code, done.text)
    command = named(replace(environment, test=_argv(environment.test, _shown(chosen), plain=True)))
    return replace(told(command, done, data, log, canary if planted else ""), output=text)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Packages as arguments, and the names of the tests; empty is all."""

    packages: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def _argv(test: Sequence[str], chosen: Chosen, *, plain: bool = False) -> tuple[str, ...]:
    words = (*test[:2], *(() if plain else ("-json",)), *test[2:])
    if not chosen.packages:
        return words
    only = "|".join(re.escape(name) for name in chosen.names)
    flags = [word for word in words if word.startswith("-")]
    return (*test[:2], *flags, "-run", f"^({only})$", *chosen.packages)


def _shown(chosen: Chosen) -> Chosen:
    """Without the planted test, which comes last."""
    return Chosen(chosen.packages, chosen.names[:-1])


def _chosen(sources: Sources, selection: Selection, planted: str) -> Chosen:
    if not selection.paths:
        return Chosen()
    names: set[str] = set()
    for path in selection.paths:
        text = sources.files.get(posixpath.dirname(path) or ".", {}).get(path, "")
        names |= set(_NAMES.findall(text))
    if selection.ids:
        names &= {key.partition("::")[2].partition("/")[0] for key in selection.ids}
    folders = {posixpath.dirname(path) or "." for path in selection.paths}
    inner = sorted(posixpath.relpath(folder, sources.folder) for folder in folders)
    return Chosen(
        tuple("." if one == "." else f"./{one}" for one in inner), (*sorted(names), planted)
    )


async def _sources(session: Place, folder: str) -> Sources:
    """What the tree holds of tests, outside of the folders that `./...` leaves out."""
    start = "" if folder == "." else f"{folder}/"
    found: dict[str, dict[str, str]] = defaultdict(dict)
    entries = [e for e in await session.entries() if e.path.startswith(start)]
    tests = [e.path for e in entries if e.path.endswith("_test.go") and e.mode != _LINK]
    for path in tests[:_MOST_FILES]:
        inner = path.removeprefix(start).split("/")[:-1]
        if not any(part[:1] in {".", "_"} or part in {"testdata", "vendor"} for part in inner):
            found[posixpath.dirname(path) or "."][path] = await _text(session, path)
    named = _MODULE.search(await _text(session, f"{start}go.mod"))
    return Sources(named[1] if named else "", folder, found)


async def _text(session: Place, path: str) -> str:
    try:
        return (await session.get(path, _SOURCE_BYTES)).decode("utf-8", "replace")
    except (FileNotFoundError, WorkspaceError):
        return ""


def _function(canary: str) -> str:
    return f"Test_{canary.removeprefix('test_')}"


async def _plant(
    session: Place, sources: Sources, paths: Sequence[str], canary: str
) -> tuple[str, ...]:
    """A test that fails in each package with tests: what runs there runs beside it."""
    wanted = {posixpath.dirname(path) or "." for path in paths}
    written = []
    for folder, files in sources.files.items():
        clause = next((m[1] for text in files.values() if (m := _PACKAGE.search(text))), "")
        if clause and (not wanted or folder in wanted):
            path = posixpath.normpath(f"{folder}/acp_{secrets.token_hex(8)}_test.go")
            await session.put(path, (_PLANTED % (clause, _function(canary))).encode())
            written.append(path)
    return tuple(written)


@dataclass
class _Package:
    """What was told of one package so far: by test what it said, by id how it ended."""

    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    ends: dict[str, TestResult] = field(default_factory=dict)
    failed: bool = False

    def text(self, test: str) -> str:
        """What a test said, or for "" the package, without the runner's own marks."""
        lines = clean("".join(self.said[test])).splitlines(keepends=True)
        return "".join(line for line in lines if not _NOISE.match(line)).strip()


def read(
    data: bytes, sources: Sources, planted: str, code: int | None, stderr: str
) -> tuple[Log, str]:
    """What `go test -json` wrote, and the same for people.

    Never raises: what cannot be read makes the log damaged.
    """
    packages: dict[str, _Package] = defaultdict(_Package)
    damaged = ""
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        try:
            _read_line(line, packages, sources)
        except DAMAGED as error:
            damaged = damaged or f"line {number}: {type(error).__name__}"
    results: dict[str, TestResult] = {}
    guards = [_guard(package, planted) for package in packages.values() if package.ends]
    for name, package in packages.items():
        place = sources.place(name)
        if package.failed and not (package.ends or results.get(place)):
            text = package.text("") or clean(stderr).strip()
            package.ends[place] = TestResult(place, "error", text[-_TEXT:])
        for result in package.ends.values():
            merge(results, result)
    # A package that does not build runs nothing, and says so.
    broken = any(package.failed for package in packages.values())
    failed: Outcome | None = "failed" if guards or broken else None
    worst = next((one for one in guards if one != "failed"), failed)
    log = Log(results, code, worst, {"packages": len(packages)}, damaged, red_codes=(1, 2))
    return log, _for_people(results, packages, stderr)


def _read_line(line: str, packages: dict[str, _Package], sources: Sources) -> None:
    if line.startswith("{"):
        _take_in(json.loads(line), packages, sources)
    elif failed := _FAILED.match(line):
        packages[failed[1]].failed = True
    elif not _PLAIN.match(line):
        raise ValueError(line)


def _guard(package: _Package, planted: str) -> Outcome | None:
    """How the planted test of a package ended; it is taken out."""
    key = next((key for key in package.ends if key.endswith(f"::{planted}")), "")
    return package.ends.pop(key).outcome if key else None


def _take_in(record: Mapping[str, Any], packages: dict[str, _Package], sources: Sources) -> None:
    action, test = record["Action"], str(record.get("Test") or "")
    if action.startswith("build-"):
        return
    name = str(record["Package"])
    package = packages[name]
    if action == "output":
        package.said[test].append(str(record["Output"]))
    elif action == "fail" and not test:
        package.failed = True
    elif test and action in _ENDS:
        text, red = package.text(test), action == "fail"
        panic = red and "panic:" in text
        result = TestResult(
            id=sources.id(name, test),
            outcome=_ENDS[action],
            message="" if action == "pass" else text[:_TEXT],
            assertion=red and not panic,
            exception="panic" if panic else "",
            seconds=finite(record.get("Elapsed") or 0.0),
        )
        merge(package.ends, result)


def _for_people(
    results: Mapping[str, TestResult], packages: Mapping[str, _Package], stderr: str
) -> str:
    red = (f"{r.id} ({r.outcome})\n{r.message}" for r in results.values() if r.red)
    ends = (package.text("") for package in packages.values())
    return "\n".join(part for part in (clean(stderr).strip(), *red, *ends) if part)
