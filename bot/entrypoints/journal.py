"""Keeps the journal of a run on the command line, so that `acp replay` can make it again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bot.bootstrap.journals import new_recording, recordings
from bot.errors import BotError
from bot.services.run_task import RunTask
from bot.settings import Settings
from pipeline.journal import MemoryJournal


def keep(args: argparse.Namespace, settings: Settings, task: RunTask) -> None:
    """Write the journal and say where; that it cannot be written does not change how a run ended.

    It goes into the file that was asked for, or else into the data directory.
    """
    if not isinstance(task.journal, MemoryJournal) or not task.journal.entries:
        return
    recording = new_recording(task.journal, task.last)
    try:
        if args.journal:
            Path(args.journal).write_bytes(recording.to_bytes())
            name = args.journal
        else:
            recordings(settings).save(recording, "local")
            name = recording.name
    except (OSError, BotError) as error:
        sys.stderr.write(f"note: the journal of this run is not kept: {error}\n")
        return
    sys.stderr.write(f"journal: acp replay {name}\n")
