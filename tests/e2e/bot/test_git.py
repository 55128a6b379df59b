"""Repositories as they are found, and as they change under a run; and the run's token."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot.emulators.github import GitHubEmulator
from tests.e2e.bot.house import SHOP, House
from tests.e2e.bot.scripts import FILES, call, mended


def _git(*args: str, at: Path, data: bytes = b"") -> bytes:
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.org")
    command = ["git", *who, *args]
    return subprocess.run(command, cwd=at, input=data, capture_output=True, check=True).stdout


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A work tree with everything that trips tools up."""
    tree = tmp_path / "odd"
    for name, text in FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    (tree / "dos.txt").write_bytes(b"one\r\ntwo\r\n")
    (tree / "link").symlink_to("shop/basket.py")
    (tree / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (tree / "big.bin").write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n"
    )
    (tree / ".gitmodules").write_text(
        '[submodule "lib"]\n\tpath = lib\n\turl = https://example.invalid/lib.git\n'
    )
    (Path(str(tree).encode().decode()) / "caf\udce9.txt").write_bytes(b"latin\n")
    _git("init", "-q", "-b", "trunk", at=tree)
    _git("-c", "filter.lfs.clean=cat", "add", "-A", at=tree)
    _git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},lib", at=tree)
    _git("commit", "-q", "-m", "Everything", at=tree)
    return tree


async def test_32_submodules_large_files_links_and_odd_names_stay_as_they_are(
    github: GitHubEmulator, odd: Path
) -> None:
    house = await House(github, from_directory=odd, default_branch="trunk").open()
    try:
        await house.label(house.issue())
        assert house.runs[0].outcome == "completed"
        changed = github.store(SHOP).git("diff", "--name-status", "trunk", house.pull().head)
        assert [line.split("\t")[0] for line in changed.decode().splitlines()] == ["M", "A"]
        assert house.pull().base == "trunk"
    finally:
        await house.close()


async def test_a_link_that_is_moved_out_of_its_place_is_refused(
    github: GitHubEmulator, odd: Path
) -> None:
    house = await House(github, from_directory=odd, default_branch="trunk").open()
    house.workshop.script = mended(call("run", command="mv link shop/link"), keep=["shop/link"])
    try:
        issue = house.issue()
        await house.label(issue)
        assert house.runs[0].outcome == "failed"
        assert "shop/link" in house.told(issue)[0]
    finally:
        await house.close()


async def test_32_an_empty_repository_is_refused_clearly(github: GitHubEmulator) -> None:
    house = await House(github, files={}).open()
    try:
        issue = house.issue()
        await house.label(issue)
        assert house.runs[0].outcome in {"failed", "refused"}
        (said,) = house.told(issue)
        assert "empty" in said
    finally:
        await house.close()


async def test_26_a_repository_that_is_renamed_during_the_run_gets_its_pull_request(
    house: House,
) -> None:
    house.workshop.meanwhile = lambda: house.github.rename(SHOP, "acme/store")
    await house.label(house.issue())

    assert house.runs[0].outcome == "completed"
    assert house.github.pull("acme/store").title


async def test_28_a_token_that_expires_during_the_run_is_replaced(house: House) -> None:
    house.workshop.meanwhile = lambda: house.github.clock.advance(2 * 3600)
    await house.label(house.issue())

    assert house.runs[0].outcome == "completed"


async def test_30_the_runs_token_is_dead_after_it_also_if_it_failed(house: House) -> None:
    house.allow(max_iterations=1)
    house.github.ruleset(SHOP, protected=["acp/**", "acp/issue-1-totals-leave-out-the-first-price"])
    await house.label(house.issue())

    assert house.runs[0].outcome == "failed"
    asked = [one.operation for one in house.github.exchanges]
    minted = asked.count("POST /app/installations/{installation_id}/access_tokens")
    assert asked.count("DELETE /installation/token") == minted > 0
