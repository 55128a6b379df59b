"""The arguments of the service's commands: `serve`, `worker`, `setup`, `runs` and their like."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - has no other name

STATUSES = ("queued", "running", "held", "finished")
SERVICE = frozenset({"serve", "worker", "setup", "doctor"})
RECORDS = frozenset({"runs", "models", "logs", "cancel", "receive", "config"})
JOURNALS = frozenset({"replay", "export", "import"})
_SERVE = """\
Starts two processes: this one takes webhooks in, the other one executes runs; it is started again
whenever it dies, and goes on with what it was at. Settings come from the environment:
docs/reference/settings.md. Without a GitHub App it prints a link that makes one.
"""
_DOCTOR = """\
Tries every sandbox from inside, and looks at what else a run needs here. Exit code: 0 all is well
but for notes, 1 something is to be mended.
"""
_REPLAY = """\
Makes the run again from its journal: no key, no network, no sandbox, and nothing is spent. Where
the program now asks something else than it did then, it shows the difference and stops.

exit code: 0 the same result byte for byte, 1 not the same, 2 nothing was replayed
"""
_EXPORT = """\
The file holds the run's journal (prompts, replies, commands and what they said), the repository's
files at its base, and how it ended: as confidential as the repository itself. Secrets that are set
here were taken out before anything was written.
"""
_IMPORT = """\
An imported run is listed, shown and replayed like any other, and can never be executed or
published.
"""
_RECEIVE = """\
The file holds the body as GitHub posted it. It goes through the same door as a delivery: signature,
reading, one transaction. A worker then does what it asks for.
"""


_MODELS = """\
Lists who sits where, how it is reached, its price, and which setting said so. Of each vendor with a
key it asks which models it offers, and says where one is not among them (exit code 1).
"""


def add_service(commands: Commands) -> None:
    """Commands that start something."""
    _command(commands, "serve", "take webhooks and execute runs", _SERVE)
    worker = _command(
        commands, "worker", "execute runs only", "Executes runs; the webhooks come in elsewhere."
    )
    worker.add_argument("--attached", action="store_true", help=argparse.SUPPRESS)
    setup = _command(
        commands,
        "setup",
        "make the GitHub App, in the browser",
        "Prints a link that makes the GitHub App, waits for it, and says what is missing.",
    )
    setup.add_argument("--check", action="store_true", help="only say what is missing")
    doctor = _command(commands, "doctor", "say what works on this machine", _DOCTOR)
    doctor.add_argument("--json", action="store_true", help="print JSON for machines")


def add_journals(commands: Commands) -> None:
    """Commands about journals of runs."""
    replay = _command(commands, "replay", "make a recorded run again, offline", _REPLAY)
    replay.add_argument("run", metavar="RUN|FILE", help="its id, or the end of it, or a file")
    replay.add_argument("--diff", action="store_true", help="print the change as a diff")
    replay.add_argument("--json", action="store_true", help="print JSON lines for machines")
    export = _command(commands, "export", "write a run into one file", _EXPORT)
    export.add_argument("run", metavar="RUN", help="its id, or the end of it")
    export.add_argument(
        "-o", "--output", metavar="FILE", default="", help="default: RUN.acp-journal; - is stdout"
    )
    take = _command(commands, "import", "take a run from a file", _IMPORT)
    take.add_argument("file", metavar="FILE", help="what `acp export` has written")


def add_records(commands: Commands) -> None:
    """Commands that read or write the store."""
    runs = _command(commands, "runs", "list runs", "Lists runs, newest first.")
    runs.add_argument("--status", choices=STATUSES, help="only these")
    runs.add_argument("--limit", metavar="N", type=_whole, default=20, help="how many (20)")
    runs.add_argument("--json", action="store_true", help="print JSON lines for machines")
    logs = _command(commands, "logs", "show what a run did", "Shows the log of a run.")
    logs.add_argument("run", metavar="RUN", help="its id, or the end of it")
    logs.add_argument("--follow", action="store_true", help="go on until the run has finished")
    logs.add_argument("--json", action="store_true", help="print JSON lines for machines")
    models = _command(commands, "models", "say which model sits where, and its price", _MODELS)
    models.add_argument("--offline", action="store_true", help="ask no vendor what it offers")
    models.add_argument("--json", action="store_true", help="print JSON for machines")
    cancel = _command(commands, "cancel", "cancel a run", "Cancels a run.")
    cancel.add_argument("run", metavar="RUN", help="its id, or the end of it")
    receive = _command(commands, "receive", "replay a saved webhook delivery", _RECEIVE)
    receive.add_argument("file", metavar="FILE", help="the saved body; - reads stdin")
    receive.add_argument("--event", metavar="NAME", required=True, help="such as issues")
    receive.add_argument(
        "--delivery", metavar="GUID", default="", help="its id (default: one for each body)"
    )
    config = _command(commands, "config", "look at a repository's settings", "")
    parts = config.add_subparsers(dest="part", metavar="PART", required=True)
    validate = _command(
        parts, "validate", "say what is wrong in them", "Checks a .github/acp.yml, line by line."
    )
    validate.add_argument("file", metavar="FILE", nargs="?", default=".github/acp.yml")


def _command(commands: Commands, name: str, summary: str, text: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=text or summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 10_000:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 10000")
    return int(text)
