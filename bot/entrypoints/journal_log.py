"""A journal told line by line: what each seat asked, ran and used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.recording import Recording

Json = Mapping[str, Any]


def told(recording: Recording) -> Iterator[dict[str, Any]]:
    """An object for each entry: key, kind and what came of it."""
    for key, entry in recording.entries.items():
        kind = "run" if key == "run" else key.split(".")[-2]
        if entry.reply is None:
            yield {"key": key, "kind": kind, "lost": True}
        elif kind in _TELL:
            yield {"key": key, "kind": kind, **_TELL[kind](entry.reply)}


def as_text(line: Json) -> str:
    """The object as a line for people."""
    facts = (f"{name} {value}" for name, value in line.items() if name not in {"key", "kind"})
    return f"{line['key']:40} {', '.join(facts)}"


def _run(reply: Json) -> dict[str, Any]:
    title = str(reply.get("task", "")).partition("\n")[0]
    return {"task": title, "repository": reply.get("repo"), "base": reply.get("base_sha")}


def _model(reply: Json) -> dict[str, Any]:
    if "error" in reply:
        return {"error": reply["error"]["message"]}
    parts = reply["message"]["parts"]
    usage = reply["usage"]
    return {
        "model": reply["model"],
        "calls": [part["name"] for part in parts if part["kind"] == "call"],
        "input_tokens": usage["input_tokens"],
        "output_tokens": usage["output_tokens"],
    }


def _command(reply: Json) -> dict[str, Any]:
    ended = reply["code"] if reply["reason"] == "exit" else reply["reason"]
    left = len(reply["files"]) + len(reply["gone"])
    return {"exit": ended, "seconds": round(reply["wall_s"], 2), "files_changed": left}


def _tests(reply: Json) -> dict[str, Any]:
    outcomes = [result["outcome"] for result in reply["results"]]
    counts = {name: outcomes.count(name) for name in sorted(set(outcomes))}
    return {"command": reply["command"], "seconds": round(reply["seconds"], 2), **counts}


def _seat(reply: Json) -> dict[str, Any]:
    return {"seconds": round(reply["seconds"], 2)}


_TELL = {"run": _run, "model": _model, "command": _command, "tests": _tests, "seat": _seat}
