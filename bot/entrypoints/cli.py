"""The command line `acp`: reads the arguments, and loads the rest only when it is needed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from typing_extensions import override

from bot.entrypoints.cli_arguments import (
    JOURNALS,
    RECORDS,
    SERVICE,
    add_journals,
    add_records,
    add_service,
)

_ABOUT = (
    "Turn a task into a tested, reviewed change: models draft it, your tests and a proof decide."
)
_EXAMPLES = """\
examples:
  acp demo                                              see the loop work, without keys or network
  acp run --repo . "Totals ignore the discount"         the change becomes a new branch here
  acp run --github acme/shop#7                          an issue; its repository is cloned
  acp run --repo ~/src/shop --jira SHOP-12              a Jira ticket, your checkout
  acp serve                                             the GitHub App: from a label to a PR
  acp run --repo . --diff - < task.txt > change.diff    the task from a file, the change as a diff

settings come from flags, then the environment, then .env in this directory:
  OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY     one is enough
"""
_RUN_NOTES = """\
Your work tree is never touched: the change is left as a new branch acp/... of a local repository,
or, where the repository is a URL, as a .diff file in this directory. Without --repo and --github
the task starts from an empty tree; the directory you are in is not assumed.

exit code: 0 completed or nothing to change, 1 failed, 2 nothing was run (usage or set-up),
           130 cancelled
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.command == "run":
        from bot.entrypoints.cli_run import run

        return run(args)
    if args.command == "demo":
        if args.github:
            from bot.entrypoints.cli_demo_github import run_demo_on_github

            return run_demo_on_github()
        from bot.entrypoints.cli_demo import run_demo

        return run_demo(parser, args)
    if args.command in SERVICE:
        from bot.entrypoints.cli_serve import service

        return service(args)
    if args.command in JOURNALS:
        from bot.entrypoints.cli_journal import journals

        return journals(args)
    if args.command in RECORDS:
        from bot.entrypoints.cli_records import records

        return records(args)
    parser.print_help()
    return 2


def build_parser() -> argparse.ArgumentParser:
    """Every command and flag."""
    parser = argparse.ArgumentParser(
        prog="acp",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_run(commands)
    demo = commands.add_parser(
        "demo",
        help="watch a run on a small shipped project, without keys or network",
        description="Watch a run on a small project: clone, sandbox, Ruff, pytest and git are "
        "real, the replies of the models are scripted.",
    )
    demo.add_argument(
        "--github",
        action="store_true",
        help="from a label to a pull request, emulated",
    )
    demo.add_argument("--json", action="store_true", help="print JSON lines for machines")
    _add_safety(demo)
    add_service(commands)
    add_records(commands)
    add_journals(commands)
    return parser


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser(
        "run",
        help="work on a task",
        description="Work on a task until its proof holds, or say why it does not.",
        epilog=_RUN_NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    task = run.add_argument_group("the task (GitHub goes before Jira, Jira before TASK)")
    task.add_argument("task", metavar="TASK", nargs="?", help="the task in words; - reads stdin")
    task.add_argument("--repo", metavar="URL|PATH", help="the repository; a path stays untouched")
    task.add_argument("--github", metavar="REF", help="an issue: owner/repo#7 or its URL")
    task.add_argument("--jira", metavar="KEY", help="a ticket: KEY-1 or its URL")
    _add_result(run)
    how = run.add_argument_group("how it works")
    how.add_argument(
        "--model",
        metavar="SEAT=VENDOR:MODEL",
        action="append",
        default=[],
        type=_model,
        help="seats: gpt, claude, tests, qa; vendors: openai, anthropic, google",
    )
    how.add_argument("--max-iterations", metavar="N", type=_whole, help="passes of the loop (3)")
    how.add_argument("--max-seconds", metavar="S", type=_seconds, help="wall time (3600)")
    how.add_argument("--max-tokens", metavar="N", type=_whole, help="tokens of all models together")
    how.add_argument("--max-usd", metavar="USD", type=_dollars, help="cost of all models together")
    how.add_argument("--no-tests", action="store_true", help="leave the tester out: not proven")
    how.add_argument("--no-review", action="store_true", help="leave the reviewer out")
    how.add_argument(
        "--python", metavar="PATH", help="interpreter that runs the repository's tests"
    )
    _add_safety(how)


def _add_result(run: argparse.ArgumentParser) -> None:
    out = run.add_argument_group("the result")
    out.add_argument(
        "--diff", action="store_true", help="print the change as a diff, make no branch"
    )
    out.add_argument("--json", action="store_true", help="print JSON lines for machines")
    kept = out.add_mutually_exclusive_group()
    kept.add_argument("--journal", metavar="FILE", help="write the run's journal into this file")
    kept.add_argument(
        "--no-journal", action="store_true", help="keep none: the run cannot be replayed"
    )


def _add_safety(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    parser.add_argument(
        "--sandbox",
        choices=("auto", "none"),
        default="auto",
        help="none runs the code of models WITHOUT isolation",
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, **more: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **more)

    @override
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"acp {version('agentic-coding-pipeline')}\n")
        parser.exit()


def _model(text: str) -> tuple[str, str]:
    seat, equals, model = text.partition("=")
    if not equals or not seat or not model:
        raise argparse.ArgumentTypeError(f"{text!r} is not SEAT=VENDOR:MODEL")
    return seat, model


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _dollars(text: str) -> float:
    try:
        dollars = float(text)
    except ValueError:
        dollars = 0.0
    if not 0 < dollars < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount of US dollars above 0")
    return dollars


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
