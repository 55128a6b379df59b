"""Trackers of every kind, each with a desk at which people do what they do in Jira."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from typing_extensions import override

from bot.adapters.jira.client import JiraSite
from bot.adapters.jira.tracker import JiraTracker
from bot.emulators.jira import JiraEmulator
from tests.contract.tracker.jira820_peer import ADMIN, BOT, PAT, Jira820

CLOUD_TOKEN = "bot@acme.example:api-token-of-the-bot"


class Desk(Protocol):
    """People before a Jira. `ready` is a status, `closed` one that needs a field."""

    tracker: JiraTracker
    naps: list[float]

    def ticket(self, summary: str, description: Any = "", **fields: Any) -> str: ...

    def move(self, key: str, status: str) -> None: ...

    def comment(self, key: str, text: str) -> None: ...

    def bodies(self, key: str) -> list[str]: ...

    def status(self, key: str) -> str: ...

    def links(self, key: str) -> list[Mapping[str, Any]]: ...

    def files(self, key: str) -> list[str]: ...

    def fail(self, *statuses: int) -> None: ...

    def asked(self, what: str) -> int: ...

    def close(self) -> None: ...


class EmulatorDesk(Desk):
    """Before our emulator, as Cloud or as Data Center."""

    def __init__(self, *, cloud: bool) -> None:
        self.jira = JiraEmulator(cloud=cloud)
        self.ana = self.jira.account("Ana", "developers")
        self.jira.account("Bot", token=CLOUD_TOKEN if cloud else PAT)
        email, _, token = CLOUD_TOKEN.partition(":") if cloud else ("", "", PAT)
        self.site = JiraSite(self.jira.url, email, token, "cloud" if cloud else "dc")
        self.naps = []
        self.tracker = JiraTracker(self.site, sleep=self._nap)

    async def _nap(self, seconds: float) -> None:
        self.naps.append(seconds)

    @override
    def ticket(self, summary: str, description: Any = "", **fields: Any) -> str:
        return self.jira.ticket(summary, description, by=self.ana, **fields).key

    @override
    def move(self, key: str, status: str) -> None:
        self.jira.move(self.jira.state.issues[key], status, self.ana)

    @override
    def comment(self, key: str, text: str) -> None:
        self.jira.say(self.jira.state.issues[key], text, self.ana)

    @override
    def bodies(self, key: str) -> list[str]:
        return [str(one.body) for one in self.jira.state.issues[key].notes]

    @override
    def status(self, key: str) -> str:
        return self.jira.state.issues[key].status

    @override
    def links(self, key: str) -> list[Mapping[str, Any]]:
        return [dict(one) for one in self.jira.state.issues[key].links.values()]

    @override
    def files(self, key: str) -> list[str]:
        return [one.data.decode() for one in self.jira.state.issues[key].uploads]

    @override
    def fail(self, *statuses: int) -> None:
        for status in statuses:
            self.jira.break_down(status, retry_after="1" if status == 429 else "")

    @override
    def asked(self, what: str) -> int:
        return sum(what in one for one in self.jira.asked)

    @override
    def close(self) -> None:
        self.jira.close()


class PeerDesk(Desk):
    """Before jira820, where everything that people do is done by `admin`."""

    def __init__(self) -> None:
        self.jira = Jira820()
        self.site = JiraSite(self.jira.url, "", PAT, "dc")
        self.naps = []
        self.tracker = JiraTracker(self.site, sleep=self._nap)

    async def _nap(self, seconds: float) -> None:
        self.naps.append(seconds)

    @override
    def ticket(self, summary: str, description: Any = "", **fields: Any) -> str:
        if "components" in fields:
            fields["components"] = [{"name": name} for name in fields["components"]]
        return self.jira.ticket(summary, description, **fields)

    @override
    def move(self, key: str, status: str) -> None:
        self.jira.move(key, status)

    @override
    def comment(self, key: str, text: str) -> None:
        self.jira.store.add_comment(key, text, author=ADMIN)

    @override
    def bodies(self, key: str) -> list[str]:
        return [one["body"] for one in self.jira.raw(key)["comments"]]

    @override
    def status(self, key: str) -> str:
        return str(self.jira.raw(key)["statusName"])

    @override
    def links(self, key: str) -> list[Mapping[str, Any]]:
        shown = ({"object": one, "globalId": one["globalId"]} for one in self._links(key))
        return list(shown)

    def _links(self, key: str) -> list[dict[str, Any]]:
        return list(self.jira.raw(key)["remotelinks"])

    @override
    def files(self, key: str) -> list[str]:
        store = self.jira.store
        ids = self.jira.raw(key).get("attachments", [])
        return [store.attachments[one]["data"].decode() for one in ids]

    @override
    def fail(self, *statuses: int) -> None:
        self.jira.guard.refusals += statuses

    @override
    def asked(self, what: str) -> int:
        return sum(what in one for one in self.jira.guard.asked)

    @override
    def close(self) -> None:
        self.jira.close()


__all__ = ["ADMIN", "BOT", "Desk", "EmulatorDesk", "PeerDesk"]
