"""`acp run`: from the arguments to the exit code."""

from __future__ import annotations

import argparse
import asyncio
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.bootstrap import Choices, models_of, open_sandbox, pipeline_of, take_in
from bot.domain.events import Started, Warned
from bot.domain.result import Result
from bot.domain.scrub import Scrubber, printable
from bot.entrypoints import journal
from bot.entrypoints.interrupt import EXIT_CODE as CANCELLED
from bot.entrypoints.interrupt import Interrupt
from bot.entrypoints.json_lines import JsonLines
from bot.entrypoints.summary import summary
from bot.entrypoints.views import LiveView, PlainView, View
from bot.errors import BotError, UserError
from bot.services import deliver
from bot.services.intake import Intake, Request
from bot.services.run_task import RunTask
from bot.services.survey import Survey, survey
from bot.settings import Settings
from pipeline.errors import PipelineError
from pipeline.journal import MemoryJournal
from pipeline.llm.base import LLMClient

OK, FAILED, NOT_RUN = 0, 1, 2
_TICK_S = 0.2


def run(args: argparse.Namespace, clients: Mapping[str, LLMClient] | None = None) -> int:
    """Run the task; returns the exit code. Whatever goes wrong ends in a sentence.

    `clients` maps seats to models that take the place of the configured ones.
    """
    scrub = Scrubber()
    try:
        settings = Settings.load()
        scrub = Scrubber(settings.secrets())
        intake = take_in(settings)(_request(args))
        return asyncio.run(Desk(args, settings, scrub, clients or {}).work(intake))
    except (BotError, PipelineError) as error:
        return _refuse(args, scrub, str(error), NOT_RUN)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _refuse(args, scrub, "cancelled before anything was run", CANCELLED)
    except Exception as error:  # noqa: BLE001 - the last door: a sentence instead of a traceback
        hint = "" if args.debug else "; add --debug for the traceback, and please report it"
        sentence = f"unexpected {type(error).__name__}: {error}{hint}"
        return _refuse(args, scrub, sentence, FAILED)


@dataclass(frozen=True, slots=True)
class Desk:
    """One `acp run`: what was asked, the settings, and what must not be printed."""

    args: argparse.Namespace
    settings: Settings
    scrub: Scrubber
    clients: Mapping[str, LLMClient]

    async def work(self, intake: Intake) -> int:
        """Run, deliver, report. Raises BotError or PipelineError where nothing could be run."""
        view = self._view()
        ticker = asyncio.create_task(_ticking(view))
        try:
            found = await survey(intake.repo)
            task = await self._prepare(intake, found, view)
            interrupt = Interrupt(lambda: self._report(task.cancelled(), view))
            with interrupt.watching():
                try:
                    result = await task()
                except asyncio.CancelledError:
                    if not interrupt.asked:
                        raise
                    result = task.cancelled()
                interrupt.too_late()
                result = await self._deliver(result, found)
                interrupt.said()
        finally:
            ticker.cancel()
            view.close()
        self._report(result, view)
        journal.keep(self.args, self.settings, task)
        return _exit_code(result)

    async def _prepare(self, intake: Intake, found: Survey, view: View) -> RunTask:
        sandbox, caps = await open_sandbox(self.args.sandbox, self.settings)
        pipeline = pipeline_of(self.settings, _choices(self.args), sandbox, self.clients)
        view(
            Started(
                title=intake.task.title,
                source=intake.task.source,
                repository=found.repo or "",
                base=found.base,
                sandbox=caps.describe(),
                max_iterations=pipeline.rules.max_iterations,
            )
        )
        for warning in (*intake.warnings, *found.warnings, *_warnings(self.args)):
            view(Warned(warning))
        return RunTask(
            pipeline,
            intake.task,
            found.repo,
            sink=view,
            models=lambda: models_of(pipeline),
            journal=None if self.args.no_journal else MemoryJournal(),
        )

    async def _deliver(self, result: Result, found: Survey) -> Result:
        if self.args.diff and result.ok:
            return result
        directory = None if self.args.json else Path.cwd()
        return await deliver.leave(result, local=found.local, directory=directory)

    def _report(self, result: Result, view: View) -> None:
        """Results go to stdout: JSON, or the diff where it is nowhere else, or the summary."""
        view.close()
        if isinstance(view, JsonLines):
            view.done(result.to_dict(), _exit_code(result))
            return
        text = self.scrub(summary(result))
        if result.status == "completed" and not (result.branch or result.diff_file):
            sys.stdout.buffer.write(result.diff.encode("utf-8", "surrogateescape"))
            sys.stdout.flush()
            sys.stderr.write(text)
        else:
            encoding = sys.stdout.encoding or "utf-8"
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))

    def _view(self) -> View:
        if self.args.json:
            return JsonLines(sys.stdout, self.scrub)
        out = sys.stderr
        live = out.isatty() and self.settings.terminal not in {"", "dumb"}
        if live and (out.encoding or "").lower().startswith("utf"):
            return LiveView(out, self.scrub, colour=self.settings.no_color is None)
        return PlainView(out, self.scrub)


async def _ticking(view: View) -> None:
    while True:
        await asyncio.sleep(_TICK_S)
        view.tick()


def _exit_code(result: Result) -> int:
    if result.status == "cancelled":
        return CANCELLED
    return OK if result.ok else FAILED


def _request(args: argparse.Namespace) -> Request:
    task = args.task
    if task == "-" and args.github is None and args.jira is None:
        try:
            task = sys.stdin.read()
        except UnicodeDecodeError:
            raise UserError("stdin is not UTF-8 text; convert it first") from None
    return Request(args.repo, args.github, args.jira, task)


def _choices(args: argparse.Namespace) -> Choices:
    python = Path(args.python) if args.python is not None else None
    if python is not None and not python.is_file():
        raise UserError(f"--python {python} is not there; give the path of an interpreter")
    return Choices(
        models=dict(args.model),
        max_iterations=args.max_iterations,
        max_seconds=args.max_seconds,
        max_tokens=args.max_tokens,
        max_usd=args.max_usd,
        python=python,
        tests=not args.no_tests,
        review=not args.no_review,
    )


def _warnings(args: argparse.Namespace) -> list[str]:
    said = []
    if args.sandbox == "none":
        said.append(
            "--sandbox none: commands of models and tests run with your rights, your files and "
            "your network"
        )
    if args.no_tests:
        said.append("--no-tests: nothing will be proven")
    return said


def _refuse(args: argparse.Namespace, scrub: Scrubber, sentence: str, code: int) -> int:
    """Say what went wrong and, if asked, where. Returns `code`."""
    if args.debug:
        sys.stderr.write(scrub(traceback.format_exc()))
    if args.json:
        status = "cancelled" if code == CANCELLED else "error"
        JsonLines(sys.stdout, scrub).done({"status": status, "reason": sentence}, code)
    with suppress(BrokenPipeError):
        sys.stderr.write(f"acp: {scrub(printable(sentence))}\n")
    return code
