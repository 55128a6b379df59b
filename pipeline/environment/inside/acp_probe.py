"""A pytest plugin that makes a run tell more than its exit code.

It adds a test that must fail, marks failures that are assertions, narrows a run to given files or
ids without changing how pytest finds its configuration, awaits tests that are coroutines where no
plugin of the project does, and lets the canary's report carry measured facts.
Works with Python 3.8 and pytest 6 onwards.
"""
# Pytest's types differ between the versions that this meets; paths are the strings its hooks give.
# ruff: noqa: PTH109, PTH112, PTH113, PTH118, PTH122, PTH123, PTH208

from __future__ import annotations

import asyncio
import inspect
import json
import os
import platform
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from acp_children import Watched  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import FrameType

_NOT_PRODUCT = {"conftest", "docs", "setup", "test", "tests"}
_MANY = 20
_AWAITING = ("asyncio", "anyio", "trio", "pytest_tornasync", "aiohttp")


def pytest_addoption(parser: Any) -> None:
    """Options of ours: the canary's name, and a JSON file that holds a Selection."""
    group = parser.getgroup("acp")
    for name in ("--acp-canary", "--acp-select"):
        group.addoption(name, default="")


def pytest_configure(config: Any) -> None:
    """Read the selection and take part in the run."""
    name = config.getoption("--acp-select")
    wanted: dict[str, Any] = {}
    if name:
        with open(name, encoding="utf-8") as file:
            wanted = json.load(file)
    if wanted.get("paths"):
        # As arguments they would move rootdir and the configuration file that pytest picks.
        config.args[:] = wanted["paths"]
    config.pluginmanager.register(_Probe(config, wanted), "acp-probe-state")
    if not any(config.pluginmanager.hasplugin(name) for name in _AWAITING):
        config.addinivalue_line("markers", "asyncio: this test is a coroutine")
        config.pluginmanager.register(_Awaiting(), "acp-awaiting")


class _Awaiting:
    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: Any) -> bool | None:
        """Run a coroutine test to its end. Unknown to pytest it would fail, or not even run."""
        function = pyfuncitem.obj
        if not inspect.iscoroutinefunction(function):
            return None
        names = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001 -- as pytest's own plugins do
        asyncio.run(function(**{name: pyfuncitem.funcargs[name] for name in names}))
        return True


class _Canary(pytest.Item):
    """Fails. The attributes are those that hooks of conftest files often ask a test for."""

    fixturenames: tuple[str, ...] = ()
    cls = module = function = obj = None

    def runtest(self) -> None:  # type: ignore[explicit-override]
        raise AssertionError("this test must fail")

    def repr_failure(self, *_: Any, **__: Any) -> str:  # type: ignore[explicit-override]
        return "this test must fail"

    def reportinfo(self) -> Any:  # type: ignore[explicit-override]
        return getattr(self, "path", None) or self.fspath, 0, self.name


class _Probe:
    def __init__(self, config: Any, wanted: dict[str, Any]) -> None:
        self.name = config.getoption("--acp-canary")
        self.root = os.getcwd()
        self.ids = set(wanted.get("ids") or ())
        lines = wanted.get("lines") or {}
        self.lines = {os.path.join(self.root, path): set(some) for path, some in lines.items()}
        self.cover = set(wanted.get("cover") or ())
        self.near = {os.path.join(self.root, path) for path in wanted.get("near") or ()}
        self.ends = time.monotonic() + float(wanted.get("budget_s") or "inf")
        self.reached: set[str] = set()
        self.ran: dict[str, set[int]] = {}
        self.unreached: list[str] = []
        self.current = ""
        self.children = Watched(self.lines) if self.lines else None

    # Last, so that `-m` and `-k` of a project's addopts do not deselect the canary.
    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, session: Any, items: list[Any]) -> None:
        if self.ids:
            items[:] = [item for item in items if item.nodeid in self.ids]
        if self.near:
            items[:] = [item for item in items if self.is_near(item)]
        if self.name:
            # In the last test's file, or else the terminal would name a file that does not exist.
            place = items[-1].nodeid.partition("::")[0] if items else "."
            nodeid = place + "::" + self.name
            items.append(_Canary.from_parent(session, name=self.name, nodeid=nodeid))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Generator[None, Any, None]:
        outcome = yield
        report = outcome.get_result()
        facts: list[tuple[str, object]] = []
        if call.excinfo is not None:
            stated = call.excinfo.errisinstance((AssertionError, pytest.fail.Exception))
            facts.append(("acp_exception", call.excinfo.type.__name__))
            facts.append(("acp_assertion", call.when == "call" and stated))
        if item.name == self.name and call.when == "call":
            facts.append(("acp_facts", self.facts()))
        if facts:
            report.user_properties = [*report.user_properties, *facts]

    # The canary's failure is for the judge: people would look for a test that does not exist.
    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        return ("", "", "") if self.name and report.nodeid.endswith(self.name) else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> bool | None:
        """Past the time limit a test is counted instead of run; the canary always runs."""
        if item.name == self.name or time.monotonic() < self.ends:
            return None
        self.unreached.append(item.nodeid)
        # What the last test left set up for this one goes, as if this one had run.
        state = item.session._setupstate  # noqa: SLF001 -- pytest offers no other way
        several = len(inspect.signature(state.teardown_exact).parameters) > 1
        both = (item, nextitem) if several else (nextitem,)
        pytest.CallInfo.from_call(lambda: state.teardown_exact(*both), when="teardown")
        return True

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: Any) -> Generator[None, Any, None]:
        covered = item.nodeid.partition("::")[0] in self.cover
        if item.name == self.name or not (self.lines or covered):
            yield
            return
        self.current = item.nodeid
        trace = self.trace_all if covered else self.trace
        before = sys.gettrace()
        threading.settrace(trace)
        sys.settrace(trace)
        yield
        sys.settrace(before)
        threading.settrace(before)

    def pytest_unconfigure(self) -> None:
        if self.children:
            self.children.close()

    def trace(self, frame: FrameType, event: str, arg: object) -> Any:  # noqa: ARG002
        wanted = self.lines.get(frame.f_code.co_filename)
        if wanted is None:
            return None
        if frame.f_lineno in wanted:
            self.reached.add(self.current)
        return self.trace

    def trace_all(self, frame: FrameType, event: str, arg: object) -> Any:  # noqa: ARG002
        path = frame.f_code.co_filename
        if not path.startswith(self.root + os.sep):
            return None
        self.ran.setdefault(path[len(self.root) + 1 :], set()).add(frame.f_lineno)
        return self.trace_all

    def is_near(self, item: Any) -> bool:
        """Whether the test's module imports, however indirectly, one of the changed files."""
        start = getattr(item, "module", None)
        waiting, seen = [start] if start else [], set()
        while waiting:
            module = waiting.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            if getattr(module, "__file__", None) in self.near:
                return True
            waiting += _imported(module, self.root)
        return False

    def facts(self) -> dict[str, object]:
        return {
            "python": platform.python_version(),
            "foreign": sorted(self.foreign())[:_MANY],
            "reached": sorted(self.reached | (self.children.reached() if self.children else set())),
            "ran": {path: sorted(some) for path, some in sorted(self.ran.items())},
            "unreached": self.unreached,
        }

    def foreign(self) -> Iterator[str]:
        """Modules that have the name of one in the tree, but came from elsewhere."""
        standard: frozenset[str] = getattr(sys, "stdlib_module_names", frozenset())
        for name in _modules(self.root) | _modules(os.path.join(self.root, "src")):
            found = getattr(sys.modules.get(name), "__file__", None)
            if found and name not in standard and not _inside(found, self.root):
                yield name


def _imported(module: Any, root: str) -> list[Any]:
    """The modules below `root` that a module's names come from."""
    found = []
    for value in list(vars(module).values()):
        name = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
        other = sys.modules.get(name) if isinstance(name, str) else None
        if other is not None and _inside(getattr(other, "__file__", None) or "", root):
            found.append(other)
    return found


def _modules(directory: str) -> set[str]:
    names = set()
    for entry in os.listdir(directory) if os.path.isdir(directory) else ():
        stem, suffix = os.path.splitext(entry)
        if suffix == ".py" or os.path.isfile(os.path.join(directory, entry, "__init__.py")):
            names.add(stem)
    return names - _NOT_PRODUCT


def _inside(path: str, root: str) -> bool:
    return os.path.realpath(path).startswith(os.path.realpath(root) + os.sep)
