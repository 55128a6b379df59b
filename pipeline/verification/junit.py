"""Reads JUnit's XML, which most test runners write, into typed results; the file may be hostile."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import iterparse  # type: ignore[import-untyped]

from pipeline.verification.report import TestResult, clean, finite, merge, one_line

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pipeline.verification.report import Outcome

_SUITES = {"testsuites", "testsuite"}
_ENDS: dict[str, Outcome] = {
    "error": "error",
    "failure": "failed",
    "rerunFailure": "failed",
    "rerunError": "error",
    "skipped": "skipped",
}
_NOT_RUN = frozenset({"notrun", "disabled", "skipped", "ignored"})
# Who writes failures of assertions and other errors alike names the class of the latter.
_RAISED = re.compile(
    r"^\s*(?:Uncaught\s+)?(?:[\w$]+(?:\.|::|\\))*([A-Z]\w*(?:Error|Exception))\b", re.MULTILINE
)
_ASSERTED = re.compile(r"assert|expect|compar", re.IGNORECASE)
_DEEPEST = 64
_MOST_TESTS = 50_000
_NAME = 500
_HEAD = 300
_TEXT = 2000


class DamagedReport(ValueError):
    """The report cannot be read; the text says why."""


def read(data: bytes, root: str = "", folder: str = ".") -> dict[str, TestResult]:
    """The results of one file by id. Raises DamagedReport.

    An id is "place::name": the file where one is named, else the class. Paths in it are relative to
    the tree, whose root the runner sees as `root`; other names stand below the project's `folder`.
    """
    reader = _Reader(root.rstrip("/"), "" if folder == "." else f"{folder}/")
    results: dict[str, TestResult] = {}
    try:
        for result in reader.results(data):
            merge(results, result)
            if len(results) > _MOST_TESTS:
                raise DamagedReport(f"it tells of more than {_MOST_TESTS:,} tests")
    except ParseError as error:
        raise DamagedReport(f"it is not well-formed XML ({error})") from None
    except DefusedXmlException as error:
        raise DamagedReport(f"it declares what no report needs ({type(error).__name__})") from None
    except (LookupError, ArithmeticError, TypeError, ValueError) as error:
        told = str(error) if isinstance(error, DamagedReport) else type(error).__name__
        raise DamagedReport(told) from None
    return results


@dataclass
class _Reader:
    root: str
    start: str
    above: list[Element] = field(default_factory=list)

    def results(self, data: bytes) -> Iterator[TestResult]:
        """One by one, so that what is read can be thrown away."""
        events = iterparse(BytesIO(data), ("start", "end"), forbid_dtd=True)
        for event, element in events:
            if event == "start":
                self._begin(element)
                continue
            self.above.pop()
            name = _tag(element)
            if name == "testcase":
                yield self._case(element)
            elif name in {"error", "failure"} and self.above and _tag(self.above[-1]) in _SUITES:
                # A suite that broke before any test of it.
                yield self._told(self._place(element), "error", element)
            if name == "testcase" or name in _SUITES:
                element.clear()

    def _begin(self, element: Element) -> None:
        if not self.above and _tag(element) not in _SUITES:
            raise DamagedReport(f"it begins with <{_tag(element)[:40]}>, not with test suites")
        self.above.append(element)
        if len(self.above) > _DEEPEST:
            raise DamagedReport("it is nested too deep")

    def _case(self, case: Element) -> TestResult:
        ends = [part for part in case if _tag(part) in _ENDS]
        worst = max(ends, key=lambda part: _ORDER.index(_ENDS[_tag(part)]), default=None)
        outcome: Outcome = "passed" if worst is None else _ENDS[_tag(worst)]
        if worst is None and case.get("status", "").lower() in _NOT_RUN:
            outcome = "skipped"
        if outcome == "skipped" and worst is not None and worst.get("type") == "pytest.xfail":
            outcome = "xfailed"
        place, name = self._place(case), case.get("name") or ""
        group = case.get("classname") or ""
        parts = [group, name] if group and self._path(group) != place else [name]
        seconds = max(0.0, finite((case.get("time") or "0").replace(",", "")))
        return self._told("::".join((place, *parts)), outcome, worst, seconds)

    def _place(self, case: Element) -> str:
        """The file where one is named, else the class, else the suites."""
        around = [case, *reversed(self.above)]
        file = next(
            (found for one in around if (found := one.get("file") or one.get("filepath"))), ""
        )
        names = (one.get("name") or "" for one in self.above)
        return self._path(file or case.get("classname") or " > ".join(filter(None, names)) or "?")

    def _path(self, name: str) -> str:
        """Relative to the tree."""
        plain = name.replace("\\", "/") if "/" not in name and name.count("\\") > 1 else name
        if self.root and plain.startswith(f"{self.root}/"):
            return plain.removeprefix(f"{self.root}/")
        return self.start + plain.removeprefix("./")

    def _told(
        self, key: str, outcome: Outcome, why: Element | None, seconds: float = 0.0
    ) -> TestResult:
        message, kind = "", ""
        if why is not None and outcome != "passed":
            kind = why.get("type") or ""
            message = "\n".join(_said(why))
        raised = _RAISED.match(kind) or _RAISED.search(message[:_HEAD])
        red = outcome in {"failed", "error"}
        exception = raised[1] if raised and red else ""
        return TestResult(
            id=_short(one_line(key)),
            outcome=outcome,
            message=clean(message)[:_TEXT],
            assertion=outcome == "failed" and (not exception or _is_asserted(exception, message)),
            exception=exception,
            seconds=seconds,
        )


_ORDER: tuple[Outcome, ...] = ("passed", "skipped", "failed", "error")


def _said(why: Element) -> Iterable[str]:
    """The message, and the text where it does not begin with it."""
    head, body = (why.get("message") or "").strip(), (why.text or "").strip()
    if head and head.splitlines()[0] not in body[: 2 * _TEXT]:
        yield head[:_TEXT]
    yield (body or head)[:_TEXT]


def _is_asserted(exception: str, message: str) -> bool:
    """A failed assertion: by its class, or for a plain Error by what it says."""
    plain = exception == "Error" and _ASSERTED.search(message.partition("\n")[0])
    return bool(_ASSERTED.search(exception) or plain)


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _short(key: str) -> str:
    if len(key) <= _NAME:
        return key
    return f"{key[:_NAME]}~{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:12]}"
