"""Runs a project's tests as `python -m unittest` finds them, and writes what each of them did.

For what pytest cannot collect (`load_tests`, patterns of unittest's own). The report has the form
of pytest-reportlog's, and holds a test that must fail. Works with Python 3.8.
Arguments: "first" or "last" (see acp_pytest), the report's path, the selection's path, the name of
the test that must fail.
"""
# Runs where typing_extensions may not be; entries of sys.path are strings.
# mypy: disable-error-code="explicit-override,arg-type"
# ruff: noqa: PTH100, PTH109, PTH112, PTH113, PTH118, PTH123

from __future__ import annotations

import json
import os
import platform
import sys
import time
import traceback
import unittest
from typing import Any

from acp_pytest import import_path, tree_of  # type: ignore[import-not-found]

_PATTERN = "test*.py"


class _Told(unittest.TextTestResult):
    """Writes a line for each test; the one that must fail is written and not counted."""

    report: Any = None
    canary = ""

    def startTest(self, test: Any) -> None:  # noqa: N802 - unittest's name
        self.began = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test: Any) -> None:  # noqa: N802
        super().addSuccess(test)
        self.tell(test, "passed")

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        if getattr(test, "_testMethodName", "") != self.canary:
            super().addFailure(test, err)
        self.tell(test, "failed", err)

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        super().addError(test, err)
        self.tell(test, "failed", err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.tell(test, "failed", err)

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        super().addSkip(test, reason)
        self.tell(test, "skipped", reason=reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        super().addExpectedFailure(test, err)
        self.tell(test, "skipped", reason="expected", wasxfail="")

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802
        super().addUnexpectedSuccess(test)
        self.tell(test, "failed", reason="unexpected success")

    def tell(self, test: Any, outcome: str, err: Any = None, **more: str) -> None:
        """Write one line; `err` is what sys.exc_info gives."""
        facts: list[tuple[str, object]] = []
        text = more.pop("reason", "")
        if err is not None:
            facts.append(("acp_exception", err[0].__name__))
            facts.append(("acp_assertion", issubclass(err[0], AssertionError)))
            text = "".join(traceback.format_exception(*err))
        if getattr(test, "_testMethodName", "") == self.canary:
            facts.append(("acp_facts", {"python": platform.python_version()}))
        broken = type(test).__name__ in {"_FailedTest", "_ErrorHolder", "ModuleImportFailure"}
        record = {
            "$report_type": "CollectReport" if broken else "TestReport",
            "nodeid": name_of(test),
            "when": "call",
            "outcome": outcome,
            "longrepr": text or None,
            "duration": time.monotonic() - getattr(self, "began", time.monotonic()),
            "user_properties": facts,
            **more,
        }
        self.report.write(json.dumps(record) + "\n")


def name_of(test: Any) -> str:
    """The test's id in pytest's form: file, class, name."""
    example = getattr(test, "_dt_test", None)
    if example is not None:
        return _relative(example.filename or "?") + "::" + str(example.name)
    if type(test).__name__ == "_FailedTest":
        dotted = str(test._testMethodName)  # noqa: SLF001 - the only place where it is told
        return dotted.replace(".", "/") + ".py"
    where = getattr(sys.modules.get(type(test).__module__), "__file__", None) or "."
    name = getattr(test, "_testMethodName", test.id())
    return "::".join([_relative(where), type(test).__qualname__, str(name)])


def _relative(path: str) -> str:
    root = os.getcwd() + os.sep
    full = os.path.abspath(path)
    return full[len(root) :] if full.startswith(root) else path


def found() -> list[Any]:
    """Every test that discovery finds from the root, and in folders of tests without __init__."""
    suites = [unittest.TestLoader().discover(".", _PATTERN)]
    for folder in ("tests", "test"):
        bare = not os.path.isfile(os.path.join(folder, "__init__.py"))
        if os.path.isdir(folder) and bare:
            suites.append(unittest.TestLoader().discover(folder, _PATTERN, folder))
    return [test for suite in suites for test in _flat(suite)]


def _flat(suite: Any) -> list[Any]:
    if not isinstance(suite, unittest.TestSuite):
        return [suite]
    return [test for part in suite for test in _flat(part)]


def main() -> int:
    """Run in the current directory, which is the tree's root; returns the exit code."""
    order, report, wanted, canary = sys.argv[1:5]
    tree = tree_of(os.getcwd())
    sys.path[:] = import_path(order, tree)
    os.environ["PYTHONPATH"] = os.pathsep.join(tree)  # noqa: TID251 -- the child's, not ours
    with open(wanted, encoding="utf-8") as file:
        ids = set(json.load(file)["ids"])
    tests = [test for test in found() if not ids or name_of(test) in ids]
    if canary:

        def fails(self: Any) -> None:
            self.fail("this test must fail")

        tests.append(type("Canary", (unittest.TestCase,), {canary: fails})(canary))
    _Told.canary = canary
    with open(report, "w", encoding="utf-8") as log:
        _Told.report = log
        runner = unittest.TextTestRunner(stream=sys.stdout, resultclass=_Told)
        code = 0 if runner.run(unittest.TestSuite(tests)).wasSuccessful() and not canary else 1
        log.write(json.dumps({"$report_type": "SessionFinish", "exitstatus": code}) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
