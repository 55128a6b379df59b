"""The log of a run of the service for people: a line for each step, and the bill below."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.domain import bill
from bot.domain.store import StoredEvent
from bot.entrypoints.wording import ledger, one_line, tokens_of
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InvalidState


class RunLog:
    """Tells events in their order, and knows what the run had used at the last of them."""

    def __init__(self) -> None:
        self._tokens: dict[str, int] = {}
        self._last: Checkpoint | None = None

    def line(self, event: StoredEvent) -> str:
        """The event as a line; `acp logs --json` has the whole of it."""
        said = json.dumps(event.data, ensure_ascii=False)
        if event.kind == "checkpoint":
            try:
                said = self._step(Checkpoint.from_json(event.data["checkpoint"]))
            except InvalidState as error:
                said = str(error)  # of another release; the rest of the log is still worth reading
        return f"{event.at[11:19]} {event.kind:12} {one_line(said)}"

    def bill(self) -> list[str]:
        """What the run had used at its last step, whole and by seat."""
        return used(self._last.state if self._last else None)

    def _step(self, done: Checkpoint) -> str:
        before = self._tokens.get(done.agent, 0)
        self._tokens[done.agent] = tokens_of(done)
        self._last = done
        return f"iteration {done.iteration}, {done.stage.value}: {ledger(done, before)}"


def used(state: Mapping[str, Any] | None) -> list[str]:
    """What a run has used by a state of it; nothing where it never came to one."""
    if state is None or "usage" not in state:
        return []
    usage = state["usage"]
    return ["", bill.whole(usage), *bill.columns(usage)]
