"""Plants what an escape could reach, and runs every attempt in one command of a real sandbox."""

from __future__ import annotations

import asyncio
import ctypes
import dataclasses
import json
import os
import secrets
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.base import Limits, Mount, Sandbox, Session, Spec
from pipeline.sandbox.bubblewrap import Bubblewrap
from pipeline.sandbox.landlock import Landlock
from pipeline.sandbox.select import strongest
from pipeline.sandbox.selftest import anybodys_python, planted

ROWS = Path(__file__).with_name("rows.py")
BASE = Path(sys.base_prefix).resolve()
BACKENDS = {"strong": Bubblewrap, "degraded": Landlock}
DAEMON = "setsid sh -c '(exec 9>lock; flock 9; touch up; exec sleep 300) >&- 2>&- &' & "
DAEMON += "until test -e up; do sleep 0.01; done; ln -s $1 leak"


async def report(sandbox: Sandbox) -> dict[str, Any]:
    """What came of each row: "worked" or how it failed; and what the probe says."""
    secret = secrets.token_hex(16)
    with ExitStack() as cleanup:
        place = _place(cleanup, secret)
        key, tree = place / "key", place / "tree"
        shown = _shown(cleanup)
        facts = {"log": str(place / "log"), "shm": _segment(cleanup), "names": _names()}
        facts |= {"shown": str(shown)}
        spec = Spec(tree, (*_mounts(), Mount(shown)), limits=Limits(wall_s=60))
        session = await sandbox.open(spec)
        try:
            async with planted(secret, key) as (more, received):
                rows = await _rows(session, {**facts, **more})
                rows["UDP to the host's loopback"] = "worked" if received() else "not there"
                if await asyncio.to_thread(_lives, more["pid"]):
                    rows["signal another process by a file"] = "held"
            rows |= await _aftermath(session, tree, key, secret)
        finally:
            await session.close()
        rows["write outside"] = rows["write outside"] if key.read_text() == secret else "worked"
    return {"caps": dataclasses.asdict(await sandbox.probe()), "rows": rows, "uid": os.getuid()}


def _place(cleanup: ExitStack, secret: str) -> Path:
    """A directory that every user may enter, with a key, a socket for datagrams and a tree."""
    place = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="acp-rows-")))
    log = cleanup.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    log.bind(str(place / "log"))
    (place / "key").write_text(secret)
    (place / "tree").mkdir()
    for name, mode in (("", 0o755), ("key", 0o666), ("log", 0o666)):
        (place / name).chmod(mode)
    return place


def _shown(cleanup: ExitStack) -> Path:
    """A file that every user may write, elsewhere: what it lies in is made up inside."""
    place = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="acp-shown-")))
    shown = place / "shown"
    shown.write_text("shown")
    place.chmod(0o755)
    shown.chmod(0o666)
    return shown


def _names() -> list[str]:
    return sorted(set(os.environ) - {"PATH", "HOME", "LANG", "TMPDIR", "LC_CTYPE"})


def _mounts() -> tuple[Mount, ...]:
    return () if Path("/usr") in (BASE, *BASE.parents) else (Mount(BASE),)


def _segment(cleanup: ExitStack) -> int:
    """A System V segment that every user may read."""
    libc = ctypes.CDLL(None)
    segment = int(libc.shmget(0, 4096, 0o1666))
    cleanup.callback(libc.shmctl, segment, 0, None)
    return segment


def _lives(pid: object) -> bool:
    return ") Z " not in Path(f"/proc/{pid}/stat").read_text()


async def _rows(session: Session, facts: dict[str, Any]) -> dict[str, str]:
    await session.put("rows.py", ROWS.read_bytes())
    argv = [anybodys_python(), "-I", "-S", "-B", "rows.py", json.dumps(facts)]
    done = await session.exec(argv)
    assert done.ok, done.text
    found: dict[str, str] = json.loads(done.text)
    return found


async def _aftermath(session: Session, tree: Path, key: Path, secret: str) -> dict[str, str]:
    """What is the host's to see: a daemon that lives on, and a link that it must not follow."""
    import fcntl

    left = await session.exec(["/bin/sh", "-c", DAEMON, "sh", str(key)])
    assert left.ok, left.text
    with (tree / "lock").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            daemon = "gone"
        except BlockingIOError:
            daemon = "worked"
    read = await session.get("leak", 1000)
    followed = "worked" if secret.encode() in read else "not followed"
    return {"daemon that outlives the command": daemon, "link that the host follows": followed}


async def in_container() -> dict[str, Any]:
    """The degraded report, and which backend is chosen where bubblewrap cannot work."""
    try:
        await Bubblewrap().probe()
        bubblewrap = "works"
    except SandboxUnavailable as error:
        bubblewrap = str(error)
    chosen = await strongest()
    return {**await report(chosen), "bubblewrap": bubblewrap, "chosen": type(chosen).__name__}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(in_container())))
