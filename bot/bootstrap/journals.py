"""Where journals are found and kept, and which secrets stay out of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import Misconfigured, NotFound
from pipeline.journal import Entry, MemoryJournal
from pipeline.recording import Recording
from pipeline.redaction import Redactor

if TYPE_CHECKING:
    from bot.adapters.recordings import Bases, Recordings
    from bot.domain.journals import Kept
    from bot.domain.runs import Run
    from bot.domain.store import Store
    from bot.settings import Settings
    from pipeline.checkpoint import Checkpoint

_DATABASE = "acp.db"


def redactor_of(settings: Settings) -> Redactor:
    """Knows every secret that is set, and the App's key where it can be read."""
    try:
        key = settings.app_key()
    except Misconfigured:
        key = ""  # whoever needs it says so; what cannot be read cannot be given away
    named = {**settings.named_secrets(), "github-app-key": key}
    return Redactor({name: secret for name, secret in named.items() if secret})


def recordings(settings: Settings) -> Recordings:
    """The journals of the command line, and the imported ones. Raises Misconfigured."""
    from bot.adapters.recordings import Recordings
    from bot.settings.kept import private_directory

    return Recordings(private_directory(settings.data_dir) / "journals")


def bases(settings: Settings) -> Bases:
    """The files that runs of the service began with. Raises Misconfigured."""
    from bot.adapters.recordings import Bases
    from bot.settings.kept import private_directory

    return Bases(private_directory(settings.data_dir) / "bases")


def new_recording(journal: MemoryJournal, last: Checkpoint | None) -> Recording:
    """A run of the command line, under a new name."""
    from bot.adapters.store.stamps import new_id, stamp

    now = time.time()
    return Recording(
        name=new_id(now),
        at=stamp(now),
        source="acp run",
        entries=journal.entries,
        base=journal.base,
        last=last.to_json() if last else "",
    )


def kept_journal(settings: Settings, name: str) -> Kept:
    """A journal beside the store. Raises NotFound, UserError."""
    found = recordings(settings).find(name)
    if found is None:
        raise NotFound(f"there is no run {name}; `acp runs` lists them")
    return found


def any_recording(settings: Settings, name: str) -> Recording:
    """The journal in the file `name`, or of the run of that name.

    Raises NotFound, UserError, StoreUnavailable.
    """
    from bot.adapters.recordings import read_recording
    from bot.services import query_runs

    if "/" in name or Path(name).is_file():
        return read_recording(Path(name))
    if (settings.data_dir / _DATABASE).exists():
        from bot.bootstrap import open_store

        store = open_store(settings)
        try:
            return recording_of(store, query_runs.one(store, name), bases(settings))
        except NotFound:
            pass
        finally:
            store.close()
    return read_recording(kept_journal(settings, name).path)


def recording_of(store: Store, run: Run, packs: Bases) -> Recording:
    """A run of the service as one value: its journal, its last checkpoint and its base."""
    from bot.services.run_book import checkpoints_of

    rows = store.journal(run.id)
    entries = {key: Entry(rows[key].digest, rows[key].reply) for key in sorted(rows, key=_place)}
    last = checkpoints_of(store, run.id)[-1:]
    made = Recording(
        name=run.id,
        at=run.created_at,
        source=f"{run.request.repository.full_name}#{run.request.issue}",
        entries=entries,
        last=last[0].to_json() if last else "",
    )
    tree = str(made.facts.get("base_tree", ""))
    return made.with_base(packs.get(tree) if tree else None)


def _place(key: str) -> tuple[tuple[int, str], ...]:
    """Sorts keys as the run went through them, numbers by value."""
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in key.split("."))
