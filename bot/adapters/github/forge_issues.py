"""Issues and their talk: state, comments, labels, reactions."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

from bot.adapters.github.forge_api import RepoApi, actor, once
from bot.adapters.github.forge_text import marked, same
from bot.adapters.github.http import Refusal
from bot.domain.forge import Comment, Permission
from bot.domain.runs import Actor
from bot.errors import NotAllowed

_KNOWN: dict[str, Permission] = {
    "admin": "admin",
    "maintain": "maintain",
    "write": "write",
    "triage": "triage",
    "read": "read",
}


class Issues:
    """The verbs of the port that are about issues, and about who may do what."""

    def __init__(self, api: RepoApi, me: Actor) -> None:
        self._api, self._me = api, me

    async def permission(self, login: str) -> Permission:
        """From `role_name`, or for a custom role from the `permission` that it builds on."""
        data = await self._api.find(f"/collaborators/{quote(login, safe='')}/permission")
        if not isinstance(data, dict):
            return "none"
        base = _KNOWN.get(str(data.get("permission")), "none")
        if base == "none":
            return "none"
        return _KNOWN.get(str(data.get("role_name")), base)

    async def state(self, issue: int) -> tuple[Literal["open", "closed"], frozenset[str]]:
        """State and label names."""
        data = await self._api.get(f"/issues/{issue}")
        labels = (item if isinstance(item, str) else item["name"] for item in data["labels"])
        return ("open" if data["state"] == "open" else "closed"), frozenset(labels)

    async def comments(self, issue: int) -> Sequence[Comment]:
        """Every comment, oldest first."""
        return tuple(map(_comment, await self._api.items(f"/issues/{issue}/comments")))

    async def upsert_comment(self, issue: int, marker: str, body: str, known_id: int) -> int:
        """Edit our comment with `marker`, or make it. A text that stands already is not sent."""
        text = marked(body, marker)

        async def find() -> Comment | None:
            return await self._own(issue, marker, known_id)

        async def make() -> Comment:
            path = f"/issues/{issue}/comments"
            return _comment(await self._api.send("POST", path, {"body": text}))

        comment = await once(find, make)
        if not same(comment.body, text):
            await self._rewrite(comment, text)
        return comment.id

    async def _own(self, issue: int, marker: str, known_id: int) -> Comment | None:
        """Anyone can paste a marker: only what our own account wrote is ours."""
        if known_id:
            data = await self._api.find(f"/issues/comments/{known_id}")
            if data is not None and self._is_ours(comment := _comment(data), marker):
                return comment
        ours = (c for c in await self.comments(issue) if self._is_ours(c, marker))
        return next(ours, None)

    def _is_ours(self, comment: Comment, marker: str) -> bool:
        return comment.author.id == self._me.id and marker in comment.body

    async def _rewrite(self, comment: Comment, text: str) -> None:
        data = await self._api.send("PATCH", f"/issues/comments/{comment.id}", {"body": text})
        # GitHub answers 200 to some texts that it does not store
        if same(_comment(data).body, comment.body):
            raise NotAllowed(
                f"GitHub kept the old text of comment {comment.id} in {self._api.name}; "
                "the new one may be too long"
            )

    async def react(self, issue: int, comment_id: int, content: str) -> None:
        """GitHub itself keeps one reaction of a kind from one account."""
        where = f"/issues/comments/{comment_id}" if comment_id else f"/issues/{issue}"
        await self._api.send("POST", f"{where}/reactions", {"content": content})

    async def label(self, issue: int, add: Sequence[str], remove: Sequence[str]) -> None:
        """Labels that are missing on removal are gone already."""
        if add:
            await self._api.send("POST", f"/issues/{issue}/labels", {"labels": list(add)})
        for name in remove:
            try:
                path = f"/issues/{issue}/labels/{quote(name, safe='')}"
                await self._api.send("DELETE", path)
            except Refusal as refusal:
                if refusal.status != HTTPStatus.NOT_FOUND:
                    raise


def _comment(data: Any) -> Comment:
    made, updated = str(data["created_at"]), str(data.get("updated_at") or "")
    edited = "" if updated == made else updated
    return Comment(data["id"], actor(data.get("user")), data.get("body") or "", made, edited)
