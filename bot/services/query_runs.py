"""Runs and their logs, as people ask for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.runs import Run, RunStatus
from bot.domain.store import Store, StoredEvent
from bot.errors import NotFound, UserError

_PAGE = 500
_SHORTEST = 4
_MANY = 10_000


def recent(store: Store, status: str | None, limit: int) -> Sequence[Run]:
    """The newest runs, newest first; `status` is one of `RunStatus`, None for all."""
    return store.runs(status=RunStatus(status) if status else None, limit=limit)


def one(store: Store, name: str) -> Run:
    """The run of that id, or of the only id that ends (or begins) like it.

    Raises NotFound, UserError where several do.
    """
    run_id = name.strip().upper()
    found = store.run(run_id)
    if found is not None:
        return found
    if len(run_id) >= _SHORTEST:
        runs = store.runs(limit=_MANY)
        like = [run for run in runs if run.id.endswith(run_id) or run.id.startswith(run_id)]
        if len(like) == 1:
            return like[0]
        if like:
            raise UserError(f"{name} means {len(like)} runs; write more of the id")
    raise NotFound(f"there is no run {name}; `acp runs` lists them")


def log(store: Store, run_id: str, after: int = 0) -> Iterator[StoredEvent]:
    """Every line of a run's log behind `after`, oldest first."""
    while page := store.events(run_id, after, _PAGE):
        yield from page
        after = page[-1].seq
