"""What every backend promises about SETUP: the proxy's socket, and directories besides the tree."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import SandboxError
from pipeline.sandbox.base import Spec, Writable
from pipeline.sandbox.selftest import anybodys_python

if TYPE_CHECKING:
    from tests.contract.sandbox.conftest import Opener

PYTHON = anybodys_python()
FETCH = """
import os, urllib.request
names = [n for n in os.environ if n.lower() in ("http_proxy", "https_proxy", "all_proxy")]
assert len(names) == 6, names
print(urllib.request.urlopen("http://registry.example/simple/").read().decode())
"""


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Path]:
    """Answers every request with the line in which it asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).splitlines()[0]
        length = f"Content-Length: {len(asked)}\r\nConnection: close\r\n\r\n".encode()
        writer.write(b"HTTP/1.1 200 OK\r\n" + length + asked)
        await writer.drain()
        writer.close()

    path = tmp_path / "proxy.sock"
    async with await asyncio.start_unix_server(answer, path):
        path.chmod(0o666)
        yield path


async def test_in_setup_every_program_finds_the_proxy(
    opened: Opener, spec: Spec, proxy: Path
) -> None:
    box = await opened(replace(spec, proxy_socket=proxy))
    answers = await asyncio.gather(
        *(box.session.exec([PYTHON, "-I", "-S", "-c", FETCH]) for _ in range(2))
    )
    for answer in answers:
        assert answer.text == "GET http://registry.example/simple/ HTTP/1.1\n"


async def test_in_setup_a_command_ends_as_it_does_in_run(
    opened: Opener, spec: Spec, proxy: Path
) -> None:
    box = await opened(replace(spec, proxy_socket=proxy))
    ended = await asyncio.gather(
        box.sh("echo hello; exit 7"), box.sh("kill -SEGV $$"), box.session.exec(["no-such-program"])
    )
    assert [(one.code, one.signal) for one in ended] == [(7, None), (None, 11), (127, None)]
    assert ended[0].output == b"hello\n"


async def test_a_proxy_that_does_not_listen_is_refused(opened: Opener, spec: Spec) -> None:
    with pytest.raises(SandboxError, match="start the proxy first"):
        await opened(replace(spec, proxy_socket=spec.tree.parent / "nobody.sock"))


async def test_a_directory_besides_the_tree_can_be_written_and_goes_back(
    opened: Opener, spec: Spec
) -> None:
    cache = spec.tree.parent / "cache"
    (cache / "old").mkdir(parents=True)
    before = cache.stat()
    box = await opened(replace(spec, writable=(Writable(cache),)))
    assert (await box.sh(f"echo new > {cache}/old/file && rm -f {cache}/none")).ok
    await box.session.close()
    assert (cache / "old/file").read_text() == "new\n"
    assert (cache / "old/file").stat().st_uid == before.st_uid == cache.stat().st_uid


async def test_a_file_cannot_stand_for_a_directory_to_write(opened: Opener, spec: Spec) -> None:
    file = spec.tree.parent / "file"
    file.write_text("")
    with pytest.raises(SandboxError, match="not a directory"):
        await opened(replace(spec, writable=(Writable(file),)))
