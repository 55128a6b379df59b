"""Set-ups, suites and verdicts in containers of a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.sandbox.container import Container
from tests.engines import Engine, contained
from tests.unit.environment.providing import Machine, written
from tests.unit.verification.judging import CALC, TRUE_FIX, court

ASK = "import urllib.request as u; u.urlopen('https://evil.example/')"
SETUP = (f'python3 -c "{ASK}" 2>/dev/null || true', 'echo made > "$VIRTUAL_ENV/made"')
MAKE = {"Makefile": "test:\n\ttest -f there\n", "there": ""}


@pytest.fixture(scope="module")
def sandbox(engine: Engine) -> Container:
    return contained(engine)


@pytest.fixture
def room(tmp_path: Path) -> Path:
    tmp_path.chmod(0o711)
    return tmp_path


async def test_a_set_up_reaches_our_proxy_alone_and_is_read_only_afterwards(
    sandbox: Container, room: Path
) -> None:
    machine = Machine.offline(sandbox, room)
    base = machine.base(written(room / "make", MAKE), *SETUP)
    environment = await machine.tried(base)
    assert environment.problem == ""
    assert "evil.example:443 (not a registry)" in environment.notes[0]
    assert (await machine.suite(base)).counts == {"passed": 1}
    (made,) = (room / "kept").glob("*/*/env/made")
    said = await machine.command(base, f"cat {made}; echo changed > {made}; env | grep -i proxy")
    assert said.text.startswith("made\n")
    assert "Read-only file system" in said.text
    assert "http" not in said.text


async def test_a_true_fix_is_proven(sandbox: Container, room: Path) -> None:
    async with court(room, CALC, sandbox=sandbox) as it:
        assert (await it.verdict(TRUE_FIX)).passed
