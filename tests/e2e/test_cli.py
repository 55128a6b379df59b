"""The real command line, SDKs and repository; only the models speak from a script."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.emulators.models.server import ModelServer
from pipeline.llm.scripted import load_script

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "bot/demo"
ISSUE = (DEMO / "issue.md").read_text("utf-8")
BARE = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
MODELS = ("--model", "claude=anthropic:claude-a", "--model", "tests=anthropic:claude-b")
SEATS = {"openai": "gpt", "claude-a": "claude", "claude-b": "tests", "google": "qa"}
BRANCH = "acp/parse-1h-30m-silently-returns-one-hour"


@pytest.fixture
def models() -> Iterator[dict[str, str]]:
    """The variables that lead the SDKs to a server that plays the demo's script."""
    with ModelServer(load_script(DEMO / "script.json"), seats=SEATS) as server:
        yield server.environment


@pytest.fixture
def silent_models() -> Iterator[dict[str, str]]:
    """A server that takes every request and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        yield {"OPENAI_API_KEY": "emulated", "OPENAI_BASE_URL": url}


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "bot", "run", "--no-journal", *args]


def acp(env: dict[str, str], *args: str, cwd: Path | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        command(*args),
        env=BARE | env,
        cwd=cwd,
        input=ISSUE,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def git(repo: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=repo, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(directory).parts
    }


@pytest.mark.needs_bubblewrap
def test_a_run_ends_in_a_branch_that_proves_itself(patient: Path, models: dict[str, str]) -> None:
    before = contents(patient)
    code, out, err = acp(models, "--repo", str(patient), *MODELS, "-")
    assert code == 0, out + err
    assert contents(patient) == before
    assert git(patient, "status", "--porcelain") == ""
    assert git(patient, "rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert git(patient, "rev-list", "--count", f"main..{BRANCH}") == "2"

    for told in ("gpt openai:gpt-", "iteration 1 of 3", "iteration 2 of 3", "testing said no"):
        assert told in err
    assert "edit timespan/reading.py" in err
    assert out.startswith("COMPLETED after 2 iterations")
    for told in ("Kind: bug", "cost ", "time ", f"branch    {BRANCH}", f"switch {BRANCH}"):
        assert told in out

    [test] = [path for path in _changed(patient, f"{BRANCH}~1") if "test" in path]
    git(patient, "switch", "-q", "--detach", f"{BRANCH}~1")
    assert _pytest(patient, test) == 1
    git(patient, "switch", "-q", BRANCH)
    assert _pytest(patient) == 0


@pytest.mark.needs_bubblewrap
def test_machines_read_a_run_line_by_line(patient: Path, models: dict[str, str]) -> None:
    code, out, err = acp(models, "--repo", str(patient), *MODELS, "--json", "-")
    lines = [json.loads(line) for line in out.splitlines()]
    done = lines[-1]
    assert (code, err) == (0, "")
    assert {line["event"] for line in lines} == {"started", "lineup", "progress", "step", "done"}
    assert (done["status"], done["branch"], done["iterations"]) == ("completed", BRANCH, 2)
    assert set(done["seconds"]) == {"model", "tests", "tools", "us", "total"}
    assert done["evidence"]["kind"] == "bug"
    assert done["agents"]["gpt"]["calls"] > 0
    assert "emulated" not in out


@pytest.mark.needs_bubblewrap
def test_the_change_of_a_url_is_printed_or_left_as_a_file(
    patient: Path, models: dict[str, str], tmp_path: Path
) -> None:
    url = f"file://{patient}"
    code, out, err = acp(models, "--repo", url, *MODELS, "--diff", "-", cwd=tmp_path)
    assert code == 0, err
    assert "COMPLETED" in err
    git_apply = subprocess.run(
        ["git", "apply", "-"], cwd=patient, input=out, text=True, check=False
    )
    assert git_apply.returncode == 0
    assert _pytest(patient) == 0
    assert git(patient, "branch", "--format=%(refname:short)") == "main"


@pytest.mark.needs_bubblewrap
def test_a_run_that_fails_keeps_its_draft_and_makes_no_branch(
    patient: Path, models: dict[str, str], tmp_path: Path
) -> None:
    work = tmp_path / "here"
    work.mkdir()
    limit = ("--max-iterations", "1")
    code, out, _ = acp(models, "--repo", str(patient), *MODELS, *limit, "-", cwd=work)
    assert code == 1
    assert out.startswith("FAILED after 1 iteration: tests failed\nThe last feedback:\n")
    [draft] = work.iterdir()
    assert f"the last draft (not proven) is in {draft}" in out
    assert git(patient, "branch", "--format=%(refname:short)") == "main"


@pytest.mark.needs_bubblewrap
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancel_ends_everything_at_once_and_says_what_is_kept(
    patient: Path, silent_models: dict[str, str], number: signal.Signals
) -> None:
    with subprocess.Popen(
        command("--repo", str(patient), "Fix it"),
        env=BARE | silent_models,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "gpt begins" in line:
                break
        time.sleep(0.5)
        asked = time.monotonic()
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - asked < 5
    assert out.startswith("CANCELLED: your repository was not touched")


@pytest.mark.needs_bubblewrap
def test_a_terminal_gets_a_live_view(patient: Path, models: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command("--repo", str(patient), *MODELS, "--max-iterations", "1", ISSUE),
        env=BARE | models | {"TERM": "xterm", "LANG": "C.UTF-8"},
        cwd=patient.parent,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    ):
        os.close(theirs)
        shown = _read(ours)
    assert "\r\x1b[K" in shown
    assert "\x1b[31mtesting said no" in shown
    assert "gpt: edit timespan/reading.py" in shown
    assert shown.endswith("\r\x1b[K")


def _read(terminal: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode()


def _changed(repo: Path, commit: str) -> list[str]:
    return git(repo, "show", "--name-only", "--format=", commit).splitlines()


def _pytest(repo: Path, *args: Any) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args],
        cwd=repo,
        env=BARE | {"PYTHONPATH": str(repo), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
    )
    return done.returncode
