"""The runner of git: its environment, its errors, its end."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from pipeline.workspace.gitcmd import Git, GitError


def fake_helper(directory: Path, body: str) -> Path:
    """A program that git runs in place of ssh."""
    program = directory / "fake-ssh"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def by_ssh(tmp_path: Path, body: str, **env: str) -> Git:
    program = fake_helper(tmp_path, body)
    return Git((f"--git-dir={tmp_path}",), {"GIT_ALLOW_PROTOCOL": "ssh", **env}).with_env(
        GIT_SSH_COMMAND=str(program)
    )


async def test_nothing_of_the_hosts_environment_reaches_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    out = tmp_path / "seen"
    git = by_ssh(tmp_path, f"env > {out}; exit 1", EXTRA="given")
    with pytest.raises(GitError):
        await git.run("ls-remote", "ssh://example.org/a")
    seen = out.read_text()
    assert "sk-secret" not in seen
    assert "GIT_CONFIG_COUNT" not in seen
    assert "EXTRA=given" in seen
    assert "HOME=/nonexistent" in seen
    assert "GIT_CONFIG_NOSYSTEM=1" in seen


async def test_a_protocol_that_was_not_asked_for_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "ran"
    git = by_ssh(tmp_path, f"touch {out}").with_env(GIT_ALLOW_PROTOCOL="")
    for url in ("ssh://example.org/a", "example.org:a", f"file://{tmp_path}", f"ext::touch {out}"):
        with pytest.raises(GitError, match="not allowed"):
            await git.run("ls-remote", url)
    assert not out.exists()


async def test_an_error_is_one_line_and_repeats_no_secret(tmp_path: Path) -> None:
    said = "fatal: cannot use https://me:hunter2@example.org/x?key=hunter3 for\033[31m this"
    git = by_ssh(tmp_path, f"echo '{said}' >&2; exit 1")
    with pytest.raises(GitError) as caught:
        await git.run("ls-remote", "ssh://example.org/a")
    message = str(caught.value)
    assert "hunter" not in message
    assert "\033" not in message
    assert message.startswith("git ls-remote failed: cannot use https://example.org/x?")


async def test_a_command_that_takes_too_long_is_killed_with_its_helpers(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    git = by_ssh(tmp_path, f"echo $$ > {pid_file}; exec sleep 600")
    with pytest.raises(GitError, match="stopped after 1 s"):
        await git.run("ls-remote", "ssh://example.org/a", timeout_s=1.0)
    await gone(int(pid_file.read_text()))


async def test_a_cancelled_command_is_killed_with_its_helpers(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    git = by_ssh(
        tmp_path, f"echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 600"
    )
    task = asyncio.create_task(git.run("ls-remote", "ssh://example.org/a"))
    await asyncio.to_thread(appears, pid_file)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(int(pid_file.read_text()))


def appears(path: Path) -> None:
    while not path.exists():
        os.sched_yield()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


async def gone(pid: int) -> None:
    for _ in range(500):
        if not alive(pid):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{pid} is still alive")


async def test_input_and_output_may_be_large_and_binary(tmp_path: Path) -> None:
    git = Git((f"--git-dir={tmp_path / 'g'}",))
    await git.run("init", "-q", "--bare")
    data = bytes(range(256)) * 20_000
    oid = await git.line("hash-object", "-w", "--stdin", stdin=data)
    assert await git.run("cat-file", "blob", oid) == data
