"""Which double plays which cell of the contract: five wires, four answers, ten faults.

A double is a model server. `llmock` (Python) and `aimock` (npm) are other people's. Where neither
can play a cell, the name says what stands in: `llmock_by_rewritten_path` is llmock behind a path
of ours, `llmock_without_its_header` is llmock with `Retry-After` taken off, `own_emulator` is the
stand-in that we ship, `own_server` a few lines that answer with given bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

WIRES = {
    "responses": "OpenAI Responses",
    "chat": "OpenAI Chat Completions",
    "messages": "Anthropic Messages",
    "generate": "Gemini v1beta",
    "generate_v1": "Gemini v1",
}
ANSWERS = ("plain", "stream", "tools", "schema")
FAULTS = (
    "429_with_retry_after",
    "429_without",
    "500",
    "529",
    "timeout",
    "stall",
    "truncated",
    "dropped",
    "corrupt_chunk",
    "200_with_garbage",
)
Cells = Mapping[tuple[str, str], tuple[str, ...]]


def _answers(wire: str, kind: str) -> tuple[str, ...]:
    if wire == "generate_v1":
        return ("llmock_by_rewritten_path", "own_emulator")
    if (wire, kind) == ("messages", "schema"):  # llmock answers in free text here
        return ("aimock", "own_emulator")
    if (wire, kind) == ("generate", "tools"):  # aimock ends with a reason that Gemini has not
        return ("llmock",)
    return ("llmock", "aimock")


def _faults(wire: str, kind: str) -> tuple[str, ...]:
    if kind == "200_with_garbage":
        return ("own_server",) if wire == "generate_v1" else ("aimock",)
    if kind == "429_without":
        return ("llmock_without_its_header",)
    return ("llmock_by_rewritten_path",) if wire == "generate_v1" else ("llmock",)


ANSWER_CELLS: Cells = {(w, k): _answers(w, k) for w in WIRES for k in ANSWERS}
FAULT_CELLS: Cells = {(w, k): _faults(w, k) for w in WIRES for k in FAULTS}


def flat(cells: Cells) -> list[tuple[str, str, str]]:
    """Wire, kind and double of every cell."""
    return [(wire, kind, double) for (wire, kind), plays in cells.items() for double in plays]


def table(cells: Cells, kinds: tuple[str, ...]) -> str:
    """The cells as Markdown: a row for each kind, a column for each wire."""
    rows = [
        f"| | {' | '.join(WIRES.values())} |",
        f"| --- |{' --- |' * len(WIRES)}",
    ]
    for kind in kinds:
        plays = [", ".join(f"`{double}`" for double in cells[wire, kind]) for wire in WIRES]
        rows.append(f"| {kind.replace('_', ' ')} | {' | '.join(plays)} |")
    return "\n".join(rows) + "\n"
