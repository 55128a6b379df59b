"""Pull requests: found by their head, made once, updated only where they are ours."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING

from bot.adapters.github.forge_api import GHOST, RepoApi, once
from bot.adapters.github.forge_objects import Objects
from bot.adapters.github.forge_text import fit, same
from bot.adapters.github.http import Refusal
from bot.domain.forge import PullRequest
from bot.domain.runs import Actor
from bot.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from github.NamedUser import NamedUser
    from github.PullRequest import PullRequest as Item
    from github.Repository import Repository

_SEEN = 500  # open pull requests that are searched for a closing keyword, newest first
_CLOSES = r"(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:{places})(?!\d)"


class Pulls:
    """The verbs of the port that are about pull requests."""

    def __init__(self, api: RepoApi, objects: Objects, me: Actor) -> None:
        self._api, self._objects, self._me = api, objects, me

    async def by_head(self, head: str, state: str = "all") -> Sequence[PullRequest]:
        """Pull requests of a branch of this repository, newest first."""

        def work(repository: Repository) -> tuple[PullRequest, ...]:
            return tuple(map(_pull, self._items(repository, head, state)))

        return await self._objects.call(work, safe=True)

    async def closing(self, issue: int) -> Sequence[PullRequest]:
        """Open pull requests whose text says that they close the issue."""
        name, web = re.escape(self._api.name), re.escape(self._api.http.addresses.web)
        places = rf"#{issue}|{name}#{issue}|{web}/{name}/issues/{issue}"
        closes = re.compile(_CLOSES.format(places=places))

        def work(repository: Repository) -> tuple[PullRequest, ...]:
            seen = islice(repository.get_pulls(state="open"), _SEEN)
            return tuple(_pull(item) for item in seen if closes.search(item.body or ""))

        return await self._objects.call(work, safe=True)

    async def upsert(
        self, head: str, base: str, title: str, body: str, *, draft: bool
    ) -> PullRequest:
        """The open pull request of `head`; what people opened themselves is left as it is."""
        text = fit(body)

        async def find() -> PullRequest | None:
            return await self._update(head, base, title, text)

        async def make() -> PullRequest:
            try:
                return await self._create(head, base, title, text, draft=draft)
            except Refusal as refusal:
                if not _says(refusal, "already exists"):
                    raise
            return await self._existing(find)

        return await once(find, make)

    async def _existing(self, find: Callable[[], Awaitable[PullRequest | None]]) -> PullRequest:
        found = await find()
        if found is None:
            raise NotAllowed(
                f"GitHub says that {self._api.name} has this pull request, but does not show it"
            )
        return found

    async def _update(self, head: str, base: str, title: str, body: str) -> PullRequest | None:
        def work(repository: Repository) -> PullRequest | None:
            for item in self._items(repository, head, "open"):
                if _author(item).id == self._me.id:
                    _edit(item, base, title, body)
                return _pull(item)
            return None

        return await self._objects.call(work, safe=True)

    async def _create(
        self, head: str, base: str, title: str, body: str, *, draft: bool
    ) -> PullRequest:
        def work(repository: Repository) -> PullRequest:
            made = repository.create_pull(base, head, title=title, body=body, draft=draft)
            return _pull(made)

        try:
            return await self._objects.call(work, safe=False, writes=True)
        except Refusal as refusal:
            if not (draft and _says(refusal, "draft")):
                raise self._why(refusal, head, base) from None
        return await self._create(head, base, title, body, draft=False)

    def _why(self, refusal: Refusal, head: str, base: str) -> Exception:
        if _says(refusal, "no commits between"):
            return NotAllowed(f"{head} has nothing that {base} lacks in {self._api.name}")
        if _says(refusal, "base invalid"):
            return NotFound(f"{self._api.name} has no branch {base} any more; name another base")
        return refusal

    async def request_reviewers(self, number: int, logins: Sequence[str]) -> None:
        """All at once, or one by one where GitHub refuses some of them."""
        if not logins or await self._requested(number, logins):
            return
        if len(logins) > 1:
            for login in logins:
                await self._requested(number, (login,))

    async def _requested(self, number: int, logins: Sequence[str]) -> bool:
        def work(repository: Repository) -> None:
            repository.get_pull(number).create_review_request(reviewers=list(logins))

        try:
            await self._objects.call(work, safe=True, writes=True)
        except Refusal as refusal:
            if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            return False
        return True

    def _items(self, repository: Repository, head: str, state: str) -> list[Item]:
        """GitHub's filter, and again ours: a redirect may lose the query, and forks have names."""
        label = f"{self._api.owner}:{head}"
        found = repository.get_pulls(state=state, head=label, sort="created", direction="desc")
        return [item for item in found if item.head.label.lower() == label.lower()]


def _edit(item: Item, base: str, title: str, body: str) -> None:
    old = item.body or ""
    if item.title == title and same(old, body) and item.base.ref == base:
        return
    item.edit(title=title, body=body, base=base)
    if not same(old, body) and same(item.body or "", old):
        raise NotAllowed(
            f"GitHub kept the old text of pull request {item.number}; the new one may be too long"
        )


def _pull(item: Item) -> PullRequest:
    return PullRequest(
        number=item.number,
        url=item.html_url,
        state="merged" if item.merged_at else "open" if item.state == "open" else "closed",
        draft=bool(item.draft),
        head=item.head.ref,
        head_sha=item.head.sha,
        base=item.base.ref,
        author=_author(item),
        body=item.body or "",
        head_owner=item.head.label.partition(":")[0],
    )


def _author(item: Item) -> Actor:
    # `raw_data` would fetch every item of a list once more
    user: NamedUser | None = item.user
    return GHOST if user is None else Actor(user.id, user.login, user.type)


def _says(refusal: Refusal, words: str) -> bool:
    return refusal.status == HTTPStatus.UNPROCESSABLE_ENTITY and words in refusal.said.lower()
