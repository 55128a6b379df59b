"""`acp runs`, `logs`, `cancel`, `receive` and `config validate`."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from bot.bootstrap import open_store
from bot.bootstrap.app import noted_identity, replay
from bot.bootstrap.journals import any_recording, kept_journal, recordings
from bot.domain.bill import paid
from bot.domain.journals import Kept
from bot.domain.runs import Run, RunStatus
from bot.domain.scrub import Scrubber, printable
from bot.domain.store import Store, StoredEvent
from bot.entrypoints.cli_models import models
from bot.entrypoints.journal_log import as_text, told
from bot.entrypoints.run_log import RunLog, used
from bot.errors import BotError, Misconfigured, NotFound, UserError
from bot.services import cancel_run, query_runs
from bot.settings import Settings

OK, FAILED, NOT_RUN = 0, 1, 2
_FOLLOW_S = 0.5


def records(args: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    scrub = Scrubber()
    try:
        if args.command == "config":
            return _validate(Path(args.file))
        settings = Settings.load()
        scrub = Scrubber(settings.secrets())
        return _COMMANDS[args.command](settings, args)
    except BotError as error:
        sys.stderr.write(f"acp: {scrub(printable(str(error)))}\n")
        return NOT_RUN
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return OK


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    store = open_store(settings)
    try:
        yield store
    finally:
        store.close()


def _runs(settings: Settings, args: argparse.Namespace) -> int:
    with _store(settings) as store:
        found = query_runs.recent(store, args.status, args.limit)
    kept = recordings(settings).all()[: args.limit] if args.status in {None, "finished"} else []
    if args.json:
        _print(json.dumps(asdict(run)) for run in found)
        _print(json.dumps(asdict(one), default=str) for one in kept)
    else:
        _print(map(_line, found))
        _print(map(_kept_line, kept))
        if not found and not kept:
            sys.stderr.write("no runs yet\n")
    return OK


def _logs(settings: Settings, args: argparse.Namespace) -> int:
    story = RunLog()
    shown = _json_event if args.json else story.line
    with _store(settings) as store:
        try:
            run = query_runs.one(store, args.run)
        except NotFound:
            return _kept_logs(settings, args)
        after = 0
        while True:
            # Asked before the log is read, so that no line of a finished run is missed.
            ended = query_runs.one(store, run.id).status == RunStatus.FINISHED
            for event in query_runs.log(store, run.id, after):
                _print([shown(event)])
                after = event.seq
            if ended or not args.follow:
                break
            asyncio.run(asyncio.sleep(_FOLLOW_S))
        if not args.json:
            _print(story.bill())
            sys.stderr.write(printable(_line(query_runs.one(store, run.id))) + "\n")
    return OK


def _kept_logs(settings: Settings, args: argparse.Namespace) -> int:
    """The log of a journal that is no run of the service, from its entries. Raises NotFound."""
    kept = kept_journal(settings, args.run)
    recording = any_recording(settings, str(kept.path))
    _print(map(json.dumps if args.json else as_text, told(recording)))
    if not args.json:
        _print(used(recording.ended))
        sys.stderr.write(printable(_kept_line(kept)) + "\n")
    return OK


def _cancel(settings: Settings, args: argparse.Namespace) -> int:
    with _store(settings) as store:
        run, asked = cancel_run.cancel(store, args.run, f"{getpass.getuser()} (acp cancel)")
    if not asked:
        sys.stderr.write(f"acp: {run.id} has finished already ({run.outcome})\n")
        return FAILED
    done = run.status == RunStatus.FINISHED
    _print([f"{run.id} {'is cancelled' if done else 'will stop within seconds'}"])
    return OK


def _receive(settings: Settings, args: argparse.Namespace) -> int:
    body = _body(args.file)
    identity = noted_identity(settings)
    if identity is None:
        raise Misconfigured(
            "it is not known yet who the GitHub App is; run `acp setup`, and start a worker once"
        )
    guid = args.delivery or f"replay-{hashlib.sha256(body).hexdigest()[:16]}"
    with _store(settings) as store:
        receipt = replay(settings, identity, store, (args.event, guid), body)
    _print([f"{receipt.outcome}{' ' if receipt.run_id else ''}{receipt.run_id}"])
    return OK


def _body(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise UserError(f"{name} cannot be read: {error.strerror}") from None


def _validate(path: Path) -> int:
    from bot.domain.repo_config import WrongConfig, read

    try:
        read(_body(str(path)))
    except WrongConfig as wrong:
        _print(f"{path}: {problem}" for problem in wrong.problems)
        return FAILED
    _print([f"{path} is fine"])
    return OK


def _line(run: Run) -> str:
    request = run.request
    where = f"{request.repository.full_name}#{request.issue}"
    state = f"{run.status}" + (f" ({run.outcome})" if run.outcome else "")
    cost = "" if run.cost_usd is None else paid(run.paid_usd, run.lost_usd)
    pull = f"#{run.pull_request}" if run.pull_request else ""
    title = request.text.title[:60]
    words = (run.id, run.created_at[:19], where, state, cost, pull, title, run.reason[:80])
    return "  ".join(word for word in words if word)


def _kept_line(kept: Kept) -> str:
    cost = paid(kept.usd, 0.0 if kept.usd is None else kept.lost_usd)
    state = f"{kept.origin}" + (f" ({kept.outcome})" if kept.outcome else "")
    words = (kept.name, kept.at[:19], kept.source, state, cost, kept.title[:60])
    return "  ".join(word for word in words if word)


def _json_event(event: StoredEvent) -> str:
    return json.dumps(asdict(event))


def _print(lines: Iterable[str]) -> None:
    """To stdout; what strangers wrote does nothing to the terminal."""
    for line in lines:
        text = printable(line) + "\n"
        sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


_COMMANDS = {"runs": _runs, "models": models, "logs": _logs, "cancel": _cancel, "receive": _receive}
