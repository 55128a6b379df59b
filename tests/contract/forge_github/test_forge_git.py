"""Branches and pushes: real git, through the emulator's http-backend."""

import base64
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.github.forge import GitHubForge
from bot.domain.forge import PushRefused
from bot.errors import ForgeUnavailable, NotAllowed
from pipeline.workspace.repository import Repository

SHOP = "acme/shop"
BRANCH = "acp/issue-7-totals"


async def test_the_default_branch_and_its_head_are_read(scene: Any, forge: GitHubForge) -> None:
    assert await forge.default_branch() == ("main", scene.github.head(SHOP))


async def test_32_an_empty_repository_has_no_head(scene: Any, forge: GitHubForge) -> None:
    empty = scene.github.repository("acme/empty", default_branch="trunk")
    scene.github.choose(scene.installation, [SHOP, "acme/empty"])
    other = await scene.app.forge(scene.named(empty.id, "acme/empty"))
    scene.forges.append(other)
    assert await other.default_branch() == ("trunk", "")


async def test_files_are_read_from_the_default_branch_or_another(
    scene: Any, forge: GitHubForge
) -> None:
    scene.github.commit(SHOP, "x/y", ".github/acp.yml", "größe: 1\n", by="ann")
    assert await forge.file("shop/totals.py") == b"TOTAL = 1\n"
    assert await forge.file(".github/acp.yml") is None
    assert await forge.file(".github/acp.yml", "x/y") == "größe: 1\n".encode()
    assert await forge.file("shop") is None


async def test_a_private_repository_is_cloned_with_the_token(
    scene: Any, forge: GitHubForge, clone: Any
) -> None:
    assert clone.repository.base_sha == scene.github.head(SHOP)


async def test_a_new_branch_is_pushed(scene: Any, forge: GitHubForge, clone: Any) -> None:
    commit = await clone.commit("new.py", b"x = 1\n")
    await forge.push(clone.git_dir, commit, BRANCH, "")
    assert await forge.branch_sha(BRANCH) == commit == scene.github.head(SHOP, BRANCH)
    await forge.push(clone.git_dir, commit, BRANCH, "")


async def test_our_own_branch_is_replaced_under_its_lease(
    scene: Any, forge: GitHubForge, clone: Any
) -> None:
    first, second = await clone.commit("a.py", b"1"), await clone.commit("b.py", b"2")
    await forge.push(clone.git_dir, first, BRANCH, "")
    await forge.push(clone.git_dir, second, BRANCH, first)
    assert scene.github.head(SHOP, BRANCH) == second


@pytest.mark.parametrize("expected", ["", "ours"])
async def test_41_what_a_person_pushed_is_never_overwritten(
    scene: Any, forge: GitHubForge, clone: Any, expected: str
) -> None:
    ours = await clone.commit("a.py", b"1")
    await forge.push(clone.git_dir, ours, BRANCH, "")
    theirs = scene.github.commit(SHOP, BRANCH, "mine.py", "y = 2\n", by="ann")
    again = await clone.commit("b.py", b"2")
    with pytest.raises(PushRefused, match="not ours; they were left alone") as caught:
        await forge.push(clone.git_dir, again, BRANCH, ours if expected else "")
    assert caught.value.reason == "moved"
    assert scene.github.head(SHOP, BRANCH) == theirs


async def test_a_push_whose_answer_was_lost_is_done(
    scene: Any, forge: GitHubForge, clone: Any
) -> None:
    commit = await clone.commit("a.py", b"1")
    scene.github.faults.add("POST", "/acme/shop.git/git-receive-pack", "502-after")
    await forge.push(clone.git_dir, commit, BRANCH, "")
    assert scene.github.head(SHOP, BRANCH) == commit


async def test_a_push_that_did_not_arrive_is_told(
    scene: Any, forge: GitHubForge, clone: Any
) -> None:
    commit = await clone.commit("a.py", b"1")
    scene.github.faults.add("POST", "/acme/shop.git/git-receive-pack", "502-before")
    with pytest.raises(ForgeUnavailable):
        await forge.push(clone.git_dir, commit, BRANCH, "")
    await forge.push(clone.git_dir, commit, BRANCH, "")


async def test_28_a_token_that_expired_on_the_way_is_replaced_for_the_push(
    scene: Any, forge: GitHubForge, clone: Any
) -> None:
    commit = await clone.commit("a.py", b"1")
    scene.github._hub.world.tokens.clear()
    await forge.push(clone.git_dir, commit, BRANCH, "")
    assert scene.github.head(SHOP, BRANCH) == commit


async def test_35_unsigned_commits_are_refused_with_their_reason(
    scene: Any, forge: GitHubForge, clone: Any
) -> None:
    scene.github.ruleset(SHOP, signatures=True)
    with pytest.raises(PushRefused, match="signed commits only") as caught:
        await forge.push(clone.git_dir, await clone.commit("a.py", b"1"), BRANCH, "")
    assert caught.value.needs_signature


async def test_a_protected_branch_is_refused(scene: Any, forge: GitHubForge, clone: Any) -> None:
    scene.github.ruleset(SHOP, protected=[BRANCH])
    with pytest.raises(PushRefused, match="a rule of the repository") as caught:
        await forge.push(clone.git_dir, await clone.commit("a.py", b"1"), BRANCH, "")
    assert (caught.value.reason, caught.value.needs_signature) == ("protected", False)


async def test_36_a_workflow_is_refused(scene: Any, forge: GitHubForge, clone: Any) -> None:
    commit = await clone.commit(".github/workflows/ci.yml", b"on: push\n")
    with pytest.raises(PushRefused) as caught:
        await forge.push(clone.git_dir, commit, BRANCH, "")
    assert caught.value.reason == "workflow"


async def test_the_default_branch_is_never_pushed_to(
    scene: Any, forge: GitHubForge, clone: Any
) -> None:
    head = scene.github.head(SHOP)
    with pytest.raises(PushRefused, match="is the default branch"):
        await forge.push(clone.git_dir, await clone.commit("a.py", b"1"), "main", head)
    assert scene.github.head(SHOP) == head


async def test_a_run_without_the_right_to_write_cannot_push(scene: Any, clone: Any) -> None:
    forge = await scene.forge({"metadata": "read", "contents": "read"})
    with pytest.raises(NotAllowed, match="may not write"):
        await forge.push(clone.git_dir, await clone.commit("a.py", b"1"), BRANCH, "")


async def test_26_a_repository_renamed_on_the_way_is_pushed_to_by_its_new_name(
    scene: Any, forge: GitHubForge, clone: Any
) -> None:
    commit = await clone.commit("a.py", b"1")
    scene.github.rename(SHOP, "acme/store")
    await forge.push(clone.git_dir, commit, BRANCH, "")
    assert scene.github.head("acme/store", BRANCH) == commit
    made = await forge.upsert_pull(head=BRANCH, base="main", title="t", body="b", draft=False)
    assert made.number == scene.github.pull("acme/store").number


class Watch:
    """Reads the command line of every process, over and over."""

    def __init__(self) -> None:
        self.seen, self._stop = set[bytes](), threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._stop.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    continue

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


def everything_in(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    watch.start()
    yield watch
    watch.end()


async def test_27_the_token_is_in_no_command_line_file_or_text(
    scene: Any, forge: GitHubForge, watch: Watch, tmp_path: Path
) -> None:
    for service in ("git-upload-pack", "git-receive-pack"):
        scene.github.faults.add("POST", f"/acme/shop.git/{service}", "slow", times=2, seconds=0.5)
    url, env = forge.clone_url(), await forge.clone_env()
    async with await Repository.open(url, scratch=tmp_path, auth_env=env) as repository:
        tree = await repository.write(repository.base_tree, "a.py", b"1")
        commit = await repository.commit(tree, "Add a.py", parent=repository.base_sha)
        await forge.push(str(tmp_path / "git"), commit, BRANCH, "")
        watch.end()
        kept = everything_in(tmp_path)
    token = scene.secrets[0].encode()
    secrets = [token, base64.b64encode(b"x-access-token:" + token)]
    assert any(b"remote-http" in line for line in watch.seen)
    assert any(b"push" in line and BRANCH.encode() in line for line in watch.seen)
    for secret in secrets:
        assert not [line for line in watch.seen if secret in line]
        assert secret not in kept
        assert secret.decode() not in f"{env!r} {url} {vars(forge)!r}"
