"""Who changed an issue's title and body: only GraphQL tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.adapters.github.forge_api import GHOST, RepoApi
from bot.domain.forge import Edit
from bot.domain.runs import Actor

_MOST = 100
DOCUMENT = """
query($owner: String!, $name: String!, $number: Int!, $most: Int!) {
  repository(owner: $owner, name: $name) {
    issue(number: $number) {
      userContentEdits(first: $most) {
        nodes { editedAt editor { ...who } }
        pageInfo { hasNextPage }
      }
      timelineItems(first: $most, itemTypes: [RENAMED_TITLE_EVENT]) {
        nodes { ... on RenamedTitleEvent { createdAt actor { ...who } } }
        pageInfo { hasNextPage }
      }
    }
  }
}
fragment who on Actor {
  __typename
  login
  ... on Bot { databaseId }
  ... on Mannequin { databaseId }
  ... on Organization { databaseId }
  ... on User { databaseId }
}
"""


async def edits(api: RepoApi, issue: int) -> Sequence[Edit] | None:
    """Every change of title and body; None where there are more than one answer holds.

    Raises Refusal and Transient.
    """
    owner, _, name = api.name.partition("/")
    data = await api.ask(DOCUMENT, owner=owner, name=name, number=issue, most=_MOST)
    found = (data.get("repository") or {}).get("issue") or {}
    bodies, titles = found.get("userContentEdits"), found.get("timelineItems")
    if not (bodies and titles) or any(_more(one) for one in (bodies, titles)):
        return None
    changed = [Edit(_actor(one.get("editor")), str(one["editedAt"])) for one in _nodes(bodies)]
    changed += [Edit(_actor(one.get("actor")), str(one["createdAt"])) for one in _nodes(titles)]
    return changed


def _more(connection: Mapping[str, Any]) -> bool:
    return bool(connection["pageInfo"]["hasNextPage"])


def _nodes(connection: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in connection.get("nodes") or () if one]


def _actor(data: Any) -> Actor:
    """An account as REST names it, where a bot's login has a suffix: `renovate` is a person."""
    if not isinstance(data, Mapping):
        return GHOST
    kind, login = str(data["__typename"]), str(data["login"])
    if kind == "Bot":
        login = f"{login.removesuffix('[bot]')}[bot]"
    return Actor(int(data.get("databaseId") or 0), login, kind)
