"""The repository's files, branches and commits through the API."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from bot.adapters.github.forge_api import RepoApi
from bot.adapters.github.http import Refusal
from bot.domain.forge import FileChange, PushRefused
from bot.errors import ForgeUnavailable, NotFound

_INLINE_BYTES = 100_000
_WORKFLOWS = ".github/workflows/"
REPLACE = """
mutation($input: UpdateRefsInput!) {
  updateRefs(input: $input) { clientMutationId }
}
"""
_CHAIN = 5  # commits of ours on one branch that are looked through for one made before


class GitData:
    """The verbs of the port that are about content."""

    def __init__(self, api: RepoApi) -> None:
        self._api = api

    async def default_branch(self) -> tuple[str, str]:
        """Name and head sha; the sha is "" while the repository is empty."""
        await self._api.refresh()
        name = self._api.default_branch
        return name, await self.branch_sha(name)

    async def branch_sha(self, branch: str) -> str:
        """The head of a branch, or ""."""
        try:
            data = await self._api.find(f"/git/ref/heads/{quote(branch)}")
        except Refusal as refusal:
            if refusal.status == HTTPStatus.CONFLICT:  # an empty repository
                return ""
            raise
        return str(data["object"]["sha"]) if isinstance(data, dict) else ""

    async def file(self, path: str, ref: str) -> bytes | None:
        """A file's bytes; None for what is missing or no file."""
        query = f"ref={quote(ref, safe='')}" if ref else ""
        data = await self._api.find(f"/contents/{quote(path)}", query)
        if not isinstance(data, dict) or data.get("type") != "file":
            return None
        if data.get("encoding") != "base64":  # larger than 1 MB
            data = await self._api.get(f"/git/blobs/{data['sha']}")
        return base64.b64decode(data["content"])

    async def commit(
        self, ref: tuple[str, str], parent: str, message: str, changes: Sequence[FileChange]
    ) -> str:
        """A commit on top of `parent`, and the branch on it. One made before is found again.

        `ref` is the branch, and the commit of ours there that makes way ("": none does). Author and
        committer stay unsaid: only then does GitHub sign for the App.
        """
        branch, replaced = ref
        tree = await self._tree(parent, changes)
        head = await self.branch_sha(branch)
        made = await self._made_before(head, parent, tree, message)
        if made:
            return made
        if head not in {"", parent, replaced}:
            raise _moved(branch)
        body = {"message": message, "tree": tree, "parents": [parent]}
        sha = str((await self._api.send("POST", "/git/commits", body))["sha"])
        await (self._move if head in {"", parent} else self._replace)(branch, head, sha)
        return sha

    async def _tree(self, parent: str, changes: Sequence[FileChange]) -> str:
        commit = await self._api.find(f"/git/commits/{parent}")
        if commit is None:
            raise NotFound(f"{self._api.name} has no commit {parent} any more")
        base = str(commit["tree"]["sha"])
        if not changes:
            return base
        entries = [await self._entry(change) for change in changes]
        body = {"base_tree": base, "tree": entries}
        try:
            return str((await self._api.send("POST", "/git/trees", body))["sha"])
        except Refusal as refusal:
            if not any(change.path.startswith(_WORKFLOWS) for change in changes):
                raise
            raise PushRefused(
                f"the change touches a workflow, which the App may not write ({refusal.status})",
                reason="workflow",
            ) from None

    async def _entry(self, change: FileChange) -> Mapping[str, Any]:
        entry = {"path": change.path, "mode": f"{change.mode:06o}", "type": "blob"}
        if change.data is None:
            return entry | {"sha": None}
        text = _text(change.data)
        if text is not None:
            return entry | {"content": text}
        body = {"content": base64.b64encode(change.data).decode(), "encoding": "base64"}
        return entry | {"sha": (await self._api.send("POST", "/git/blobs", body))["sha"]}

    async def _made_before(self, head: str, parent: str, tree: str, message: str) -> str:
        """A commit of this parent, tree and message at or shortly below the head, or ""."""
        for _ in range(_CHAIN):
            if head in {"", parent}:
                return ""
            commit = await self._api.get(f"/git/commits/{head}")
            parents = [item["sha"] for item in commit["parents"]]
            known = (commit["tree"]["sha"], commit["message"].strip())
            if parents == [parent] and known == (tree, message.strip()):
                return head
            head = parents[0] if len(parents) == 1 else ""
        return ""

    async def _move(self, branch: str, old: str, new: str) -> None:
        """Create the branch, or move it forward. A lost answer is looked up, a race is refused."""
        try:
            if old:
                path, body = f"/git/refs/heads/{quote(branch)}", {"sha": new, "force": False}
                await self._api.send("PATCH", path, body)
            else:
                await self._api.send(
                    "POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": new}
                )
        except ForgeUnavailable:
            if await self.branch_sha(branch) != new:
                raise
        except Refusal as refusal:
            if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            raise await self._why(branch, old) from None

    async def _replace(self, branch: str, old: str, new: str) -> None:
        """Put the branch elsewhere, if it still is at `old`: REST would overwrite a race."""
        update = {
            "name": f"refs/heads/{branch}",
            "beforeOid": old,
            "afterOid": new,
            "force": True,
        }
        wanted = {"repositoryId": self._api.node_id, "refUpdates": [update]}
        try:
            await self._api.tell(REPLACE, input=wanted)
        except ForgeUnavailable:
            if await self.branch_sha(branch) != new:
                raise
        except Refusal:
            raise await self._why(branch, old) from None

    async def _why(self, branch: str, old: str) -> PushRefused:
        if await self.branch_sha(branch) != old:
            return _moved(branch)
        said = f"cannot commit to {branch}: a rule of {self._api.name} forbids it"
        return PushRefused(said, reason="protected")


def _moved(branch: str) -> PushRefused:
    return PushRefused(
        f"the branch {branch} has commits that are not ours; they were left alone", reason="moved"
    )


def _text(data: bytes) -> str | None:
    """The content as text, where JSON carries it unchanged; None where a blob has to."""
    if len(data) > _INLINE_BYTES or b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
