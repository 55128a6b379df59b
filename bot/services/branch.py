"""The run's branch: which one, its commits, and the push that never overwrites anybody's work."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bot.domain import branches
from bot.domain.branches import Choice, Taken
from bot.domain.forge import FileChange, Forge, PushRefused
from bot.domain.messages import pull_request
from bot.domain.messages.report import Report
from bot.domain.result import Result
from bot.services.admit import Admitted
from bot.services.run_book import RunBook
from pipeline.errors import PatchError
from pipeline.workspace.repository import Repository

Json = Mapping[str, Any]
Told = Sequence[tuple[str, str]]  # a tree, and the message of its commit (or what it is)
_MOST_NUMBERS = 20
_LINK = 0o120000


@dataclass(frozen=True, slots=True)
class Branches:
    """Pushes one run's change. `pushed_before` maps branches to the sha that we last pushed."""

    book: RunBook
    forge: Forge
    admitted: Admitted
    pushed_before: Mapping[str, str]

    async def push(self, report: Report) -> Json:
        """Two commits on the run's branch: the failing test, then the change.

        Returns {branch, code, test, updated}. Raises PushRefused, and NotAllowed where the pull
        request of an earlier run is merged.
        """
        await self.forge.default_branch()  # learns the repository's name, which may have changed
        choice = await self.book.once("branch", self._choose)
        branch, expected = str(choice["branch"]), str(choice["expected"])
        async with self._at(self.admitted.base_sha) as repository:
            told = self._told(report, await _trees(repository, report))
            plain = partial(self._plainly, repository, told, branch, expected)
            shas = (await self.book.once("plain push", plain))["shas"]
            if not shas:
                shas = await self._commit_by_api(repository, told, (branch, expected))
        test = shas[0] if len(shas) > 1 else ""
        return {"branch": branch, "code": shas[-1], "test": test, "updated": bool(expected)}

    async def moved_links(self, result: Result) -> frozenset[str]:
        """Old paths of the symbolic links that the change moves; git's text does not tell them."""
        if "\nrename from " not in result.diff:
            return frozenset()
        async with self._at(self.admitted.base_sha) as repository:
            whole = await _whole(repository, result)
            changes = await repository.changes(repository.base_tree, whole)
        return frozenset(one.old_path for one in changes if one.old_path and one.old_mode == _LINK)

    async def conflicts(self, result: Result) -> bool:
        """Whether the base has moved on to where the change does not apply any more."""
        sha = await self.forge.branch_sha(self.admitted.base)
        if sha in {"", self.admitted.base_sha}:
            return False
        async with self._at(sha) as repository:
            try:
                await _whole(repository, result)
            except PatchError:
                return True
        return False

    @asynccontextmanager
    async def _at(self, sha: str) -> AsyncIterator[Repository]:
        """The repository at a commit, in a directory that no agent has ever seen."""
        with tempfile.TemporaryDirectory(prefix="acp-push-") as scratch:
            async with await Repository.open(
                self.forge.clone_url(),
                base_sha=sha,
                scratch=Path(scratch),
                auth_env=await self.forge.clone_env(),
            ) as repository:
                yield repository

    async def _plainly(
        self, repository: Repository, told: Told, branch: str, expected: str
    ) -> Json:
        """The commits that git has pushed; none where the repository wants them signed."""
        shas = await self._commit(repository, told)
        try:
            await self.forge.push(repository.git_dir, shas[-1], branch, expected)
        except PushRefused as refused:
            if not refused.needs_signature:
                raise
            return {"shas": []}
        return {"shas": shas}

    async def _choose(self) -> Json:
        """Written down before the push, so that a second try takes the same branch."""
        title = self.admitted.task.partition("\n")[0]
        ticket = self.book.run.request.ticket
        wanted = branches.name(ticket.key if ticket else self.book.run.request.issue, title)
        if there := await self._open_already():
            return there
        taken: dict[str, Taken] = {}
        for number in range(1, _MOST_NUMBERS):
            branch = branches.numbered(wanted, number)
            if sha := await self.forge.branch_sha(branch):
                pulls = await self.forge.pulls(head=branch)
                pushed = self.pushed_before.get(branch, "")
                # What a person has added to is theirs now: it is left alone, like a stranger's.
                known = pushed if pushed == sha else ""
                taken[branch] = Taken(sha, known, pulls[0] if pulls else None)
            choice: Choice = branches.choose(wanted, taken, again=True)
            if choice.branch not in taken or taken[choice.branch].pushed:
                return {"branch": choice.branch, "expected": choice.expected}
        raise PushRefused(f"every branch {wanted}-N is taken", reason="moved")

    async def _open_already(self) -> Json | None:
        """The branch of our open pull request, also where the issue's title is another now."""
        for branch, pushed in self.pushed_before.items():
            if await self.forge.branch_sha(branch) != pushed:
                continue
            if any(pull.state == "open" for pull in await self.forge.pulls(head=branch)):
                return {"branch": branch, "expected": pushed}
        return None

    async def _commit(self, repository: Repository, told: Told) -> list[str]:
        """The same run always makes the same commits: its time is the run's, not the clock's."""
        shas: list[str] = []
        for tree, message in told:
            parent = shas[-1] if shas else self.admitted.base_sha
            shas.append(
                await repository.commit(
                    tree,
                    message,
                    parent=parent,
                    author=self.forge.signature(),
                    at=self.book.run.created_at,
                )
            )
        return shas

    async def _commit_by_api(
        self,
        repository: Repository,
        told: Told,
        ref: tuple[str, str],
    ) -> list[str]:
        """Where a ruleset wants signatures: the forge makes the commits, and signs them.

        `ref` is the branch, and what we last pushed there, which makes way.
        """
        shas: list[str] = []
        before = repository.base_tree
        for tree, message in told:
            changes: list[FileChange] = []
            for change in await repository.changes(before, tree):
                if gone := change.old_path or (change.path if change.status == "D" else ""):
                    changes.append(FileChange(gone, 0, None))
                if change.status != "D":
                    data = await repository.read(tree, change.path)
                    changes.append(FileChange(change.path, change.new_mode, data))
            parent = shas[-1] if shas else self.admitted.base_sha
            made = self.forge.commit_by_api(ref[0], parent, message, changes, replaced=ref[1])
            shas.append(await made)
            before = tree
        return shas

    def _told(self, report: Report, trees: Told) -> Told:
        host = self.forge.signature().rpartition("users.noreply.")[2].rstrip(">")
        request = self.book.run.request
        texts = {
            "test": pull_request.test_commit(report),
            "code": pull_request.code_commit(report, request.requester, host),
        }
        return [(tree, texts[what]) for tree, what in trees]


async def _trees(repository: Repository, report: Report) -> list[tuple[str, str]]:
    """(tree, what) of each commit: the test alone, where it stands on the base, then all."""
    result = report.result
    base = repository.base_tree
    whole = await _whole(repository, result)
    if not (result.tests_diff and result.code_diff):
        return [(whole, "code")]
    try:
        return [(await repository.apply(base, result.tests_diff), "test"), (whole, "code")]
    except PatchError:
        return [(whole, "code")]  # the test builds on files of the change: they are one step


async def _whole(repository: Repository, result: Result) -> str:
    """The tree with the change and its tests. Raises PatchError."""
    code = await repository.apply(repository.base_tree, result.code_diff)
    return await repository.apply(code, result.tests_diff)
