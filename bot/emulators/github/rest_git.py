"""REST: the Git database: blobs, trees, commits and refs."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlsplit

from bot.emulators.github import pushes, view_git
from bot.emulators.github.gitstore import ZERO, GitStore, Signature
from bot.emulators.github.hub import node
from bot.emulators.github.process import GitError
from bot.emulators.github.rest_issues import actor
from bot.emulators.github.rules import invalid
from bot.emulators.github.wire import NO_CONTENT, Answer, Call, Routes
from bot.emulators.github.world import NotThere, Problem

route = Routes()
_GIT = "/repos/{owner}/{repo}/git"
_WORKFLOWS = ".github/workflows/"


def _store(call: Call) -> GitStore:
    return call.hub.world.store(call.repository)


def _kind(call: Call, sha: str, kind: str) -> str:
    if _store(call).kind(sha) != kind:
        raise NotThere
    return sha


@route(f"POST {_GIT}/blobs", "contents:write")
def create_blob(call: Call) -> Answer:
    """A new blob from text or base64."""
    content, encoding = call.need("content", str), call.get("encoding", str) or "utf-8"
    try:
        data = base64.b64decode(content) if encoding == "base64" else content.encode()
    except binascii.Error:
        raise Problem(422, "content is not valid Base64") from None
    sha = _store(call).write_blob(data)
    url = f"{call.hub.api(call.repository)}/git/blobs/{sha}"
    return Answer(201, {"sha": sha, "url": url}, {"Location": url})


@route(f"GET {_GIT}/blobs/{{file_sha}}", "contents:read")
def show_blob(call: Call) -> Answer:
    """A blob in base64."""
    sha = _kind(call, call.params["file_sha"], "blob")
    raw = _store(call).blob(sha)
    data = {
        "sha": sha,
        "node_id": node("B", sha),
        "size": len(raw),
        "url": f"{call.hub.api(call.repository)}/git/blobs/{sha}",
        "content": base64.encodebytes(raw).decode(),
        "encoding": "base64",
    }
    return Answer(200, data)


@route(f"POST {_GIT}/trees", "contents:write")
def create_tree(call: Call) -> Answer:
    """A tree on top of another; a null sha takes a path out. Raises Problem 422."""
    store, base = _store(call), call.get("base_tree", str) or ""
    lines = []
    for one in call.need("tree", list):
        path, mode = str(one.get("path", "")), str(one.get("mode", "100644"))
        _refuse_workflow(call, path)
        sha = one.get("sha")
        if "content" in one:
            sha = store.write_blob(str(one["content"]).encode())
        elif "sha" not in one or (sha and not store.kind(sha) and mode != "160000"):
            raise Problem(422, "tree.sha is not a valid object")
        lines.append((mode, sha or "", path))
    try:
        made = store.write_tree(base, lines)
    except GitError:
        raise Problem(422, "GitRPC::BadObjectState") from None
    return Answer(201, view_git.tree(call.hub, call.repository, made, store.tree(made)))


def _refuse_workflow(call: Call, path: str) -> None:
    token = call.caller.token
    rights = None if token is None else token.permissions
    if rights is not None and path.startswith(_WORKFLOWS) and rights.get("workflows") != "write":
        raise Problem(403, "Resource not accessible by integration")


@route(f"GET {_GIT}/trees/{{tree_sha}}", "contents:read")
def show_tree(call: Call) -> Answer:
    """A tree by its sha, or by that of a commit or branch."""
    store, name = _store(call), call.params["tree_sha"]
    commit = store.resolve(name)
    sha = store.commit(commit).tree if commit else _kind(call, name, "tree")
    entries = store.tree(sha, recursive="recursive" in call.incoming.query)
    return Answer(200, view_git.tree(call.hub, call.repository, sha, entries))


def _signature(given: Any) -> Signature | None:
    if not isinstance(given, dict):
        return None
    return Signature(given.get("name", ""), given.get("email", ""), given.get("date", ""))


@route(f"POST {_GIT}/commits", "contents:write")
def create_commit(call: Call) -> Answer:
    """A commit; the forge signs those of Apps that name neither author nor committer."""
    store, tree = _store(call), _kind(call, call.need("tree", str), "tree")
    author = _signature(call.get("author", dict))
    committer = _signature(call.get("committer", dict))
    bare = author is None and committer is None
    if author is None:
        host = urlsplit(call.hub.url).hostname
        account = call.account
        email = account.email or f"{account.id}+{account.login}@users.noreply.{host}"
        author = Signature(account.name or account.login, email, "")
        committer = committer or (Signature("GitHub", "noreply@github.com", "") if bare else None)
    parents = [_kind(call, str(sha), "commit") for sha in call.get("parents", list) or []]
    sha = store.write_commit(tree, parents, call.need("message", str), author, committer)
    if bare and call.app_id is not None:
        call.repository.signed.add(sha)
    return Answer(201, view_git.git_commit(call.hub, call.repository, store.commit(sha)))


@route(f"GET {_GIT}/commits/{{commit_sha}}", "contents:read")
def show_commit(call: Call) -> Answer:
    """One commit."""
    sha = _kind(call, call.params["commit_sha"], "commit")
    it = _store(call).commit(sha)
    return Answer(200, view_git.git_commit(call.hub, call.repository, it))


@route(f"GET {_GIT}/matching-refs/{{ref*}}", "contents:read")
def matching_refs(call: Call) -> Answer:
    """Refs that start so."""
    found = _store(call).refs(f"refs/{call.params['ref']}")
    view = view_git.ref
    return call.listed(list(found.items()), lambda one: view(call.hub, call.repository, *one))


@route(f"GET {_GIT}/ref/{{ref*}}", "contents:read")
def show_ref(call: Call) -> Answer:
    """One ref."""
    name = f"refs/{call.params['ref']}"
    sha = _store(call).refs().get(name)
    if sha is None:
        raise NotThere
    kind = _store(call).kind(sha)
    return Answer(200, view_git.ref(call.hub, call.repository, name, sha, kind))


def refuse_by_rules(call: Call, name: str, sha: str) -> None:
    """What the repository's rules say to a branch at this commit. Raises Problem 422."""
    repository = call.repository
    if not name.startswith("refs/heads/"):
        return
    if repository.signatures_required and sha not in repository.signed:
        said = f"Repository rule violations found\n\nCommits must have verified signatures: {sha}"
        raise Problem(422, said)
    if name.removeprefix("refs/heads/") in repository.protected:
        raise Problem(422, "Changes must be made through a pull request.")


@route(f"POST {_GIT}/refs", "contents:write")
def create_ref(call: Call) -> Answer:
    """A new ref. Raises Problem 422 if it is there."""
    name, sha = call.need("ref", str), call.need("sha", str)
    store = _store(call)
    if not name.startswith("refs/") or name.count("/") < 2:  # noqa: PLR2004
        raise Problem(422, "Reference name must start with 'refs/' and have two slashes")
    if store.kind(sha) == "":
        raise Problem(422, "Object does not exist")
    if name in store.refs():
        raise Problem(422, "Reference already exists")
    refuse_by_rules(call, name, sha)
    try:
        pushes.move_ref(call.hub, call.repository, actor(call), name, sha, old=ZERO)
    except GitError:
        raise invalid("Reference", "ref", "invalid") from None
    return Answer(201, view_git.ref(call.hub, call.repository, name, sha, store.kind(sha)))


@route(f"PATCH {_GIT}/refs/{{ref*}}", "contents:write")
def update_ref(call: Call) -> Answer:
    """Move a ref; only forward unless forced. Raises Problem 422."""
    name, sha, store = f"refs/{call.params['ref']}", call.need("sha", str), _store(call)
    old = store.refs().get(name)
    if old is None:
        raise Problem(422, "Reference does not exist")
    if store.kind(sha) == "":
        raise Problem(422, "Object does not exist")
    if not call.get("force", bool) and not store.is_ancestor(old, sha):
        raise Problem(422, "Update is not a fast forward")
    refuse_by_rules(call, name, sha)
    pushes.move_ref(call.hub, call.repository, actor(call), name, sha, old=old)
    return Answer(200, view_git.ref(call.hub, call.repository, name, sha, store.kind(sha)))


@route(f"DELETE {_GIT}/refs/{{ref*}}", "contents:write")
def delete_ref(call: Call) -> Answer:
    """Delete a ref. Raises Problem 422."""
    name = f"refs/{call.params['ref']}"
    if name not in _store(call).refs():
        raise Problem(422, "Reference does not exist")
    pushes.move_ref(call.hub, call.repository, actor(call), name, ZERO)
    return Answer(NO_CONTENT)
