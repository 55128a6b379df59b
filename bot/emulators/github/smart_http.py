"""Git over HTTP: git's own `http-backend` behind GitHub's rules on who may read and push."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from bot.emulators.github import guard, pushes
from bot.emulators.github.events import Actor
from bot.emulators.github.hub import Hub
from bot.emulators.github.model import Repository
from bot.emulators.github.process import GitError
from bot.emulators.github.wire import Answer, Caller, Incoming
from bot.emulators.github.world import NotThere, Problem

PATH = re.compile(
    r"/(?P<full_name>[^/]+/[^/]+?)(?:\.git)?/(?P<service>info/refs|git-upload-pack|git-receive-pack)"
)
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="GitHub"', "Content-Type": "text/plain"}


@dataclass(frozen=True)
class _Visit:
    repository: Repository
    caller: Caller
    service: str
    pushing: bool


def serve(hub: Hub, incoming: Incoming) -> Answer:
    """The answer to a git client."""
    try:
        with hub.world.lock:
            visit = _visit(hub, incoming)
            if isinstance(visit, Answer):
                return visit
        return _push(hub, incoming, visit) if visit.pushing else _run(hub, incoming, visit)
    except Problem as problem:
        headers = _CHALLENGE if problem.status == 401 else {"Content-Type": "text/plain"}  # noqa: PLR2004
        return Answer(problem.status, f"{problem.message}\n".encode(), dict(headers))
    except GitError as error:
        return Answer(500, str(error).encode(), {"Content-Type": "text/plain"})


def _visit(hub: Hub, incoming: Incoming) -> _Visit | Answer:
    found = PATH.fullmatch(incoming.path)
    if found is None:
        raise NotThere
    service = found["service"]
    asked = incoming.query.get("service", "") if service == "info/refs" else service
    if asked not in ("git-upload-pack", "git-receive-pack"):
        raise Problem(403, "Please upgrade your git client.")
    caller = _caller(hub, incoming)
    try:
        repository = hub.world.repository(found["full_name"])
    except NotThere:
        moved = hub.world.moved(found["full_name"])
        if moved is None:
            raise _hidden(caller) from None
        query = f"?service={asked}" if service == "info/refs" else ""
        return Answer(301, None, {"Location": f"{hub.web(moved)}.git/{service}{query}"})
    pushing = asked == "git-receive-pack"
    _authorise(hub, caller, repository, pushing=pushing)
    return _Visit(repository, caller, service, pushing)


def _caller(hub: Hub, incoming: Incoming) -> Caller:
    """Basic authentication only: the name does not matter, the password is a token."""
    scheme, _, credential = incoming.headers.get("authorization", "").partition(" ")
    if not credential:
        return Caller()
    try:
        value = base64.b64decode(credential, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        value = ""
    if scheme.lower() != "basic":
        raise Problem(401, "Invalid username or token.")
    return guard.caller_of(hub.world, value)


def _hidden(caller: Caller) -> Problem:
    return NotThere() if caller.token else Problem(401, "Repository not found.")


def _authorise(hub: Hub, caller: Caller, repository: Repository, *, pushing: bool) -> None:
    if caller.token is None and (pushing or repository.private):
        raise Problem(401, "No anonymous write access.")
    needs = {"contents": "write" if pushing else "read"}
    guard.check(hub.world, caller, repository, needs, "write" if pushing else "")


def _push(hub: Hub, incoming: Incoming, visit: _Visit) -> Answer:
    """Under the lock: pushes come one after another, and events in that order."""
    with hub.world.lock:
        store = hub.world.store(visit.repository)
        before = store.refs()
        answer = _run(hub, incoming, visit)
        account, token = visit.caller.account, visit.caller.token
        if account is not None and token is not None and visit.service != "info/refs":
            held = token.installation_id
            app_id = None if held is None else hub.world.installations[held].app_id
            actor = Actor(account, app_id)
            pushes.refs_changed(hub, visit.repository, actor, before, store.refs())
        return answer


def _run(hub: Hub, incoming: Incoming, visit: _Visit) -> Answer:
    store = hub.world.store(visit.repository)
    out = store.git("http-backend", stdin=incoming.body, env=_environment(hub, incoming, visit))
    head, _, body = out.partition(b"\r\n\r\n")
    headers: dict[str, str] = {}
    status = 200
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() == "status":
            status = int(value.split(" ")[0])
        else:
            headers[name] = value
    return Answer(status, body, headers)


def _environment(hub: Hub, incoming: Incoming, visit: _Visit) -> dict[str, str]:
    repository, token = visit.repository, visit.caller.token
    rights = None if token is None else token.permissions
    workflows = rights is None or rights.get("workflows") == "write"
    account = visit.caller.account
    return {
        "GIT_PROJECT_ROOT": str(hub.world.root.resolve()),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repository.id}.git/{visit.service}",
        "REQUEST_METHOD": incoming.method,
        "QUERY_STRING": "&".join(f"{name}={value}" for name, value in incoming.query.items()),
        "CONTENT_TYPE": incoming.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(incoming.body)),
        "HTTP_CONTENT_ENCODING": incoming.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": incoming.headers.get("git-protocol", ""),
        "REMOTE_USER": "" if account is None else account.login,
        "REMOTE_ADDR": "127.0.0.1",
        "EMULATOR_SIGNATURES": "1" if repository.signatures_required else "",
        "EMULATOR_PROTECTED": " ".join(f"refs/heads/{name}" for name in repository.protected),
        "EMULATOR_WORKFLOWS": "1" if workflows else "",
    }
