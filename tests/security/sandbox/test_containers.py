"""Attempts to outlive a container or its host, and what hosts leave behind on a runner."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest

from pipeline.errors import SandboxError, SandboxUnavailable
from pipeline.sandbox.base import Limits, Mount, Session, Spec
from pipeline.sandbox.container import Container
from pipeline.sandbox.engine import UNTIL, Runner
from pipeline.sandbox.selftest import anybodys_python
from tests.engines import Engine, contained
from tests.security.sandbox import bombs
from tests.security.sandbox.conftest import USER, ordinary_user

ROOT = Path(__file__).parents[3]
HOST = """
import asyncio, sys
from pathlib import Path
from pipeline.sandbox.base import Spec
from pipeline.sandbox.container import Container
from pipeline.sandbox.engine import Runner

async def main():
    session = await Container(Runner(Path(sys.argv[1]), sys.argv[2])).open(Spec(Path(sys.argv[3])))
    script = "setsid sleep 300 & echo ready; sleep 300"
    say = lambda data: print(data.decode(), end="", flush=True)
    await session.exec(["/bin/sh", "-c", script], on_output=say)

asyncio.run(main())
"""
HOLDING_UP = """
import ctypes, errno, os, signal
for number in range(1, 65):
    try: os.kill(1, number)
    except OSError as error: assert error.errno == errno.EINVAL, error
for name in ("mem", "environ", "fd/0"):
    try: print(name, len(os.listdir("/proc/1/fd")) if name == "fd/0" else open(f"/proc/1/{name}"))
    except PermissionError: pass
if ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0: print("traced")
print("still here")
"""


@pytest.fixture(scope="module")
def sandbox(engine: Engine) -> Container:
    return contained(engine)


@pytest.fixture
def tree() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="acp-runner-") as place:
        Path(place).chmod(0o755)
        Path(place, "tree").mkdir()
        yield Path(place, "tree")


@pytest.fixture
async def session(sandbox: Container, tree: Path) -> AsyncIterator[Session]:
    opened = await sandbox.open(Spec(tree, limits=Limits(wall_s=60)))
    yield opened
    await opened.close()


def containers(engine: Engine) -> list[Any]:
    with engine.client() as client:
        found: list[Any] = client.api.containers(all=True)
        return found


async def nobody_is_left(engine: Engine) -> None:
    for _ in range(500):
        if not containers(engine):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"left over: {containers(engine)}")


async def test_a_bomb_ends_with_its_reason_and_leaves_nothing(
    sandbox: Container, engine: Engine
) -> None:
    found = await bombs.explode(sandbox)
    assert found["reasons"] == {name: name.split()[0] for name in bombs.BOMBS}
    assert not found["left"]
    await nobody_is_left(engine)


@contextmanager
def host(engine: Engine, tree: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process like ours, with a command of minutes running in a container."""
    command = [sys.executable, "-c", HOST, str(engine.socket), engine.image, str(tree)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process


async def test_no_container_is_left_when_the_host_is_killed(engine: Engine, tree: Path) -> None:
    with host(engine, tree) as process:
        assert [one["State"] for one in containers(engine)] == ["running"]
        process.kill()
    await nobody_is_left(engine)


async def test_what_a_killed_host_never_started_is_swept_away(
    engine: Engine, sandbox: Container, tree: Path
) -> None:
    with engine.client() as client:
        marks = {"over": int(time.time()) - 1, "ours": int(time.time()) + 600}
        for name, until in marks.items():
            labels = {UNTIL: str(until)}
            client.api.create_container(engine.image, "true", name=name, labels=labels)
        client.api.create_container(engine.image, "true", name="another")
        await (await sandbox.open(Spec(tree))).close()
        try:
            assert {one["Names"][0] for one in containers(engine)} == {"/ours", "/another"}
        finally:
            for name in ("ours", "another"):
                client.api.remove_container(name)


async def test_a_container_ends_by_itself_where_nobody_ends_it(
    engine: Engine, session: Session
) -> None:
    begun = asyncio.Event()
    script = ["/bin/sh", "-c", "echo; sleep 300"]
    running = asyncio.create_task(session.exec(script, on_output=lambda _: begun.set()))
    await begun.wait()
    with engine.client() as client:
        inside = client.api.inspect_container(containers(engine)[0]["Id"])
    assert inside["HostConfig"]["AutoRemove"]
    assert inside["HostConfig"]["SecurityOpt"] == ["no-new-privileges"]
    assert int(inside["Config"]["Labels"][UNTIL]) < time.time() + 200
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_no_command_can_hold_up_the_first_process(session: Session) -> None:
    await session.put("attempt.py", HOLDING_UP.encode())
    done = await session.exec([anybodys_python(), "-I", "-S", "attempt.py"])
    assert done.text == "still here\n"


async def test_every_wall_of_the_engine_stands(engine: Engine, session: Session) -> None:
    script = "cat /proc/self/status; touch /x /usr/x /etc/x 2>&1; ls -A /proc/1/fd 2>&1"
    said = (await session.exec(["/bin/sh", "-c", script])).text
    status = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
    rights = [int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")]
    assert (rights, status["NoNewPrivs"], status["Seccomp_filters"]) == ([0] * 5, "1", "2")
    assert "0" not in status["Uid"].split() + status["Gid"].split()
    assert said.count("Read-only file system") == 3
    assert "Permission denied" in said


async def test_temporary_space_is_bounded_and_programs_run_there(session: Session) -> None:
    script = 'stat -f -c "%b %S" /tmp /dev/shm; cp /bin/echo /tmp/x; /tmp/x runs'
    said = (await session.exec(["/bin/sh", "-c", script])).text.splitlines()
    sizes = [int(blocks) * int(size) for blocks, size in (line.split() for line in said[:2])]
    assert sizes == [1024 << 20, 512 << 20]
    assert said[2] == "runs"


async def test_a_volume_of_the_image_is_no_place_to_write(engine: Engine, tree: Path) -> None:
    with engine.client() as client:
        made = client.api.create_container(engine.image, "true")["Id"]
        client.api.commit(made, "acp-volume", changes="VOLUME /data\nHEALTHCHECK CMD touch /tmp/x")
        client.api.remove_container(made)
    (tree.parent / "tool").write_text("shown")
    shown = Mount(tree.parent / "tool", "/data/deep/tool")
    session = await Container(Runner(engine.socket, "acp-volume")).open(Spec(tree, (shown,)))
    script = "cat /data/deep/tool; touch /data/x || stat -f -c ' %b' /data"
    done = await session.exec(["/bin/sh", "-c", script])
    await session.close()
    assert done.text.startswith("shown"), done.text
    assert done.text.endswith(" 1\n"), done.text


async def test_an_engine_that_cannot_be_used_says_why(engine: Engine, tmp_path: Path) -> None:
    for runner, why in (
        (Runner(tmp_path / "nobody"), "no socket of an engine"),
        (Runner(engine.socket, "no-such-image"), "ACP_RUNNER_IMAGE"),
        (Runner(engine.socket, engine.image, "no-such-runtime"), "no-such-runtime"),
        (Runner(engine.socket, engine.image, shared=(tmp_path,)), "ACP_RUNNER_SHARED"),
    ):
        with pytest.raises(SandboxUnavailable, match=why):
            await Container(runner).probe()


async def test_what_is_not_shared_is_the_images_own(
    engine: Engine, sandbox: Container, tree: Path, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    await sandbox.probe()
    apart = Container(Runner(engine.socket, engine.image, shared=(tree.parent,)))
    apart._found = sandbox._found
    session = await apart.open(Spec(tree, read_only=(Mount(tools),)))
    assert not (await session.exec(["ls", str(tools)])).ok
    await session.close()
    with pytest.raises(SandboxError, match="ACP_RUNNER_SHARED"):
        await apart.open(Spec(tree, read_only=(Mount(tools, "/opt/tools"),)))


ORDINARY = """
import asyncio, sys, tempfile
from pathlib import Path
from pipeline.sandbox.base import Spec
from pipeline.sandbox.container import Container
from pipeline.sandbox.engine import Runner

async def main():
    sandbox = Container(Runner(Path(sys.argv[1]), sys.argv[2]))
    print((await sandbox.probe()).describe())
    with tempfile.TemporaryDirectory() as place:
        session = await sandbox.open(Spec(Path(place)))
        await session.put("file", b"ours")
        print((await session.exec(["/bin/sh", "-c", "echo >> file && stat -c %u file"])).text)
        await session.close()

asyncio.run(main())
"""
SDK = ("docker", "requests", "urllib3", "idna", "certifi", "charset_normalizer")


def test_an_ordinary_user_needs_no_more_than_the_socket(
    engine: Engine, shared: Path, ordinary: None
) -> None:
    site = Path(docker.__file__).parents[1]
    for name in SDK:
        shutil.copytree(site / name, shared / name)
    command = [*ordinary_user(), "-c", ORDINARY, str(engine.socket), engine.image]
    env = {"PYTHONPATH": str(shared), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=False)
    said = ["container (strong: no network, memory held by cgroup)", str(USER)]
    assert done.stdout.split("\n")[:2] == said, done.stderr


@pytest.fixture
def ordinary(engine: Engine) -> Iterator[None]:
    """The socket lets in everybody."""
    before = engine.socket.stat().st_mode
    engine.socket.parent.chmod(0o711)
    engine.socket.chmod(0o666)
    yield
    engine.socket.chmod(before & 0o777)
    engine.socket.parent.chmod(0o700)


def test_where_namespaces_are_forbidden_runs_use_the_runner(engine: Engine, tmp_path: Path) -> None:
    told = {"SOCKET": engine.url, "IMAGE": engine.image, "SHARED": "/"}
    env = {f"ACP_RUNNER_{name}": value for name, value in told.items()}
    env |= {"ACP_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    stock = [sys.executable, str(Path(__file__).with_name("moby.py")), "-"]
    command = [*stock, sys.executable, "-m", "bot", "doctor", "--json"]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, check=False)
    found = json.loads(done.stdout)["areas"]["sandbox"]["findings"]
    said = [finding["said"] for finding in found]
    assert "container (strong: no network, own uid, memory held by cgroup)" in said
    assert "runs use container" in said
