"""Failures of the sandbox's making: a test opens a socket where sockets are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.verification.evidence import Failure
    from pipeline.verification.report import TestResult

# How Python and Go say EAFNOSUPPORT, and how Node does: what the sandbox's filter answers.
_REFUSED = ("address family not supported", "eafnosupport")


def refused(test: Failure | TestResult) -> bool:
    """Whether the test failed because it may open no socket here."""
    said = test.message.lower()
    return any(words in said for words in _REFUSED)


def genuine(tests: Iterable[Failure]) -> tuple[Failure, ...]:
    """The failures that are not the sandbox's."""
    return tuple(test for test in tests if not refused(test))
