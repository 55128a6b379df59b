"""A finished run to tell of."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.messages.base import Place
from bot.domain.messages.report import Report
from bot.domain.result import Result
from bot.domain.task import Task
from pipeline.verification.evidence import Evidence, Failure, RunRecord
from tests.unit.bot import conftest as shared

CODE = """\
diff --git a/shop.py b/shop.py
index 1111111111111111111111111111111111111111..2222222222222222222222222222222222222222 100644
--- a/shop.py
+++ b/shop.py
@@ -1 +1,2 @@
-total = 1
+total = 2
+# ```
"""
TESTS = """\
diff --git a/tests/test_acp.py b/tests/test_acp.py
new file mode 100644
index 0000000000000000000000000000000000000000..3333333333333333333333333333333333333333
--- /dev/null
+++ b/tests/test_acp.py
@@ -0,0 +1 @@
+assert True
"""
PYTEST = "python -m pytest -q"
EVIDENCE = Evidence(
    kind="bug",
    quote="They are off by <one>, @everyone, see #12.",
    environment="Python 3.12",
    changed=("shop.py",),
    runs=(
        RunRecord("baseline", "t1", PYTEST, 0, 1.0, {"passed": 3}),
        RunRecord("reproduction", "t2", f"{PYTEST} tests/test_acp.py", 1, 0.5, {"failed": 1}),
        RunRecord("suite", "t3", PYTEST, 0, 1.25, {"passed": 4}),
    ),
    reproduction=("tests/test_acp.py::test_total",),
    red=(Failure("tests/test_acp.py::test_total", "failed", "assert 1 == 2", "", ""),),
    failing_before=("tests/test_old.py::test_x",),
)
USAGE: dict[str, Any] = {
    **shared.USAGE,
    "agents": {
        **shared.USAGE["agents"],
        "gpt": {**shared.USAGE["agents"]["gpt"], "lost": 1, "lost_usd": 0.02},
    },
}
PLACE = Place(4711, 7, "01RUN", "https://acp.example/runs/01RUN")


RESULT: dict[str, Any] = {
    "task": Task("Totals are *wrong*, fixes #12", url="https://x.example/acme/shop/issues/7"),
    "status": "completed",
    "repository": "acme/shop",
    "base_sha": "b" * 40,
    "code_diff": CODE,
    "tests_diff": TESTS,
    "test_paths": ("tests/test_acp.py",),
    "evidence": EVIDENCE.to_dict(),
    "test_output": "4 passed\n",
    "qa_output": "PASS\n\n- [x] totals are right (shop.py:1)",
    "iterations": 2,
    "usage": USAGE,
}
REPORT: dict[str, Any] = {
    "place": PLACE,
    "requester": "wanda",
    "tests_passed": True,
    "qa_passed": True,
    "sandbox": "bubblewrap (no network)",
    "digest": "e" * 64,
    "attempts": (
        {
            "iteration": 1,
            "gate": "testing",
            "reason": "tests failed",
            "feedback": "assert 1 == 2",
        },
    ),
}


@pytest.fixture
def place() -> Place:
    return PLACE


@pytest.fixture
def a_report() -> Callable[..., Report]:
    """Changes named like a field of Result go there, the others to the report."""

    def make(**changes: Any) -> Report:
        result, report = dict(RESULT), dict(REPORT)
        for name, value in changes.items():
            (result if name in Result.__dataclass_fields__ else report)[name] = value
        return Report(result=Result(**result), **report)

    return make
