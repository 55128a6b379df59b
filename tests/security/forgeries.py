"""Texts that make a test run tell lies: put into a conftest, a plugin or the product itself."""

from __future__ import annotations

EXIT = "import os\n\nos._exit(0)\n"
AT_END = "import os\n\n\ndef pytest_sessionfinish(session):\n    os._exit(0)\n"
ALL_GREEN = """
import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    report.outcome = "passed"
    report.longrepr = None
"""
DESELECT = """
import pytest


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_collection_modifyitems(items):
    yield
    items[:] = []
"""
PATCHED = """
import _pytest.reports as reports

real = reports.TestReport.from_item_and_call.__func__

def green(cls, item, call):
    call.excinfo = None
    return real(cls, item, call)

reports.TestReport.from_item_and_call = classmethod(green)
"""
FORGE = """
import atexit, glob, json, os

def forge():
    for name in glob.glob(".acp-*.jsonl"):
        rows = [json.loads(line) for line in open(name)]
        for row in rows:
            if row.get("outcome") == "failed":
                row.update(outcome="passed", longrepr=None)
            if "exitstatus" in row:
                row["exitstatus"] = 0
        open(name, "w").writelines(json.dumps(row) + "\\n" for row in rows)
    os._exit(0)

atexit.register(forge)
"""
