"""What a seat was billed before it began anew: it stays paid, also for whoever goes on later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.journal import FACTS, Notebook, Pen, Recorder
from pipeline.meter import Meter
from pipeline.tally import Tally


def remember(recorder: Recorder, prefix: str, meter: Meter, agent: str) -> Tally:
    """Count what the seat was billed in earlier beginnings; returns what `agent` has used then."""
    if recorder.notebook is not None:
        for bill in _torn(recorder.notebook, prefix).values():
            meter.add(agent, (bill["provider"], bill["model"]), Tally.read(bill))
    return meter.used_by(agent)


async def begin_anew(
    recorder: Recorder, prefix: str, meter: Meter, agent: str, before: Tally
) -> None:
    """Let the seat begin anew, its bill since `before` kept: written before its entries are gone.

    Who is killed between the two counts them twice: too much, and never too little.
    """
    notebook, pen = recorder.notebook, recorder.pen
    if notebook is not None and pen is not None:
        for bill, lost in _unread(pen):
            asked, tally = (bill["provider"], bill["model"]), Tally.read(bill)
            meter.add(agent, asked, tally)
            for _ in range(lost):  # held to have cost what the answered try has
                meter.add(agent, asked, Tally(lost=1, lost_usd=tally.usd))
        used = meter.bill_since(agent, before)
        if used is not None:
            number = len(_torn(notebook, prefix)) + 1

            async def work() -> Mapping[str, Any]:
                return used

            await notebook.shared(f"{_key(prefix)}{number}", "", work)
    await recorder.sit_anew(prefix)


def _unread(pen: Pen) -> Iterator[tuple[Mapping[str, Any], int]]:
    """The bills of the seat's calls that it has not come to again, and their lost tries."""
    for key, entry in pen.known.items():
        is_call = key.startswith(f"{pen.prefix}model.") and key not in pen.read
        if is_call and entry.reply is not None and "bill" in entry.reply:
            yield entry.reply["bill"], entry.reply.get("lost", 0)


def _torn(notebook: Notebook, prefix: str) -> dict[str, Mapping[str, Any]]:
    key = _key(prefix)
    return {k: e.reply for k, e in notebook.known.items() if k.startswith(key) and e.reply}


def _key(prefix: str) -> str:
    return f"{FACTS}.{prefix}torn."
