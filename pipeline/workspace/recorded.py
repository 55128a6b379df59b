"""A command in the journal: how it ended, what it said, and the files that it left.

A known command is not run again: its files are put back instead. Caches are no part of that.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pipeline.errors import WorkspaceError
from pipeline.journal import OutOfStep, Pen, digest_of
from pipeline.redaction import Redactor
from pipeline.sandbox.base import Entry, ExecResult, Session
from pipeline.workspace.paths import in_git_directory, is_cache

Json = Mapping[str, Any]
Run = Callable[[], Awaitable[ExecResult]]
_KEEP_BYTES = 32 * 2**20


async def recorded(
    pen: Pen, session: Session, redact: Redactor, asked: Sequence[object], run: Run
) -> ExecResult:
    """The command's result, known or new; `asked` is what it is recognised by. Raises OutOfStep."""

    async def work() -> Json:
        before = await _listed(session)
        result = await run()
        return {**result_to_json(result), **await _left(session, before, redact)}

    async def redo(reply: Json) -> None:
        await _put_back(session, reply)

    # A tree lies elsewhere each time, and a command may name its place.
    text = json.dumps(asked, default=str).replace(session.workdir, "{workdir}")
    reply = await pen.once("command", digest_of(text), work, redo)
    return result_from_json(reply)


def result_to_json(result: ExecResult) -> dict[str, Any]:
    """As the journal keeps it."""
    return {
        "code": result.code,
        "signal": result.signal,
        "reason": result.reason,
        "output": packed(result.output),
        "output_bytes": result.output_bytes,
        "wall_s": result.wall_s,
    }


def result_from_json(raw: Json) -> ExecResult:
    """The result again."""
    facts = {name: raw[name] for name in ("code", "signal", "reason", "output_bytes", "wall_s")}
    return ExecResult(**facts, output=unpacked(raw["output"]))


def packed(data: bytes) -> str:
    """Bytes as text for a JSON file."""
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def unpacked(text: str) -> bytes:
    """The bytes again. Raises OutOfStep where they are damaged or larger than any that are kept."""
    try:
        engine = zlib.decompressobj()
        data = engine.decompress(base64.b64decode(text, validate=True), _KEEP_BYTES + 1)
    except (ValueError, zlib.error) as error:
        raise OutOfStep(f"a journalled command is damaged: {error}") from error
    if not engine.eof or len(data) > _KEEP_BYTES:
        raise OutOfStep("a journalled command is damaged: its data does not end where it should")
    return data


async def _listed(session: Session) -> dict[str, Entry]:
    entries = await session.entries()
    return {e.path: e for e in entries if not is_cache(e.path) and not in_git_directory(e.path)}


async def _left(session: Session, before: Mapping[str, Entry], redact: Redactor) -> dict[str, Any]:
    """Which files are new or other than before, and which are gone.

    What is too large to keep, or holds a secret of ours, is named and not kept: a run cannot go on
    from here later, and says so.
    """
    after = await _listed(session)
    files: dict[str, Any] = {}
    unkept = []
    size = 0
    for path, entry in after.items():
        if path in before and before[path].stamp == entry.stamp:
            continue
        size += entry.size
        data = None
        if size <= _KEEP_BYTES:
            with suppress(FileNotFoundError, WorkspaceError):
                data = await session.get(path, _KEEP_BYTES)
        if data is None or redact.data(data) != data:
            unkept.append(path)
        else:
            files[path] = [entry.mode, packed(data)]
    gone = sorted(before.keys() - after.keys())
    return {"files": files, "gone": gone, "unkept": unkept}


async def _put_back(session: Session, reply: Json) -> None:
    if reply["unkept"]:
        some = ", ".join(reply["unkept"][:5])
        raise OutOfStep(f"a command left files that are not kept in the journal: {some}")
    for path in reply["gone"]:
        with suppress(FileNotFoundError):
            await session.delete(path)
    for path, (mode, data) in reply["files"].items():
        await session.put(path, unpacked(data), mode)
