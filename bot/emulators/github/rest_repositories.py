"""REST: accounts, repositories, collaborators, contents, commits, branches, labels."""

from __future__ import annotations

import base64
from urllib.parse import quote

from bot.emulators.github import gitdiff, issues, view_accounts, view_git, view_repositories
from bot.emulators.github.gitstore import Commit, Entry
from bot.emulators.github.hub import Json
from bot.emulators.github.process import GitError
from bot.emulators.github.rules import invalid
from bot.emulators.github.wire import NO_CONTENT, Answer, Call, Routes
from bot.emulators.github.world import NotThere, Problem

route = Routes()
_KINDS = {"tree": "dir", "blob": "file", "commit": "submodule"}
_SYMLINK = "120000"


@route("GET /user", "user")
def show_self(call: Call) -> Answer:
    """The account that asks. Raises Problem 403 for Apps."""
    if call.app_id is not None:
        raise Problem(403, "Resource not accessible by integration")
    return Answer(200, view_accounts.public(call.hub, call.account))


@route("GET /users/{username}", "open")
def show_user(call: Call) -> Answer:
    """Any account."""
    found = call.hub.world.account(call.params["username"])
    return Answer(200, view_accounts.public(call.hub, found))


@route("GET /repos/{owner}/{repo}", "metadata:read")
def show_repository(call: Call) -> Answer:
    """One repository."""
    seen_by = call.caller.account
    return Answer(200, view_repositories.repository_whole(call.hub, call.repository, seen_by))


@route("GET /repos/{owner}/{repo}/collaborators", "metadata:read", "write")
def list_collaborators(call: Call) -> Answer:
    """Owner and collaborators."""
    repository, accounts = call.repository, call.hub.world.accounts
    owner = accounts[repository.owner_id]
    people = [accounts[one] for one in repository.collaborators]
    if owner.kind == "User":
        people.insert(0, owner)
    view = view_repositories.collaborator
    return call.listed(people, lambda one: view(call.hub, repository, one))


@route("GET /repos/{owner}/{repo}/collaborators/{username}", "metadata:read", "write")
def is_collaborator(call: Call) -> Answer:
    """204 for a collaborator, else 404."""
    who = call.hub.world.account(call.params["username"])
    if who.id not in {call.repository.owner_id, *call.repository.collaborators}:
        raise NotThere
    return Answer(NO_CONTENT)


@route("GET /repos/{owner}/{repo}/collaborators/{username}/permission", "metadata:read", "write")
def show_permission(call: Call) -> Answer:
    """The permission and role of an account."""
    who = call.hub.world.account(call.params["username"])
    return Answer(200, view_repositories.permission(call.hub, call.repository, who))


def _commit_sha(call: Call, name: str) -> str:
    sha = call.hub.world.store(call.repository).resolve(name)
    if not sha:
        raise Problem(422, f"No commit found for SHA: {name}")
    return sha


@route("GET /repos/{owner}/{repo}/contents", "contents:read")
@route("GET /repos/{owner}/{repo}/contents/{path*}", "contents:read")
def show_contents(call: Call) -> Answer:
    """A file, or the lines of a folder, at `ref` or the default branch."""
    repository, path = call.repository, call.params.get("path", "").strip("/")
    store = call.hub.world.store(repository)
    ref = call.incoming.query.get("ref", repository.default_branch)
    sha = store.resolve(ref.removeprefix("refs/heads/"))
    if not sha:
        raise Problem(404, f"No commit found for the ref {ref}")
    parent, _, name = path.rpartition("/")
    try:
        around = store.tree(sha, parent) if path else []
        found = next((one for one in around if one.path == name), None)
        if path and found is None:
            raise NotThere
        if found is None or found.kind == "tree":
            folder = [_content(call, path, one, ref) for one in store.tree(sha, path)]
            return Answer(200, folder)
    except GitError:
        raise NotThere from None
    data = _content(call, parent, found, ref)
    if found.kind == "blob":
        raw = store.blob(found.sha)
        accept = call.incoming.headers.get("accept", "")
        if "raw" in accept:
            return Answer(200, raw, {"Content-Type": f"{accept.split(',')[0]}; charset=utf-8"})
        data |= {"encoding": "base64", "content": base64.encodebytes(raw).decode()}
    return Answer(200, data)


def _content(call: Call, folder: str, it: Entry, ref: str) -> Json:
    path = f"{folder}/{it.path}" if folder else it.path
    api, web = call.hub.api(call.repository), call.hub.web(call.repository)
    url = f"{api}/contents/{quote(path)}?ref={quote(ref)}"
    page = f"{web}/{'tree' if it.kind == 'tree' else 'blob'}/{quote(ref)}/{quote(path)}"
    git = f"{api}/git/{it.kind}s/{it.sha}"
    kind = "symlink" if it.mode == _SYMLINK else _KINDS[it.kind]
    return {
        "type": kind,
        "size": it.size or 0,
        "name": it.path,
        "path": path,
        "sha": it.sha,
        "url": url,
        "git_url": git,
        "html_url": page,
        "download_url": f"{web}/raw/{quote(ref)}/{quote(path)}" if it.kind == "blob" else None,
        "_links": {"self": url, "git": git, "html": page},
    }


@route("GET /repos/{owner}/{repo}/commits", "contents:read")
def list_commits(call: Call) -> Answer:
    """The history of a branch, newest first."""
    repository, query = call.repository, call.incoming.query
    store = call.hub.world.store(repository)
    sha = store.resolve(query.get("sha", repository.default_branch))
    if not sha:
        raise Problem(409, "Git Repository is empty.")
    found = store.log(sha, path=query.get("path", ""))
    return call.listed(found, lambda one: view_git.commit(call.hub, repository, one))


@route("GET /repos/{owner}/{repo}/commits/{ref*}", "contents:read")
def show_commit(call: Call) -> Answer:
    """One commit with its files."""
    store = call.hub.world.store(call.repository)
    it = store.commit(_commit_sha(call, call.params["ref"]))
    files = gitdiff.files(store, it.parents[0], it.sha) if it.parents else []
    added, removed = sum(f.additions for f in files), sum(f.deletions for f in files)
    view = view_git.commit(call.hub, call.repository, it) | {
        "stats": {"total": added + removed, "additions": added, "deletions": removed},
        "files": [view_git.diff_entry(call.hub, call.repository, f, it.sha) for f in files],
    }
    return Answer(200, view)


@route("GET /repos/{owner}/{repo}/branches", "contents:read")
def list_branches(call: Call) -> Answer:
    """Branches with their heads."""
    repository = call.repository
    refs = call.hub.world.store(repository).refs("refs/heads/")

    def view(item: tuple[str, str]) -> Json:
        name, sha = item[0].removeprefix("refs/heads/"), item[1]
        url = f"{call.hub.api(repository)}/commits/{sha}"
        commit = {"sha": sha, "url": url}
        return {"name": name, "commit": commit, "protected": name in repository.protected}

    return call.listed(list(refs.items()), view)


@route("GET /repos/{owner}/{repo}/branches/{branch*}", "contents:read")
def show_branch(call: Call) -> Answer:
    """One branch."""
    repository, name = call.repository, call.params["branch"]
    store = call.hub.world.store(repository)
    sha = store.refs("refs/heads/").get(f"refs/heads/{name}")
    if sha is None:
        raise Problem(404, "Branch not found")
    url = f"{call.hub.api(repository)}/branches/{name}"
    on = name in repository.protected
    data = {
        "name": name,
        "commit": view_git.commit(call.hub, repository, store.commit(sha)),
        "_links": {"self": url, "html": f"{call.hub.web(repository)}/tree/{name}"},
        "protected": on,
        "protection": {"enabled": on},
        "protection_url": f"{url}/protection",
    }
    return Answer(200, data)


@route("GET /repos/{owner}/{repo}/compare/{basehead*}", "contents:read")
def compare(call: Call) -> Answer:
    """What lies between two revisions, from their merge base on."""
    hub, repository = call.hub, call.repository
    base_name, dots, head_name = call.params["basehead"].partition("...")
    store = hub.world.store(repository)
    base, head = store.resolve(base_name), store.resolve(head_name)
    fork_point = gitdiff.merge_base(store, base, head) if dots and base and head else ""
    if not fork_point:
        raise NotThere
    ahead, behind = gitdiff.distance(store, base, head)
    kinds = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
    commits: list[Commit] = store.log(f"{base}..{head}")[::-1]
    url = f"{hub.api(repository)}/compare/{base_name}...{head_name}"
    page = f"{hub.web(repository)}/compare/{base_name}...{head_name}"
    data = {
        "url": url,
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": view_git.commit(hub, repository, store.commit(base)),
        "merge_base_commit": view_git.commit(hub, repository, store.commit(fork_point)),
        "status": kinds.get((ahead > 0, behind > 0), "diverged"),
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": [view_git.commit(hub, repository, one) for one in commits],
        "files": [
            view_git.diff_entry(hub, repository, one, head)
            for one in gitdiff.files(store, fork_point, head)
        ],
    }
    return Answer(200, data)


@route("GET /repos/{owner}/{repo}/labels", "issues:read|pull_requests:read")
def list_labels(call: Call) -> Answer:
    """The repository's labels."""
    repository = call.repository
    known = list(repository.labels.values())
    return call.listed(known, lambda one: view_repositories.label(call.hub, repository, one))


@route("POST /repos/{owner}/{repo}/labels", "issues:write|pull_requests:write", "triage")
def create_label(call: Call) -> Answer:
    """A new label. Raises Problem 422 if there is one of that name."""
    name, repository = call.need("name", str), call.repository
    if any(known.lower() == name.lower() for known in repository.labels):
        raise invalid("Label", "name", "already_exists")
    color, said = call.get("color", str) or "ededed", call.get("description", str) or ""
    made = issues.add_label(call.hub, repository, name, color, said)
    return Answer(201, view_repositories.label(call.hub, repository, made))


@route("GET /repos/{owner}/{repo}/labels/{name*}", "issues:read|pull_requests:read")
def show_label(call: Call) -> Answer:
    """One label."""
    for known in call.repository.labels.values():
        if known.name.lower() == call.params["name"].lower():
            return Answer(200, view_repositories.label(call.hub, call.repository, known))
    raise NotThere
