"""What the hostile git tests share: a repository full of traps, and the marker that tells."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pipeline.sandbox.base import Session, Spec
from pipeline.sandbox.none import NoSandbox

ATTRIBUTES = (
    "* filter=evil diff=evil merge=evil\n"
    "*.crlf text eol=crlf\n*.id ident\n*.enc text working-tree-encoding=UTF-16\n"
)
HOOKS = (
    "pre-commit", "post-commit", "post-checkout", "post-index-change", "pre-push", "pre-receive",
    "update", "post-receive", "post-update", "reference-transaction", "fsmonitor-watchman",
    "post-merge", "pre-auto-gc", "post-rewrite", "proc-receive", "push-to-checkout",
)  # fmt: skip
MESSY = {
    "a.crlf": b"one\r\ntwo\n",
    "b.id": b"$Id$\n",
    "c.enc": "ä".encode("latin-1") + b"\n",
    "d.txt": b"plain\n",
    ".gitattributes": ATTRIBUTES.encode(),
}


def run(directory: Path, *args: str, stdin: bytes = b"") -> bytes:
    env = {
        "PATH": os.defpath,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Ann",
        "GIT_AUTHOR_EMAIL": "ann@example.org",
        "GIT_COMMITTER_NAME": "Ann",
        "GIT_COMMITTER_EMAIL": "ann@example.org",
    }
    done = subprocess.run(
        ["git", *args], cwd=directory, env=env, input=stdin, capture_output=True, check=True
    )
    return done.stdout


def config(marker: Path) -> str:
    """Every setting known to us by which a configuration file makes git run a program."""
    evil = f"touch {marker}"
    return f"""
[core]
    fsmonitor = {evil}
    sshCommand = {evil}
    pager = {evil}
    editor = {evil}
    askPass = {evil}
    gitProxy = {evil}
    alternateRefsCommand = {evil}
    hooksPath = {marker.parent}/hooks
[filter "evil"]
    clean = {evil}
    smudge = {evil}
    process = {evil}
    required = true
[diff]
    external = {evil}
[diff "evil"]
    command = {evil}
    textconv = {evil}
[merge "evil"]
    driver = {evil}
[uploadpack]
    packObjectsHook = {evil}
[gpg]
    program = {evil}
[commit]
    gpgSign = true
[credential]
    helper = !{evil}
[protocol "ext"]
    allow = always
[include]
    path = {marker.parent}/more.config
"""


def add_hooks(directory: Path, marker: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name in HOOKS:
        hook = directory / name
        hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
        hook.chmod(0o755)


def ran(marker: Path) -> bool:
    return marker.exists()


def all_files(directory: Path) -> list[str]:
    """Everything below a directory but the objects that the host's git keeps."""
    return sorted(
        str(path) for path in directory.rglob("*") if "objects" not in path.parts and path.is_file()
    )


async def open_plain(root: Path) -> Session:
    return await NoSandbox().open(Spec(tree=root))
