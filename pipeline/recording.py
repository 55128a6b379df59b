"""A whole run as one file: its journal, the files it began with, and how it ended.

The file is gzip over JSON lines: a head, an entry each, the last checkpoint, the base as a git
pack, and the SHA-256 of all lines before. The same run makes the same bytes. `zcat` shows it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.checkpoint import Checkpoint
from pipeline.errors import PipelineError
from pipeline.journal import FACTS, Entry
from pipeline.state import PipelineState
from pipeline.tally import rounded, total

VERSION = 1
SUFFIX = ".acp-journal"
_MAGIC = b"\x1f\x8b"
_MOST_BYTES = 512 * 2**20
_HEAD_BYTES = 2**16
_NONE = "this is not a journal of acp: write one with `acp export`"


class BadRecording(PipelineError):
    """A file that is no journal, or not whole, or not as it was written."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One run. `name` is its id, `at` when it began (ISO 8601), `source` where it was made.

    `last` is its last checkpoint as JSON, "" where it never came to one; `base` is None where it
    began without a repository, or where the files are too many to travel.
    """

    name: str
    at: str
    source: str
    entries: Mapping[str, Entry]
    base: bytes | None = None
    last: str = ""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the run was made of; empty where it never began."""
        entry = self.entries.get(FACTS)
        return (entry.reply or {}) if entry else {}

    def with_base(self, base: bytes | None) -> Recording:
        """The same with these files."""
        return replace(self, base=base)

    @property
    def ended(self) -> PipelineState | None:
        """Its last state, or None. Raises InvalidState."""
        return Checkpoint.from_json(self.last).state if self.last else None

    def to_bytes(self) -> bytes:
        """The file."""
        lines = b"".join(_line(value) for value in self._lines())
        return gzip.compress(lines + _seal(lines), compresslevel=9, mtime=0)

    def _lines(self) -> Iterator[Mapping[str, Any]]:
        ended: Mapping[str, Any] = self.ended or {}
        yield {
            "acp_journal": VERSION,
            "name": self.name,
            "at": self.at,
            "source": self.source,
            "title": str(self.facts.get("task", "")).partition("\n")[0],
            "outcome": ended.get("status", ""),
            **_cost_of(ended),
        }
        for key, entry in self.entries.items():
            yield {"key": key, "digest": entry.digest, "reply": entry.reply}
        yield {"last": self.last}
        yield {"base": None if self.base is None else base64.b64encode(self.base).decode()}

    @classmethod
    def from_bytes(cls, data: bytes) -> Recording:
        """Read the file. Raises BadRecording with what is wrong with it."""
        lines = _unzipped(data).splitlines(keepends=True)
        head = _read(lines[0]) if lines else {}
        if "acp_journal" not in head:
            raise BadRecording(_NONE)
        if head["acp_journal"] != VERSION:
            raise BadRecording(
                f"a journal of version {head['acp_journal']}; this release reads {VERSION}"
            )
        if lines[-1] != _seal(b"".join(lines[:-1])):
            raise BadRecording("the journal was changed, or cut off, after it was written")
        try:
            return cls._of(head, [_read(line) for line in lines[1:-1]])
        except (KeyError, TypeError, ValueError) as error:
            raise BadRecording(f"the journal does not have the shape of one: {error!r}") from error

    @classmethod
    def _of(cls, head: Mapping[str, Any], rest: list[Mapping[str, Any]]) -> Recording:
        *rows, last, base = rest
        packed = base["base"]
        return cls(
            name=str(head["name"]),
            at=str(head["at"]),
            source=str(head["source"]),
            entries={row["key"]: Entry(row["digest"], row["reply"]) for row in rows},
            base=None if packed is None else base64.b64decode(packed, validate=True),
            last=str(last["last"]),
        )


def glance(data: bytes) -> Mapping[str, Any]:
    """The head of a file whose beginning this is: who, when and where, how it ended, what it cost.

    Nothing of it is checked. Raises BadRecording where it is no journal.
    """
    if not data.startswith(_MAGIC):
        raise BadRecording(_NONE)
    try:
        text = zlib.decompressobj(wbits=31).decompress(data, _HEAD_BYTES)
    except zlib.error as error:
        raise BadRecording("the journal is damaged: its packing does not hold") from error
    head = _read(text.partition(b"\n")[0])
    if "acp_journal" not in head:
        raise BadRecording(_NONE)
    return head


def _cost_of(state: Mapping[str, Any]) -> dict[str, float | None]:
    """US dollars paid and perhaps paid by all seats; None where unknown, or nothing is told."""
    usage = state.get("usage")
    used = total(usage) if usage and usage["agents"] else None
    return {
        "usd": None if used is None else rounded(used.usd),
        "lost_usd": None if used is None else rounded(used.lost_usd),
    }


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


def _seal(lines: bytes) -> bytes:
    return _line({"sha256": hashlib.sha256(lines).hexdigest()})


def _read(line: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _unzipped(data: bytes) -> bytes:
    if not data.startswith(_MAGIC):
        raise BadRecording(_NONE)
    engine = zlib.decompressobj(wbits=31)
    try:
        text = engine.decompress(data, _MOST_BYTES + 1)
    except zlib.error as error:
        raise BadRecording("the journal is damaged: its packing does not hold") from error
    if len(text) > _MOST_BYTES:
        raise BadRecording(f"the journal is larger than {_MOST_BYTES // 2**20} MiB")
    if not engine.eof:
        raise BadRecording("the journal is cut off: copy the whole file")
    return text
