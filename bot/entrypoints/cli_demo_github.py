"""`acp demo --github`: from a label to a pull request, through the real `acp serve`."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from bot import demo
from bot.demo.stage import LABEL, REPOSITORY, WRITER, Stage, set_up
from bot.emulators.github import NotThere
from bot.emulators.github.model import Issue

_OPENING = """\
This is a demo: GitHub is EMULATED on this machine, and the replies of the models are SCRIPTED.
All else is real: acp serve, its webhook, clone, sandbox, pytest, push, and three model SDKs.

"""
_PATIENCE_S = 180.0
_TICK_S = 0.1
OK, FAILED = 0, 1


def run_demo_on_github() -> int:
    """Play the whole scene; returns 0 when the pull request is there."""
    sys.stdout.write(_OPENING)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    with set_up(port) as stage:
        try:
            return asyncio.run(_play(stage, f"http://127.0.0.1:{port}"))
        except KeyboardInterrupt:
            return OK


async def _play(stage: Stage, url: str) -> int:
    told = Teller()
    home = Path(tempfile.mkdtemp(prefix="acp-demo-"))
    async with _serving(stage.variables, home):
        told("acp serve is starting")
        if not await _until(lambda: _answers(f"{url}/readyz")):
            told(f"it did not come up; its log: {home / 'serve.log'}")
            return FAILED
        title, _, body = demo.issue().partition("\n")
        issue = stage.github.open_issue(REPOSITORY, title, body.strip(), by=WRITER)
        told(f"{WRITER} opens issue #{issue.number}: {title}")
        stage.github.label(issue, LABEL, by=WRITER)
        told(f"{WRITER} labels it {LABEL}")
        if not await _until(lambda: told.watch(stage, issue)):
            told(f"no pull request came; the log: {home / 'serve.log'}")
            return FAILED
        pull = stage.github.pull(REPOSITORY)
        _save(stage, {"issue": issue, "pull-request": pull}, home)
        told(f"the pages are kept in {home}: issue.html, pull-request.html")
        sys.stdout.write(f"\nLook at it: {stage.github.page(pull)}\n")
        if sys.stdin.isatty():
            sys.stdout.write("Ctrl-C ends the demo.\n")
            await asyncio.Event().wait()
    return OK


class Teller:
    """Tells what is to be seen on the emulated GitHub, each thing once."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._seen: set[str] = set()

    def __call__(self, text: str) -> None:
        """One line, with the time since the beginning."""
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        sys.stdout.write(f"{minutes:02}:{seconds:02} {text}\n")
        sys.stdout.flush()

    def watch(self, stage: Stage, issue: Issue) -> bool:
        """Tell what is new; True once everything has been said and done."""
        for who, reaction in stage.github.reactions(issue):
            self._once(f"{who} reacts with {reaction}")
        for who, text in stage.github.comments(issue):
            self._once(f"{who} on the issue: {_gist(text)}")
        try:
            pull = stage.github.pull(REPOSITORY)
        except (NotThere, LookupError):
            return False
        self._once(f"acp[bot] opens pull request #{pull.number}: {pull.title}")
        for who, text in stage.github.comments(pull):
            self._once(f"{who} on the pull request: {_gist(text)}")
        return any(reaction == "rocket" for _, reaction in stage.github.reactions(issue))

    def _once(self, text: str) -> None:
        if text not in self._seen:
            self._seen.add(text)
            self(text)


def _gist(text: str) -> str:
    """The first words of a comment, without its hidden mark."""
    lines = [line for line in text.splitlines() if line and not line.startswith("<!--")]
    return lines[0].replace("**", "").partition(" · ")[0] if lines else ""


@asynccontextmanager
async def _serving(variables: Mapping[str, str], home: Path) -> AsyncIterator[None]:
    """`acp serve` as its own process, with an environment of its own."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.defpath, "/usr/local/bin"])
    environment = {"PATH": path, "HOME": str(home), "ACP_DATA_DIR": str(home / "data")}
    start = asyncio.create_subprocess_exec  # noqa: TID251 - our own program
    with (home / "serve.log").open("wb") as log:
        process = await start(
            *(sys.executable, "-m", "bot", "serve"),
            env={**environment, **variables},
            cwd=home,
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            process.terminate()
            await process.wait()


async def _until(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if await asyncio.to_thread(true):
            return True
        await asyncio.sleep(_TICK_S)
    return False


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=2).is_success
    except httpx2.HTTPError:
        return False


def _save(stage: Stage, pages: Mapping[str, Issue], home: Path) -> None:
    for name, issue in pages.items():
        page = httpx2.get(stage.github.page(issue), timeout=10).text
        (home / f"{name}.html").write_text(page, "utf-8")
