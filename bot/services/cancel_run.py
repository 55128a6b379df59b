"""Cancel a run by hand: the worker that executes it hears of it within seconds."""

from __future__ import annotations

from bot.domain.runs import Run, RunStatus
from bot.domain.store import Store
from bot.services import query_runs


def cancel(store: Store, name: str, by: str) -> tuple[Run, bool]:
    """The run as it stands afterwards, and whether there was anything to cancel.

    Raises NotFound, UserError, StoreUnavailable.
    """
    run = query_runs.one(store, name)
    if run.status == RunStatus.FINISHED:
        return run, False
    asked = store.request_cancel(run.id, by)
    return query_runs.one(store, run.id), asked
