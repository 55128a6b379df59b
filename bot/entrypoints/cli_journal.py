"""`acp replay`, `export` and `import`: a run as one file, and made again from it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bot.bootstrap.journals import any_recording, recordings
from bot.domain.result import Result
from bot.domain.scrub import Scrubber, printable
from bot.entrypoints.json_lines import JsonLines
from bot.entrypoints.summary import summary
from bot.entrypoints.views import PlainView
from bot.errors import BotError, UserError
from bot.services.replay_run import ReplayRun
from bot.settings import Settings
from pipeline.errors import PipelineError
from pipeline.journal import Diverged
from pipeline.recording import SUFFIX

OK, DIFFERS, NOT_RUN = 0, 1, 2


def journals(args: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    scrub = Scrubber()
    try:
        settings = Settings.load()
        scrub = Scrubber(settings.secrets())
        return _COMMANDS[args.command](settings, args, scrub)
    except (BotError, PipelineError) as error:
        sys.stderr.write(f"acp: {scrub(printable(str(error)))}\n")
        return NOT_RUN
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return OK


def _replay(settings: Settings, args: argparse.Namespace, scrub: Scrubber) -> int:
    recording = any_recording(settings, args.run)
    view = JsonLines(sys.stdout, scrub) if args.json else PlainView(sys.stderr, scrub)
    try:
        result, same = asyncio.run(ReplayRun(recording, view)())
    except Diverged as error:
        sys.stderr.write(f"acp: {scrub(printable(str(error)))}\n")
        if error.difference:
            sys.stderr.write(scrub(printable(error.difference)) + "\n")
        _done(view, {"status": "diverged", "reason": str(error), "difference": error.difference})
        return DIFFERS
    code = OK if same else DIFFERS
    if isinstance(view, JsonLines):
        view.done({**result.to_dict(), "same": same}, code)
    else:
        _show(result, scrub, diff=args.diff)
        word = "the same as" if same else "NOT the same as"
        sys.stderr.write(f"the result is {word} the recorded one, byte for byte\n")
    return code


def _done(view: JsonLines | PlainView, fields: dict[str, str]) -> None:
    if isinstance(view, JsonLines):
        view.done({**fields, "same": False}, DIFFERS)


def _show(result: Result, scrub: Scrubber, *, diff: bool) -> None:
    text = scrub(summary(result))
    if diff:
        sys.stdout.buffer.write(result.diff.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
        sys.stderr.write(text)
        return
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def _export(settings: Settings, args: argparse.Namespace, scrub: Scrubber) -> int:
    del scrub
    recording = any_recording(settings, args.run)
    data = recording.to_bytes()
    if args.output == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return OK
    path = Path(args.output or f"{recording.name}{SUFFIX}")
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise UserError(f"{path} is there already; name another file with -o") from None
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None
    sys.stdout.write(f"{path}\n")
    if recording.base is None and recording.facts.get("repo"):
        sys.stderr.write(
            "note: the files that the run began with are not in it, so it cannot be replayed; "
            "they were too large, or were dropped for newer ones\n"
        )
    return OK


def _import(settings: Settings, args: argparse.Namespace, scrub: Scrubber) -> int:
    del scrub
    recording = any_recording(settings, str(Path(args.file).absolute()))
    recordings(settings).save(recording, "imported")
    title = printable(str(recording.facts.get("task", "")).partition("\n")[0])[:60]
    with suppress(BrokenPipeError):
        sys.stdout.write(f"{recording.name}  imported, and never published  {title}\n")
        sys.stdout.write(f"next: acp replay {recording.name}\n")
    return OK


_COMMANDS: dict[str, Callable[[Settings, argparse.Namespace, Scrubber], int]] = {
    "replay": _replay,
    "export": _export,
    "import": _import,
}
