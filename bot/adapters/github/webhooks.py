"""The door for GitHub's webhooks: checks the signature, and puts the payload into our own words.

Sans I/O. Nobody past this module sees GitHub's JSON. Only the fields that are needed are read;
a payload that lacks one is `Nothing` with the reason, never an error.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from bot.domain import branches, commands
from bot.domain.runs import Actor, FrozenText, Origin, RepositoryId, RunRequest
from bot.domain.store import Delivery, Nothing, Order, Say, Settle, Start, Touch, Withdraw

_PREFIX = "sha256="
_LARGEST_ID = 2**63
_URL_CHARS = 500
_LOGIN_CHARS = 100
_NAME_CHARS = 300
_EVENT_CHARS = 100


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """Who we are: the App's id, and the id and login (`acp[bot]`) of its bot account."""

    app_id: int
    bot_id: int
    bot_login: str


class _Missing(Exception):
    """The payload lacks a field; its argument is the field's name."""


def verify(secrets: Sequence[bytes], body: bytes, signature: str | None) -> bool:
    """Whether one of the secrets signed these bytes (`X-Hub-Signature-256`).

    Two secrets are held while one replaces the other. SHA-1 is never accepted.
    """
    if not signature or not signature.startswith(_PREFIX):
        return False
    given = signature.removeprefix(_PREFIX).encode("utf-8", "replace")
    good = False
    for secret in secrets:
        wanted = hmac.new(secret, body, hashlib.sha256).hexdigest().encode("ascii")
        # No early way out: the time taken says nothing about which secret it was.
        good |= bool(secret) and hmac.compare_digest(wanted, given)
    return good


def read(
    event: str, delivery_id: str, body: bytes, *, app: AppIdentity, label: str
) -> tuple[Delivery, Order]:
    """The delivery for the inbox, and what it asks for. `label` is the one that starts a run."""
    payload = _payload(body)
    action = payload.get("action") if payload else None
    known = f"{event}.{action}" if isinstance(action, str) else event
    digest = hashlib.sha256(body).hexdigest()
    delivery = Delivery("github", _clean(delivery_id), _clean(known)[:_EVENT_CHARS], digest)
    if payload is None:
        return delivery, Nothing("the body is not a JSON object")
    reader = _READERS.get(known) or _READERS.get(event)
    if reader is None:
        return delivery, Nothing(f"{delivery.event} asks for nothing")
    try:
        return delivery, reader(_Payload(payload, app, label))
    except _Missing as field:
        return delivery, Nothing(f"{delivery.event} came without {field}")


def _payload(body: bytes) -> dict[str, Any] | None:
    """The JSON object, also out of a form (content type application/x-www-form-urlencoded)."""
    try:
        text = body.decode("utf-8")
        if text.startswith("payload="):
            text = parse_qs(text, strict_parsing=True, max_num_fields=8)["payload"][0]
        found = json.loads(text)
    except (ValueError, RecursionError, KeyError):
        return None
    return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class _Payload:
    """A payload that is read by path. What is not there raises _Missing."""

    data: dict[str, Any]
    app: AppIdentity
    label: str

    def at(self, path: str) -> Any:
        found: Any = self.data
        for key in path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def text(self, path: str, default: str | None = None) -> str:
        found = self.at(path)
        if isinstance(found, str):
            return _clean(found)
        if default is None:
            raise _Missing(path)
        return default

    def id(self, path: str) -> int:
        found = _id(self.at(path))
        if found is None:
            raise _Missing(path)
        return found

    def actor(self, path: str) -> Actor:
        """An account; a deleted one is "ghost" with id 0, which may do nothing."""
        if not isinstance(self.at(path), dict):
            return Actor(0, "ghost", "User")
        login = self.text(f"{path}.login")[:_LOGIN_CHARS]
        return Actor(self.id(f"{path}.id"), login, self.text(f"{path}.type", "")[:_LOGIN_CHARS])

    def repository(self) -> RepositoryId:
        return RepositoryId(
            id=self.id("repository.id"),
            full_name=self.text("repository.full_name")[:_NAME_CHARS],
            installation_id=self.id("installation.id"),
            default_branch=self.text("repository.default_branch", ""),
            # What is not said to be public is handled as private.
            private=self.at("repository.private") is not False,
        )

    def own(self, *made: str) -> bool:
        """Whether we did it ourselves. `made` are paths of what the event has just made."""
        if self.id("sender.id") == self.app.bot_id:
            return True
        by = (self.at(f"{path}.performed_via_github_app.id") for path in made)
        return any(one is not None and one == self.app.app_id for one in by)

    def request(self, origin: Origin, meaning: str, at: str, hint: str = "") -> RunRequest:
        """The issue as it stands in the payload: this is the task, and is never read again."""
        text = FrozenText(
            title=self.text("issue.title"),
            body=self.text("issue.body", ""),
            author=self.actor("issue.user"),
            hint=hint,
            as_of=self.text("issue.updated_at", ""),
        )
        return RunRequest(
            origin=origin,
            repository=self.repository(),
            issue=self.id("issue.number"),
            text=text,
            requester=self.actor("sender"),
            meaning=meaning,
            at=at,
            comment_id=self.id("comment.id") if origin == "comment" else 0,
            label=self.label if origin == "label" else "",
        )


def _labeled(payload: _Payload) -> Order:
    if payload.text("label.name") != payload.label:
        return Nothing("another label")
    if payload.own():
        return Nothing("our own label")
    if payload.text("issue.state", "open") != "open":
        return Nothing("the issue is closed")
    at = payload.text("issue.updated_at")  # the event itself carries no time
    where = f"{payload.id('repository.id')}:{payload.id('issue.number')}"
    return Start(payload.request("label", f"github:{where}:label:{payload.label}:{at}", at))


def _unlabeled(payload: _Payload) -> Order:
    if payload.text("label.name") != payload.label:
        return Nothing("another label")
    return _cancel(payload, payload.id("issue.number"), "issue")


def _issue_closed(payload: _Payload) -> Order:
    return _cancel(payload, payload.id("issue.number"), "issue")


def _pull_closed(payload: _Payload) -> Order:
    """Ours was closed or merged by somebody: a run that works on it has nowhere to go."""
    branch = payload.text("pull_request.head.ref")
    issue = branches.issue_of(branch)
    ours = payload.id("pull_request.user.id") == payload.app.bot_id
    same = payload.at("pull_request.head.repo.id") == payload.id("repository.id")
    if not ours or not same or not branch.startswith("acp/"):
        return Nothing("not a pull request of ours")
    if issue is None:
        return _settled(payload)  # perhaps it was opened for a ticket: the store knows
    return _cancel(payload, issue, "pull_request")


def _settled(payload: _Payload) -> Order:
    if payload.own():
        return Nothing("our own doing")
    return Settle(
        payload.id("repository.id"),
        payload.id("pull_request.number"),
        payload.text("pull_request.html_url")[:_URL_CHARS],
        payload.text("sender.login")[:_LOGIN_CHARS],
        payload.text("pull_request.updated_at", ""),
        merged=payload.at("pull_request.merged") is True,
    )


def _cancel(payload: _Payload, issue: int, what: str) -> Order:
    if payload.own():
        return Nothing("our own doing")
    login = payload.text("sender.login")[:_LOGIN_CHARS]
    at = payload.text(f"{what}.updated_at", "")
    return Touch("cancel", payload.id("repository.id"), issue, login, at)


def _commented(payload: _Payload) -> Order:
    """A command. Who may give it is not known here: a worker asks before anything happens."""
    if payload.own("comment"):
        return Nothing("our own comment")
    command = commands.parse(payload.text("comment.body"))
    if command is None:
        return Nothing("no command in the comment")
    number, comment = payload.id("issue.number"), payload.id("comment.id")
    at = payload.text("comment.created_at")
    meaning = f"github:{payload.id('repository.id')}:{number}:comment:{comment}"
    on_pull = payload.at("issue.pull_request") is not None
    if command.verb in {"run", "retry"} and not on_pull:
        return Start(payload.request("comment", meaning, at, command.argument))
    return Say(
        verb=command.verb,
        repository=payload.repository(),
        number=number,
        comment_id=comment,
        sender=payload.actor("sender"),
        argument=command.argument,
        meaning=meaning,
        at=at,
        on_pull=on_pull,
    )


def _suspended(payload: _Payload) -> Order:
    return Withdraw(payload.id("installation.id"), None, "the installation was suspended")


def _uninstalled(payload: _Payload) -> Order:
    return Withdraw(payload.id("installation.id"), None, "the App was uninstalled")


def _removed(payload: _Payload) -> Order:
    found = payload.at("repositories_removed")
    ids = tuple(_ids(found)) if isinstance(found, list) else ()
    if not ids:
        raise _Missing("repositories_removed")
    reason = "the repository was taken from the installation"
    return Withdraw(payload.id("installation.id"), ids, reason)


def _ids(repositories: Iterable[Any]) -> Iterable[int]:
    for one in repositories:
        found = _id(one.get("id")) if isinstance(one, dict) else None
        if found is not None:
            yield found


def _id(value: Any) -> int | None:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST_ID
    return value if good else None


def _clean(text: str) -> str:
    """Text that every database takes: no half characters, no NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


_READERS: dict[str, Callable[[_Payload], Order]] = {
    "issues.labeled": _labeled,
    "issues.unlabeled": _unlabeled,
    "issues.closed": _issue_closed,
    "issue_comment.created": _commented,
    "pull_request.closed": _pull_closed,
    "installation.suspend": _suspended,
    "installation.deleted": _uninstalled,
    "installation.unsuspend": lambda _: Nothing("the installation is back"),
    "installation_repositories.removed": _removed,
    "ping": lambda _: Nothing("ping"),
}
