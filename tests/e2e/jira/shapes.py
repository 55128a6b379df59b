"""Everything that Jira sends when a run is asked for, by our emulator and by jira820 alike."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from typing_extensions import override

from bot.domain.policy import Rules
from bot.domain.runs import RunRequest
from bot.emulators.jira.hooks import Hooks
from pipeline.checkpoint import Checkpoint
from pipeline.orchestrator import AgenticCodingPipeline
from pipeline.state import PipelineState
from tests.contract.tracker.jira820_peer import ADMIN, Jira820
from tests.e2e.bot.house import LABEL
from tests.e2e.bot.scripts import BODY as TEXT
from tests.e2e.bot.scripts import TITLE
from tests.e2e.bot.workshop import Workshop
from tests.e2e.jira.house import READY, SECRET, TOKEN, JiraHouse

RULES = ("automation", "jira", "custom", "key")
SHAPES = (*RULES, "status", "label", "born with the label", "comment")
Ending = tuple[str, Sequence[str], int, int]


class Repeating(Workshop):
    """The first run works; later ones of the same task end at once with what it has made."""

    final: Checkpoint | None = None

    @override
    def pipeline(self, request: RunRequest, rules: Rules, usd: float) -> AgenticCodingPipeline:
        made = super().pipeline(request, rules, usd)
        if self.final is None:
            return made
        again: Any = Repeated(made, self.final)
        found: AgenticCodingPipeline = again
        return found


@dataclass(frozen=True, slots=True)
class Repeated:
    """A loop that comes to its known end in one step."""

    like: AgenticCodingPipeline
    final: Checkpoint

    def start(self, task: str, repo: str) -> PipelineState:
        return self.like.start(task, repo)

    async def steps(self, *_: Any, **__: Any) -> AsyncGenerator[Checkpoint, None]:
        yield self.final


def set_up(hooks: Hooks, shape: str) -> None:
    """A rule that sends bodies of that format, or a webhook."""
    by_rule = shape in RULES
    hooks.secret, hooks.token = ("", TOKEN) if by_rule else (SECRET, "")
    hooks.format = shape if by_rule else "key"  # type: ignore[assignment]


class People(Protocol):
    """People before a Jira: `ask` does what makes a delivery of the shape, and names the ticket."""

    def ask(self, shape: str) -> str: ...

    def seen(self, key: str) -> Ending:
        """Status, the heads of our comments, links, attachments."""


class OfTheEmulator(People):
    """Cloud."""

    def __init__(self, house: JiraHouse) -> None:
        self.house, self.jira = house, house.jira

    @override
    def ask(self, shape: str) -> str:
        set_up(self.jira.hooks, shape)
        ticket = self.house.ticket(labels=[LABEL] if shape.startswith("born") else [])
        if shape == "label":
            self.jira.label(ticket, LABEL, self.house.ana)
        elif shape == "comment":
            self.jira.say(ticket, "/acp run", self.house.ana)
        elif shape in RULES or shape == "status":
            self.jira.move(ticket, READY, self.house.ana)
        return ticket.key

    @override
    def seen(self, key: str) -> Ending:
        ticket = self.jira.state.issues[key]
        heads = [said.partition("*: ")[0].split("* in")[0] for said in self.house.said(ticket)]
        return ticket.status, heads, len(ticket.links), len(ticket.uploads)


class OfJira820(People):
    """Data Center; it sends nothing, so bodies are made of what it shows."""

    def __init__(self, jira: Jira820, hooks: Hooks) -> None:
        self.jira, self.hooks = jira, hooks
        self._at = itertools.count(1_795_000_000_000, 1000)
        self._user = jira.store.serializer.user_obj(ADMIN)

    @override
    def ask(self, shape: str) -> str:
        set_up(self.hooks, shape)
        key = self.jira.ticket(TITLE, TEXT, labels=[LABEL] if shape.startswith("born") else [])
        if shape.startswith("born"):
            self._tell("jira:issue_created", key, user=self._user)
        elif shape == "comment":
            said = self.jira.store.add_comment(key, "/acp run", author=ADMIN)
            self._tell("comment_created", key, comment=said)
        else:
            self._change(shape, key)
        return key

    def _change(self, shape: str, key: str) -> None:
        if shape == "label":
            self.jira.label(key, LABEL)
        else:
            self.jira.move(key, READY)
        if shape in RULES:
            self.hooks.rule(self._issue(key), next(self._at) / 1000)
            return
        entry = self._issue(key, "changelog")["changelog"]["histories"][-1]
        changelog = {"id": entry["id"], "items": entry["items"]}
        self._tell("jira:issue_updated", key, user=self._user, changelog=changelog)

    def _tell(self, event: str, key: str, **more: Any) -> None:
        said = {"timestamp": next(self._at), "webhookEvent": event, **more}
        self.hooks.webhook({**said, "issue": self._issue(key)})

    def _issue(self, key: str, expand: str = "") -> dict[str, Any]:
        store = self.jira.store
        shown = store.serializer.issue_res(store.issues[key], self.jira.url, expand=expand)
        return dict(shown)

    @override
    def seen(self, key: str) -> Ending:
        raw: Mapping[str, Any] = self.jira.raw(key)
        ours = [one["body"] for one in raw["comments"] if one["author"] != ADMIN]
        heads = [said.partition("*: ")[0].split("* in")[0] for said in ours]
        return raw["statusName"], heads, len(raw["remotelinks"]), len(raw.get("attachments", ()))
