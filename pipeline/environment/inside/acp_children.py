"""Tells which tests run certain lines in a Python that they start.

`watched` puts this file, under the name `sitecustomize`, where such a Python finds it first; there
it writes the running test's id as soon as one of the lines runs, and traces no longer. Works with
Python 3.8.
"""
# Runs in any project's Python: names and paths are strings.
# ruff: noqa: PTH100, PTH118, PTH120, PTH123

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import Any

_NAME = "sitecustomize"
_TEST = "PYTEST_CURRENT_TEST"


class Watched:
    """A directory that new Pythons start in, and what they wrote there."""

    def __init__(self, lines: dict[str, set[int]]) -> None:
        """`lines` are numbers by absolute path."""
        self._here = tempfile.mkdtemp(prefix="acp-children-")
        shutil.copy(os.path.abspath(__file__), os.path.join(self._here, _NAME + ".py"))
        with open(os.path.join(self._here, "wanted"), "w", encoding="utf-8") as file:
            json.dump({path: sorted(some) for path, some in lines.items()}, file)
        self._before = os.environ.get("PYTHONPATH")  # noqa: TID251 -- the children's
        path = os.pathsep.join(filter(None, (self._here, self._before)))
        os.environ["PYTHONPATH"] = path  # noqa: TID251

    def reached(self) -> set[str]:
        """Ids of tests whose children have run one of the lines."""
        try:
            with open(os.path.join(self._here, "reached"), encoding="utf-8") as file:
                return set(file.read().splitlines())
        except FileNotFoundError:
            return set()

    def close(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self._here, ignore_errors=True)
        if self._before is None:
            del os.environ["PYTHONPATH"]  # noqa: TID251
        else:
            os.environ["PYTHONPATH"] = self._before  # noqa: TID251


def watch(here: str) -> None:
    """Trace this process until one of the wanted lines runs."""
    test = os.environ.get(_TEST, "").rpartition(" (")[0]  # noqa: TID251 -- as pytest set it
    if not test:
        return
    with open(os.path.join(here, "wanted"), encoding="utf-8") as file:
        wanted = {path: set(some) for path, some in json.load(file).items()}
    known: dict[str, set[int] | None] = {}

    def trace(frame: Any, event: str, arg: object) -> Any:  # noqa: ARG001
        name = frame.f_code.co_filename
        if name not in known:
            known[name] = wanted.get(os.path.abspath(name))
        lines = known[name]
        if lines is None:
            return None
        if frame.f_lineno not in lines:
            return trace
        threading.settrace(None)
        sys.settrace(None)
        with open(os.path.join(here, "reached"), "a", encoding="utf-8") as file:
            file.write(test + "\n")
        return None

    threading.settrace(trace)
    sys.settrace(trace)


def go_on(here: str) -> None:
    """Run the `sitecustomize` that would have been found without this one."""
    path = [entry for entry in sys.path if os.path.abspath(entry) != here]
    spec = PathFinder.find_spec(_NAME, path)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


if __name__ == _NAME:
    place = os.path.dirname(os.path.abspath(__file__))
    go_on(place)
    watch(place)
