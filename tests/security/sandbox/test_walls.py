"""Attempts to see the host, to reach it, to write to it or to gain rights over it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.sandbox.base import Mount
from tests.security.sandbox.conftest import AS_ROOT

if TYPE_CHECKING:
    from tests.security.sandbox.conftest import Cell, Opener

DEVICES = {"core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin"}
DEVICES |= {"stdout", "tty", "urandom", "zero", "console"}


async def test_a_file_of_the_host_cannot_be_read_by_any_name(cell: Cell, outside: Path) -> None:
    for path in (outside, f"/proc/1/root{outside}", f"/proc/self/cwd/..{outside}"):
        assert await cell.refused("open(sys.argv[1]).read()", path) in {"ENOENT", "EACCES"}


async def test_home_directories_and_keys_of_the_host_are_not_there(cell: Cell) -> None:
    listing = await cell.sh("ls / /etc; ls /home /root/.ssh /var /run /sys 2>&1")
    names = set(listing.text.split())
    assert not names & {"shadow", "ssh", "machine-id", "boot", "mnt", "srv", ".ssh"}
    assert listing.text.count("No such file") + listing.text.count("cannot access") >= 4


async def test_no_process_of_the_host_is_in_sight(
    cell: Cell, neighbour: subprocess.Popen[bytes], secret: str
) -> None:
    result = await cell.sh("cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'")
    assert secret not in result.text
    assert await cell.refused("os.kill(int(sys.argv[1]), 9)", neighbour.pid) == "ESRCH"
    attach = (
        "if ctypes.CDLL(None, use_errno=True).ptrace(16, int(sys.argv[1]), 0, 0):\n"
        "    raise OSError(ctypes.get_errno(), 'ptrace')"
    )
    assert await cell.refused(attach, neighbour.pid) == "ESRCH"


async def test_nothing_outside_can_be_written(cell: Cell, outside: Path) -> None:
    for path in ("/x", "/etc/x", "/usr/x", "/usr/bin/x", "/etc/passwd", f"{sys.base_prefix}/x"):
        assert await cell.refused("open(sys.argv[1], 'w')", path) in {"EROFS", "EACCES", "EPERM"}
    assert await cell.refused("open(sys.argv[1], 'w')", outside) == "ENOENT"


async def test_a_hard_link_to_a_file_outside_cannot_be_made(cell: Cell) -> None:
    assert await cell.refused("os.link('/etc/passwd', 'mine')") in {"EXDEV", "EPERM"}
    assert await cell.refused("os.link('/usr/bin/env', 'mine')") in {"EXDEV", "EPERM"}


async def test_the_hosts_loopback_cannot_be_reached(cell: Cell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = "('127.0.0.1', int(sys.argv[1]))"
        port = server.getsockname()[1]
        assert await cell.refused(f"socket.create_connection({address}, 2)", port) == "ECONNREFUSED"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        sent = f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', {address})"
        assert (await cell.python(sent, receiver.getsockname()[1])).ok
        with pytest.raises(BlockingIOError):
            receiver.recv(1)


@pytest.mark.parametrize("address", ["169.254.169.254", "192.0.2.1", "10.0.0.1"])
async def test_no_network_can_be_reached(cell: Cell, address: str) -> None:
    connect = f"socket.create_connection(({address!r}, 80), 2)"
    send = f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ({address!r}, 53))"
    assert await cell.refused(connect) == "ENETUNREACH"
    assert await cell.refused(send) == "ENETUNREACH"


async def test_unix_sockets_of_the_host_cannot_be_reached(cell: Cell, outside: Path) -> None:
    abstract = f"\0acp-test-{os.getpid()}"
    path = str(outside.with_name("socket"))
    for name in (abstract, path):
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(name)
            server.listen()
            connect = f"socket.socket(socket.AF_UNIX).connect({name!r})"
            assert await cell.refused(connect) in {"ECONNREFUSED", "ENOENT"}


async def test_shared_memory_of_the_host_cannot_be_reached(cell: Cell) -> None:
    result = await cell.sh("ls -A /dev/shm; cat /proc/sysvipc/shm | tail -n +2; ls /dev")
    shown = set(result.text.split())
    assert shown <= DEVICES


async def test_there_are_no_privileges_and_none_to_gain(cell: Cell) -> None:
    result = await cell.sh("cat /proc/self/status")
    status = dict(line.split(":\t", 1) for line in result.text.splitlines() if ":\t" in line)
    assert [int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")] == [
        0
    ] * 5
    assert status["NoNewPrivs"] == "1"
    if AS_ROOT:
        assert set(status["Uid"].split()) == set(status["Gid"].split())
        assert "0" not in status["Uid"].split()
        assert not status["Groups"].strip()
    assert await cell.refused("os.setuid(0)") in {"EPERM", "EINVAL"}
    assert await cell.refused("os.setgid(0)") in {"EPERM", "EINVAL"}
    assert await cell.refused("os.setgroups([0])") in {"EPERM", "EINVAL"}


async def test_there_is_no_terminal_to_type_into(cell: Cell) -> None:
    assert await cell.refused("os.open('/dev/tty', os.O_RDWR)") == "ENXIO"


async def test_a_variable_of_the_job_does_not_reach_what_starts_it(opened: Opener) -> None:
    cell = await opened(env={"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": "/workspace/loaded"})
    assert (await cell.sh("true")).ok
    traces = [path.read_text() for path in cell.tree.glob("loaded.*")]
    assert traces
    assert not any("/usr/bin/setpriv" in trace or "prlimit" in trace for trace in traces)


async def test_a_mount_is_read_only_and_seen_from_a_directory_only_we_can_enter(
    opened: Opener, tmp_path: Path
) -> None:
    tools = tmp_path / "closed" / "tools"
    tools.mkdir(parents=True)
    (tools / "file").write_text("shown")
    (tmp_path / "closed").chmod(0o700)
    cell = await opened(read_only=(Mount(tools), Mount(tools / "file", "/opt/deep/file")))
    assert (await cell.sh(f"cat {tools}/file /opt/deep/file")).text == "shownshown"
    for path in (tools / "file", tools / "new", "/opt/deep/file", "/opt/new"):
        assert await cell.refused("open(sys.argv[1], 'w')", path) in {"EROFS", "EACCES"}
    assert (await cell.sh(f"ls {tmp_path}/closed")).text == "tools\n"


async def test_one_session_does_not_see_the_other(opened: Opener, secret: str) -> None:
    first, second = await opened("first"), await opened("second")
    await first.session.put("secret", secret.encode())
    found = await second.sh(f"id -u; ls {first.tree} 2>&1; cat {first.tree}/secret ../first/secret")
    mine = await first.sh("id -u")
    assert secret not in found.text
    if AS_ROOT:
        assert found.text.split()[0] != mine.text.strip()


async def test_what_ordinary_tests_need_works(cell: Cell) -> None:
    program = (
        "import multiprocessing, pwd, tempfile, threading\n"
        "from multiprocessing import shared_memory\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(('localhost', server.getsockname()[1]), 5)\n"
        "socket.socketpair()\n"
        "memory = shared_memory.SharedMemory(create=True, size=1024)\n"
        "memory.close(), memory.unlink()\n"
        "multiprocessing.Lock()\n"
        "threading.Thread(target=print, args=('thread',)).start()\n"
        "tempfile.TemporaryFile().write(b'x')\n"
        "assert pwd.getpwuid(os.getuid()).pw_dir == os.path.expanduser('~') == '/tmp/home'\n"
        "assert os.openpty() and time.tzname\n"
        "assert sys.getfilesystemencoding() == 'utf-8' and socket.gethostbyname('localhost')"
    )
    result = await cell.python(program)
    assert result.ok, result.text
