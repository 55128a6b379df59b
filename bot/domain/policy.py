"""Who may do what, how often, and what waits for a person: decisions as pure functions.

Nothing here asks anybody: the callers look permissions up (`Forge.permission`) and hand them in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from bot.domain.forge import MAY_WRITE, Comment, Edit, Permission, PullRequest
from bot.domain.runs import Actor, FrozenText
from bot.domain.store import Counts, Say, Touch
from pipeline.environment.plan import Recipe
from pipeline.state import Reason, Status

HoldMode = Literal["never", "outsiders", "always"]
HOLD_MODES: tuple[HoldMode, ...] = ("never", "outsiders", "always")  # the stricter, the later
CONFIG = ".github/acp.yml"
PROTECTED = (
    ".github/workflows/**",
    ".github/actions/**",
    CONFIG,
    "**/CODEOWNERS",
    "**/.gitmodules",
)
_SHORT_TITLE_WORDS = 3
_SHORT_TITLE_CHARS = 12
_MOST_BOXES = 15
_MOST_CHARS = 30_000
_HEADING = re.compile(r"^ {0,3}#{1,6} .*$|^\*\*[^*\n]*\*\*:?[ \t]*$", re.MULTILINE)
_BOX = re.compile(r"^\s*[-*+] \[([ xX])\]", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator allows; `bot.domain.repo_config.narrow` makes a repository's from it.

    Days are the last 24 hours. `people` are lower-case logins, None for everyone who may write.
    `drafts`: a change without complete evidence may become a draft pull request. `always_draft`:
    so does every other. `max_files` and `max_lines` bound a diff. `recipes` are what the
    repository itself says about the set-up and the tests of its projects. `open_models` are those
    ("vendor:model") that a repository may choose; `models` are the ones it has chosen, by role.
    """

    enabled: bool = True
    hold: HoldMode = "outsiders"
    usd_per_run: float = 3.0
    usd_per_day: float = 20.0
    runs_per_issue: int = 5
    runs_per_day: int = 20
    max_iterations: int = 3
    max_minutes: int = 60
    max_files: int = 100
    max_lines: int = 3000
    drafts: bool = False
    always_draft: bool = False
    bots: frozenset[int] = frozenset()
    people: frozenset[str] | None = None
    protected: tuple[str, ...] = PROTECTED
    reviewers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    base_branch: str = ""
    recipes: tuple[Recipe, ...] = ()
    open_models: frozenset[str] = frozenset()
    models: Mapping[str, str] = field(default_factory=dict)


class Refusal(StrEnum):
    """Why somebody may not command us."""

    OWN = "our own event"
    BOT = "a bot that is not on the list"
    NOBODY = "not a person"
    OUTSIDER = "may not write to the repository"
    NOT_LISTED = "not among the people whom the repository names"
    DISABLED = "the repository has switched us off"


# The others are met with silence: two bots that answer each other never stop.
ANSWERED = frozenset({Refusal.OUTSIDER, Refusal.NOT_LISTED, Refusal.DISABLED})


def may_command(
    sender: Actor, permission: Permission, rules: Rules, *, own_id: int
) -> Refusal | None:
    """Whether `sender` may give us commands at all; None is yes.

    A listed bot needs the permission to write like everybody else. `role_name` and custom roles
    are the adapter's business: `permission` is the real one, of now.
    """
    if sender.id == own_id:
        return Refusal.OWN
    if sender.kind == "Bot" and sender.id not in rules.bots:
        return Refusal.BOT
    if sender.kind not in {"User", "Bot"} or sender.id <= 0:
        return Refusal.NOBODY
    return _may_write(sender.login, permission, rules)


def may_start(
    sender: Actor, permission: Permission, rules: Rules, *, own_id: int
) -> Refusal | None:
    """Whether `sender` may start a run. None is yes."""
    refusal = may_command(sender, permission, rules, own_id=own_id)
    return refusal or (None if rules.enabled else Refusal.DISABLED)


def may_push(login: str, permission: Permission, rules: Rules) -> Refusal | None:
    """The same before the push, of whoever asked for the run or released it. None is yes."""
    return _may_write(login, permission, rules) or (None if rules.enabled else Refusal.DISABLED)


def _may_write(login: str, permission: Permission, rules: Rules) -> Refusal | None:
    if permission not in MAY_WRITE:
        return Refusal.OUTSIDER
    if rules.people is not None and login.lower() not in rules.people:
        return Refusal.NOT_LISTED
    return None


def touch(say: Say, issue: int) -> Touch | None:
    """What a permitted command does to the active run of `issue`, if it does anything."""
    match say.verb:
        case "cancel":
            return Touch("cancel", say.repository.id, issue, say.sender.login, say.at)
        case "push":
            return Touch("push", say.repository.id, issue, say.sender.login, say.at)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Cap:
    """A cap that is reached. `limit` and `used` are runs, or US dollars for "money".

    `frees_at` is when there is room again (ISO 8601 in UTC), "" where that is not known.
    """

    kind: Literal["issue", "repository", "money"]
    limit: float
    used: float
    frees_at: str = ""


def capped(counts: Counts, rules: Rules) -> Cap | None:
    """The first cap that a run breaks. `counts` are of the last 24 hours, and count the run too."""
    if counts.issue > rules.runs_per_issue:
        return Cap("issue", rules.runs_per_issue, counts.issue - 1)
    if counts.repository > rules.runs_per_day:
        return Cap("repository", rules.runs_per_day, counts.repository - 1)
    return None


def duplicate(closing: Sequence[PullRequest], *, own_id: int) -> PullRequest | None:
    """An open pull request of somebody else that already closes the issue; ours are updated."""
    return next((one for one in closing if one.state == "open" and one.author.id != own_id), None)


def pull_kind(
    pull: PullRequest, *, owner: str, own_id: int
) -> Literal["ours", "somebody's", "fork"]:
    """What a pull request is to us. A fork's code is never checked out beside a credential."""
    if pull.head_owner and pull.head_owner.lower() != owner.lower():
        return "fork"
    return "ours" if pull.author.id == own_id else "somebody's"


@dataclass(frozen=True, slots=True)
class NeedsInformation:
    """The issue does not say enough. `missing` are things that the author should add."""

    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The issue is more than one change. `why` is half a sentence."""

    why: str


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """There is nothing left to do. `why` is half a sentence."""

    why: str


Triage = NeedsInformation | TooLarge | NothingToDo


def triage(text: FrozenText) -> Triage | None:
    """What speaks against starting, as far as it shows without a model; None is nothing."""
    body = _COMMENT.sub("", text.body)
    boxes = _BOX.findall(body)
    if boxes.count(" ") > _MOST_BOXES:
        return TooLarge(f"it lists {boxes.count(' ')} open points")
    if len(body) > _MOST_CHARS:
        return TooLarge(f"its text has {len(body):,} characters")
    if boxes and " " not in boxes and not text.hint:
        return NothingToDo("every box of the issue is ticked")
    said = _HEADING.sub("", body).strip()
    if not said and not text.hint and _vague(text.title):
        return NeedsInformation(("what happens now", "what should happen instead"))
    return None


def _vague(title: str) -> bool:
    return len(title.split()) < _SHORT_TITLE_WORDS and len(title.strip()) < _SHORT_TITLE_CHARS


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody whose words are part of the task, and what they may do now.

    Without a `login` it is whoever edited the issue, whom the forge does not name.
    """

    login: str
    said: Literal["text", "edit", "comment"]
    permission: Permission


@dataclass(frozen=True, slots=True)
class Hold:
    """The run waits before the push. `voices` may not write; empty: every run waits here."""

    voices: tuple[Voice, ...] = ()


def hold(mode: HoldMode, voices: Sequence[Voice]) -> Hold | None:
    """Whether a proven change waits for a writer's `/acp push`.

    `voices` are the issue's author, whoever edited it, and the authors of admitted comments.
    """
    outsiders = tuple(voice for voice in voices if voice.permission not in MAY_WRITE)
    if mode == "always" or (mode == "outsiders" and outsiders):
        return Hold(outsiders)
    return None


def admitted(
    comments: Sequence[Comment], *, before: str, writers: Collection[int], own_id: int
) -> tuple[Comment, ...]:
    """The comments that belong to the task.

    Those of people who may write, made and last edited before the trigger (`before`, ISO 8601).
    """
    until = datetime.fromisoformat(before)
    return tuple(
        one
        for one in comments
        if one.author.id in writers
        and one.author.id != own_id
        and datetime.fromisoformat(one.edited_at or one.created_at) < until
    )


def editors(edits: Sequence[Edit] | None, text: FrozenText) -> tuple[Actor | None, ...]:
    """Everybody who changed the text before it was frozen; None stands for who is not named.

    `edits` None: the forge does not tell, so anybody may have changed it.
    """
    if edits is None:
        return (None,)
    until = datetime.fromisoformat(text.as_of) if text.as_of else None
    there = [one for one in edits if until is None or datetime.fromisoformat(one.at) <= until]
    return tuple(dict.fromkeys(one.editor if one.editor.id > 0 else None for one in there))


def publication(
    status: Status, reason: str, *, changed: bool, kind: str, rules: Rules
) -> Literal["pull request", "draft", "answer"]:
    """What becomes of a finished run. `kind` is the evidence's; `changed`: there is a diff."""
    if not changed or status in {"cancelled", "no_change"}:
        return "answer"
    if status == "completed":
        return "draft" if rules.always_draft or kind == "docs" else "pull request"
    incomplete = reason in {Reason.UNPROVEN, Reason.NOT_VERIFIED}
    return "draft" if incomplete and rules.drafts else "answer"
