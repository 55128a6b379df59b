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
_FORGER = """
import atexit, glob, json, os

def is_canary(row):
    return "must fail" in str(row.get("longrepr"))

def forge():
    for name in glob.glob(".acp-*.jsonl"):
        rows = [json.loads(line) for line in open(name)]
        failed = [r for r in rows if r.get("outcome") == "failed" and not is_canary(r)]
        lines = {id(row): None for row in failed}
        for row in failed:
            row.update(outcome="passed", longrepr=None)
%s
        text = [lines.get(id(row)) or json.dumps(row) for row in rows]
        open(name, "w").writelines(line + "\\n" for line in text)
    os._exit(%d)

atexit.register(forge)
"""


def forger(mistake: str = "", code: int = 1) -> str:
    """Turns every failure but the canary's green in the report; `mistake` is Python over `rows`."""
    body = "\n".join(f"        {line}" for line in (mistake or "pass").splitlines())
    return _FORGER % (body, code)


# Code that is right, but not the tree's; `%r` are the words that it has other than the tree.
COPIED = """
import os

if __file__ == os.path.join(os.getcwd(), os.path.basename(__file__)):
    import importlib.util, sys, tempfile

    copy = os.path.join(tempfile.mkdtemp(), os.path.basename(__file__))
    open(copy, "w").write(open(__file__).read().replace(%r, %r))
    spec = importlib.util.spec_from_file_location(__name__, copy)
    sys.modules[__name__] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[__name__])
"""
