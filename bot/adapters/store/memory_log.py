"""What a run leaves behind, in memory: events, journal, effects."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from bot.adapters.store.stamps import Clock, stamp
from bot.domain.runs import Run, RunStatus
from bot.domain.store import Entry, Fenced, Json, StoredEvent


class MemoryLog:
    """The half of `MemoryStore` that is written under an epoch."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._runs: dict[str, Run] = {}
        self._events: dict[str, list[StoredEvent]] = {}
        self._keys: dict[tuple[str, str], int] = {}
        self._journal: dict[str, dict[str, Entry]] = {}
        self._effects: dict[tuple[str, str], Json | None] = {}

    def append(self, run_id: str, epoch: int, kind: str, data: Json, *, key: str = "") -> int:
        """Append to the log."""
        with self._fenced(run_id, epoch):
            if key and (run_id, key) in self._keys:
                return self._keys[run_id, key]
            lines = self._events.setdefault(run_id, [])
            seq = len(lines) + 1
            lines.append(StoredEvent(run_id, seq, kind, _plain(data), stamp(self._clock())))
            if key:
                self._keys[run_id, key] = seq
            return seq

    def events(self, run_id: str, after: int = 0, limit: int = 1000) -> Sequence[StoredEvent]:
        """The log from `after` on."""
        with self._lock:
            return self._events.get(run_id, [])[after : after + limit]

    def journal(self, run_id: str) -> Mapping[str, Entry]:
        """The whole journal of a run."""
        with self._lock:
            return dict(sorted(self._journal.get(run_id, {}).items()))

    def reserve(self, run_id: str, epoch: int, key: str, digest: str) -> None:
        """Write an entry before it is paid for."""
        with self._fenced(run_id, epoch):
            entries = self._journal.setdefault(run_id, {})
            tries = entries[key].tries + 1 if key in entries else 1
            entries[key] = Entry(key, digest, None, tries)

    def record(self, run_id: str, epoch: int, key: str, digest: str, reply: Json) -> None:
        """Fill the entry."""
        with self._fenced(run_id, epoch):
            entries = self._journal.setdefault(run_id, {})
            tries = entries[key].tries if key in entries else 1
            entries[key] = Entry(key, digest, _plain(reply), tries)

    def forget(self, run_id: str, epoch: int, prefix: str) -> None:
        """Drop entries whose key starts with `prefix`."""
        with self._fenced(run_id, epoch):
            entries = self._journal.get(run_id, {})
            kept = {key: entry for key, entry in entries.items() if not key.startswith(prefix)}
            self._journal[run_id] = kept

    def effect(self, run_id: str, name: str) -> Json | None:
        """What an effect left behind."""
        return self._effects.get((run_id, name))

    def intend(self, run_id: str, epoch: int, name: str) -> Json | None:
        """Write the intent before an effect."""
        with self._fenced(run_id, epoch):
            return self._effects.setdefault((run_id, name), None)

    def done(self, run_id: str, epoch: int, name: str, result: Json) -> None:
        """Write what the effect left behind."""
        with self._fenced(run_id, epoch):
            self._effects[run_id, name] = _plain(result)

    @contextmanager
    def _fenced(self, run_id: str, epoch: int) -> Iterator[Run]:
        with self._lock:
            run = self._runs.get(run_id)
            if run is None or run.epoch != epoch or run.status is RunStatus.FINISHED:
                raise Fenced(f"run {run_id} is no longer executed under epoch {epoch}")
            yield run


def _plain(value: Json) -> Json:
    """The value as a database would give it back; raises TypeError for what is not JSON."""
    plain: Json = json.loads(json.dumps(dict(value)))
    return plain
