"""The run's branch: which one, its commits, and the push that never overwrites anybody's work."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain import branches
from bot.domain.branches import Choice, Taken
from bot.domain.forge import FileChange, Forge, PushRefused
from bot.domain.messages import pull_request
from bot.domain.messages.report import Report
from bot.services.admit import Admitted
from bot.services.run_book import RunBook
from pipeline.errors import PatchError
from pipeline.workspace.repository import Repository

Json = Mapping[str, Any]
_MOST_NUMBERS = 20


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
        choice = await self.book.once("branch", self._choose)
        branch, expected = str(choice["branch"]), str(choice["expected"])
        with tempfile.TemporaryDirectory(prefix="acp-push-") as scratch:
            async with await Repository.open(
                self.forge.clone_url(),
                base_sha=self.admitted.base_sha,
                scratch=Path(scratch),
                auth_env=await self.forge.clone_env(),
            ) as repository:
                trees = await _trees(repository, report)
                try:
                    shas = await self._commit(repository, report, trees)
                    await self.forge.push(repository.git_dir, shas[-1], branch, expected)
                except PushRefused as refused:
                    if not refused.needs_signature:
                        raise
                    shas = await self._commit_by_api(repository, report, trees, branch)
        test = shas[0] if len(shas) > 1 else ""
        return {"branch": branch, "code": shas[-1], "test": test, "updated": bool(expected)}

    async def _choose(self) -> Json:
        """Written down before the push, so that a second try takes the same branch."""
        title = self.admitted.task.partition("\n")[0]
        wanted = branches.name(self.book.run.request.issue, title)
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

    async def _commit(
        self, repository: Repository, report: Report, trees: Sequence[tuple[str, str]]
    ) -> list[str]:
        """The same run always makes the same commits: its time is the run's, not the clock's."""
        shas: list[str] = []
        for tree, message in self._told(report, trees):
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
        report: Report,
        trees: Sequence[tuple[str, str]],
        branch: str,
    ) -> list[str]:
        """Where a ruleset wants signatures: the forge makes the commits, and signs them."""
        shas: list[str] = []
        before = repository.base_tree
        for tree, message in self._told(report, trees):
            changes: list[FileChange] = []
            for change in await repository.changes(before, tree):
                if gone := change.old_path or (change.path if change.status == "D" else ""):
                    changes.append(FileChange(gone, 0, None))
                if change.status != "D":
                    data = await repository.read(tree, change.path)
                    changes.append(FileChange(change.path, change.new_mode, data))
            parent = shas[-1] if shas else self.admitted.base_sha
            shas.append(await self.forge.commit_by_api(branch, parent, message, changes))
            before = tree
        return shas

    def _told(self, report: Report, trees: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
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
    code = await repository.apply(base, result.code_diff)
    whole = await repository.apply(code, result.tests_diff)
    if not (result.tests_diff and result.code_diff):
        return [(whole, "code")]
    try:
        return [(await repository.apply(base, result.tests_diff), "test"), (whole, "code")]
    except PatchError:
        return [(whole, "code")]  # the test builds on files of the change: they are one step
