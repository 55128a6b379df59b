"""Takes secrets and terminal tricks out of text before anyone sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from pipeline.redaction import Redactor

MASK = "***"
# control characters but tab and newline, and characters that reorder or hide text
_TRICKS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
# The shapes of keys that may be anybody's. Only what leaves us is searched for them: a repository
# that holds example keys is worked on as it is.
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:sk-ant-|sk-proj-|sk-svcacct-|sk-admin-)[A-Za-z0-9_-]{20,}"
    r"|\bsk-[A-Za-z0-9]{32,}"
    r"|\bAIza[A-Za-z0-9_-]{35}"
    r"|\b(?:github_pat_[A-Za-z0-9_]{16,}|gh[a-z]_[A-Za-z0-9_.-]{16,})"
    r"|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bATATT3[A-Za-z0-9_=-]{20,}"
    r"|\bxox[abposr]-[A-Za-z0-9-]{10,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\b(?:sk|rk)_live_[A-Za-z0-9]{16,}"
    r"|\bpypi-[A-Za-z0-9_-]{32,}"
    r"|\bnpm_[A-Za-z0-9]{30,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    re.DOTALL,
)
_BEARER = re.compile(r"(?i)\b(authorization: *(?:bearer|basic|token) +)[^\s'\"]{8,}")
_USERINFO = re.compile(r"(?<=://)[^/\s:@'\"]+:[^/\s@'\"]+(?=@)")

# A tree that a run worked in, and whatever else lies in our scratch directories, with its end that
# differs from run to run; the home of the interpreter. Bounded, for output may be hostile.
_SCRATCH = r"(?:/[\w.+-]{1,80}){0,8}/acp-[a-z]{1,20}-\w{8}"
_TREE = re.compile(rf"{_SCRATCH}(?:/[\w.+-]{{1,80}}){{0,4}}?/tree(?:(/)(?=[\w.])|/?(?![\w./-]))")
_INSIDE = re.compile(_SCRATCH)
_LIBRARY = re.compile(r"(?:/[\w.+-]{1,80}){1,8}(?=/lib/python3\.\d+/)")


class Scrubber:
    """Replaces known secrets: by `MASK`, or as the redactor that is given marks them."""

    def __init__(self, secrets: Iterable[str] | Redactor = ()) -> None:
        if isinstance(secrets, Redactor):
            self._redact = secrets
        else:
            named = {str(number): secret for number, secret in enumerate(secrets)}
            self._redact = Redactor(named, mark=lambda _: MASK)

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        return self._redact(text)


def each_text(value: Any, clean: Callable[[str], str]) -> Any:
    """Plain JSON with every text in it cleaned."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: each_text(item, clean) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [each_text(item, clean) for item in value]
    return value


def without_keys(text: str) -> str:
    """The text without what looks like anybody's key: for what leaves us, never for a change."""
    text = _BEARER.sub(rf"\1{MASK}", _SHAPES.sub(MASK, text))
    return _USERINFO.sub(MASK, text)


def printable(text: str) -> str:
    """Text of strangers, safe to print on a terminal: escapes and hidden characters become "?"."""
    return _TRICKS.sub("?", text.replace("\r\n", "\n"))


def without_host_paths(text: str) -> str:
    """Output of tools with paths of the repository, instead of where this host has laid it."""
    text = _TREE.sub(lambda found: "" if found[1] else ".", text)
    return _LIBRARY.sub("…", _INSIDE.sub("…", text))
