"""Whether a run may begin, and on which text: everything that is asked before money is spent."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from bot.domain import commands, money, policy
from bot.domain.forge import MAY_WRITE, Comment, Forge, Permission, PullRequest
from bot.domain.money import DAY
from bot.domain.policy import Cap, Refusal, Rules, Triage, Voice
from bot.domain.repo_config import PATH, WrongConfig, narrow, read
from bot.domain.runs import Actor, Run, RunRequest
from bot.domain.sanitize import Stripped, sanitize, sanitize_title
from bot.domain.store import Spending, Store
from bot.errors import NotFound
from bot.services.jira_admit import UNASKED, TicketsNow, ticket_refusal, ticket_text


@dataclass(frozen=True, slots=True)
class Admitted:
    """The run may begin. `task` is what models read; `digest` its SHA-256, shown to people.

    `stripped` was taken out of it; `voices` are all whose words are in it; `usd` is what the run
    may cost, `iterations` how often it may go round.
    """

    task: str
    digest: str
    base: str
    base_sha: str
    usd: float
    iterations: int
    voices: tuple[Voice, ...]
    stripped: tuple[Stripped, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Admitted:
        """What `to_json` wrote."""
        voices = tuple(Voice(**voice) for voice in raw["voices"])
        stripped = tuple(Stripped(**one) for one in raw["stripped"])
        return cls(**{**raw, "voices": voices, "stripped": stripped})


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """The run does not begin. `why` says it for code, `detail` for the sentence."""

    why: Literal["refused", "closed", "config", "capped", "duplicate", "merged", "triage"]
    detail: Refusal | WrongConfig | Cap | PullRequest | Triage | None


class Admission:
    """Asks the forge, the store and the tracker. `own_id` is the id of our bot account.

    `notes`: what could not be asked before the push, as sentences for the pull request.
    """

    def __init__(
        self, store: Store, rules: Rules, *, own_id: int, tickets: TicketsNow | None = None
    ) -> None:
        self._store = store
        self._rules = rules
        self._own_id = own_id
        self._tickets = tickets
        self.notes: tuple[str, ...] = ()

    async def rules(self, forge: Forge, sha: str = "") -> Rules:
        """The operator's rules, narrowed by the file of the default branch. Raises WrongConfig.

        `sha`: the branch's head, where it is known.
        """
        return await repository_rules(forge, self._rules, sha)

    async def once_more(self, forge: Forge, run: Run) -> Rules | TurnedAway:
        """Before the push: what was asked at the start and may be answered otherwise by now."""
        request = run.request
        try:
            rules = await self.rules(forge)
        except WrongConfig as error:
            return TurnedAway("config", error)
        if request.ticket:
            return await self._ticket(run, rules) or rules
        if await _withdrawn(forge, request):
            return TurnedAway("closed", None)
        login = run.push_by or request.requester.login
        refusal = policy.may_push(login, await forge.permission(login), rules)
        return TurnedAway("refused", refusal) if refusal else rules

    async def decide(self, forge: Forge, run: Run) -> Admitted | TurnedAway:
        """Every question, the cheap and the forbidding ones first; the money is set aside last."""
        request = run.request
        base, base_sha = await forge.default_branch()
        try:
            rules = await self.rules(forge, base_sha)
        except WrongConfig as error:
            return TurnedAway("config", error)
        if turned := await self._refusal(forge, run, rules):
            return turned
        base, base_sha = await _base(forge, request, rules, (base, base_sha))
        since = (datetime.fromisoformat(request.at) - DAY).isoformat()
        counts = await asyncio.to_thread(self._store.counts, request, since)
        if cap := policy.capped(counts, rules):
            return TurnedAway("capped", cap)
        if objection := await self._objection(forge, request):
            return objection
        ticket = request.ticket
        text = ticket_text(ticket) if ticket else await self._text(forge, request)
        usd = await self._allot(run, since, rules)
        if isinstance(usd, TurnedAway):
            return usd
        iterations = rules.max_iterations
        return Admitted(base=base, base_sha=base_sha, usd=usd, iterations=iterations, **text)

    async def _refusal(self, forge: Forge, run: Run, rules: Rules) -> TurnedAway | None:
        request = run.request
        if request.ticket:
            return await self._ticket(run, rules)
        permission = await forge.permission(request.requester.login)
        refusal = policy.may_start(request.requester, permission, rules, own_id=self._own_id)
        if refusal is not None:
            return TurnedAway("refused", refusal)
        return TurnedAway("closed", None) if await _withdrawn(forge, request) else None

    async def _ticket(self, run: Run, rules: Rules) -> TurnedAway | None:
        """The same of a ticket, whose people are not the forge's."""
        if refusal := ticket_refusal(rules):
            return TurnedAway("refused", refusal)
        now = await self._tickets(run) if self._tickets else "unknown"
        self.notes = (UNASKED,) if now == "unknown" else ()
        if now == "not allowed":
            return TurnedAway("refused", Refusal.OUTSIDER)
        return TurnedAway("closed", None) if now == "withdrawn" else None

    async def _allot(self, run: Run, since: str, rules: Rules) -> float | TurnedAway:
        """The run's share of the day's money, which is then its own; or why there is none."""
        seen: list[Spending] = []

        def given(spent: Sequence[Spending]) -> float:
            seen[:] = spent
            return money.share(spent, rules)

        usd = await asyncio.to_thread(self._store.allot, run.id, run.epoch, since, given)
        return usd or TurnedAway("capped", money.used_up(seen, rules))

    async def _objection(self, forge: Forge, request: RunRequest) -> TurnedAway | None:
        """What makes a run useless: it is done already, or cannot be done well."""
        if there := await self._there(forge, request):
            return there
        found = policy.triage(request.text)
        return TurnedAway("triage", found) if found else None

    async def _there(self, forge: Forge, request: RunRequest) -> TurnedAway | None:
        """A pull request that makes this run superfluous, unless another one is asked for."""
        if commands.again(request.text.hint)[0]:
            return None
        closing = () if request.ticket else await forge.pulls(closing=request.issue)
        if other := policy.duplicate(closing, own_id=self._own_id):
            return TurnedAway("duplicate", other)
        merged = await self._merged(forge, request)
        return TurnedAway("merged", merged) if merged else None

    async def _merged(self, forge: Forge, request: RunRequest) -> PullRequest | None:
        """The merged pull request of an earlier run."""
        pushed = await asyncio.to_thread(pushed_before, self._store, request)
        for branch in pushed:
            newest = next(iter(await forge.pulls(head=branch)), None)
            if newest is not None:
                return newest if newest.state == "merged" else None
        return None

    async def _text(self, forge: Forge, request: RunRequest) -> dict[str, Any]:
        """The frozen text and the admitted comments, clean, with all whose words they are."""
        comments = [c for c in await forge.comments(request.issue) if c.id != request.comment_id]
        editors = policy.editors(await forge.edits(request.issue), request.text)
        spoken = (request.text.author, *editors, *(c.author for c in comments))
        known: dict[str, Permission] = {
            login: await forge.permission(login)
            for login in {one.login for one in spoken if one is not None}
        }
        ids = {c.author.id for c in comments if known[c.author.login] in MAY_WRITE}
        taken = policy.admitted(comments, before=request.at, writers=ids, own_id=self._own_id)
        task, stripped = _compose(request, taken)
        voices = [_voice(request.text.author, "text", known)]
        voices += [_voice(one, "edit", known) for one in editors]
        voices += [_voice(comment.author, "comment", known) for comment in taken]
        return {
            "task": task,
            "digest": hashlib.sha256(task.encode("utf-8", "replace")).hexdigest(),
            "voices": tuple(dict.fromkeys(voices)),
            "stripped": stripped,
        }


async def repository_rules(forge: Forge, rules: Rules, sha: str = "") -> Rules:
    """What the operator allows, narrowed by the repository's own file. Raises WrongConfig."""
    data = await forge.file(PATH, sha)
    return rules if data is None else narrow(rules, read(data))


async def _base(
    forge: Forge, request: RunRequest, rules: Rules, default: tuple[str, str]
) -> tuple[str, str]:
    """Branch and commit to start from. Raises NotFound where there is nothing yet."""
    base, sha = default
    if rules.base_branch and rules.base_branch != base:
        base, sha = rules.base_branch, await forge.branch_sha(rules.base_branch)
    if not sha:
        where = request.repository.full_name
        raise NotFound(f"{where} is empty, or has no branch {base!r}: push a first commit to it")
    return base, sha


async def _withdrawn(forge: Forge, request: RunRequest) -> bool:
    """Whether the issue is closed or the label is gone: events come in any order."""
    state, labels = await forge.issue_state(request.issue)
    return state == "closed" or (bool(request.label) and request.label not in labels)


def pushed_before(store: Store, request: RunRequest) -> dict[str, str]:
    """Branch -> the sha that runs of this issue have last pushed there; the newest run first."""
    where = request.repository.id
    pushed: dict[str, str] = {}
    for run in store.runs(repository_id=where, issue=request.issue):
        effect = store.effect(run.id, "push")
        if effect is not None:
            pushed.setdefault(effect["branch"], effect["code"])
    return pushed


def _voice(
    who: Actor | None, said: Literal["text", "edit", "comment"], known: Mapping[str, Permission]
) -> Voice:
    return Voice("", said, "none") if who is None else Voice(who.login, said, known[who.login])


def _compose(request: RunRequest, comments: Sequence[Comment]) -> tuple[str, tuple[Stripped, ...]]:
    title = sanitize_title(request.text.title)
    body = sanitize(request.text.body)
    hint = sanitize(commands.again(request.text.hint)[1])
    said = [sanitize(comment.body) for comment in comments]
    parts = [title.text, body.text]
    parts += [
        f"Comment of @{c.author.login}:\n{s.text}" for c, s in zip(comments, said, strict=True)
    ]
    if hint.text:
        parts.append(f"The request adds:\n{hint.text}")
    stripped = [one for clean in (title, body, hint, *said) for one in clean.stripped]
    return "\n\n".join(part for part in parts if part), tuple(stripped)
