"""Commits, trees, refs and differences as GitHub's JSON."""

from __future__ import annotations

from urllib.parse import quote

from bot.emulators.github import view_accounts
from bot.emulators.github.gitdiff import FileDiff
from bot.emulators.github.gitstore import Commit, Entry, Signature
from bot.emulators.github.hub import Hub, Json, node
from bot.emulators.github.model import Account, Repository


def verification(repository: Repository, sha: str) -> Json:
    """A `verification`: only the forge's own signatures count here."""
    signed = sha in repository.signed
    return {
        "verified": signed,
        "reason": "valid" if signed else "unsigned",
        "signature": "-----BEGIN PGP SIGNATURE-----\n" if signed else None,
        "payload": f"tree of {sha}\n" if signed else None,
        "verified_at": None,
    }


def _who(one: Signature) -> Json:
    return {"name": one.name, "email": one.email, "date": one.date}


def account_of(hub: Hub, who: Signature) -> Account | None:
    """The account behind a commit's e-mail address."""
    for one in hub.world.accounts.values():
        noreply = f"{one.id}+{one.login}@users.noreply."
        if who.email and (who.email == one.email or who.email.startswith(noreply)):
            return one
    return None


def _parents(hub: Hub, repository: Repository, it: Commit, kind: str) -> list[Json]:
    return [
        {
            "sha": sha,
            "url": f"{hub.api(repository)}/{kind}/{sha}",
            "html_url": f"{hub.web(repository)}/commit/{sha}",
        }
        for sha in it.parents
    ]


def commit(hub: Hub, repository: Repository, it: Commit) -> Json:
    """A `commit`."""
    api = hub.api(repository)
    author, committer = account_of(hub, it.author), account_of(hub, it.committer)
    return {
        "sha": it.sha,
        "node_id": node("C", it.sha),
        "commit": {
            "author": _who(it.author),
            "committer": _who(it.committer),
            "message": it.message,
            "tree": {"sha": it.tree, "url": f"{api}/git/trees/{it.tree}"},
            "url": f"{api}/git/commits/{it.sha}",
            "comment_count": 0,
            "verification": verification(repository, it.sha),
        },
        "url": f"{api}/commits/{it.sha}",
        "html_url": f"{hub.web(repository)}/commit/{it.sha}",
        "comments_url": f"{api}/commits/{it.sha}/comments",
        "author": None if author is None else view_accounts.account(hub, author),
        "committer": None if committer is None else view_accounts.account(hub, committer),
        "parents": _parents(hub, repository, it, "commits"),
    }


def git_commit(hub: Hub, repository: Repository, it: Commit) -> Json:
    """A `git-commit`."""
    api = hub.api(repository)
    return {
        "sha": it.sha,
        "node_id": node("C", it.sha),
        "url": f"{api}/git/commits/{it.sha}",
        "html_url": f"{hub.web(repository)}/commit/{it.sha}",
        "author": _who(it.author),
        "committer": _who(it.committer),
        "tree": {"sha": it.tree, "url": f"{api}/git/trees/{it.tree}"},
        "message": it.message,
        "parents": _parents(hub, repository, it, "git/commits"),
        "verification": verification(repository, it.sha),
    }


def tree(hub: Hub, repository: Repository, sha: str, entries: list[Entry]) -> Json:
    """A `git-tree`."""
    api = f"{hub.api(repository)}/git"
    return {
        "sha": sha,
        "url": f"{api}/trees/{sha}",
        "tree": [
            {
                "path": one.path,
                "mode": one.mode,
                "type": one.kind,
                "sha": one.sha,
                "url": f"{api}/{one.kind}s/{one.sha}",
            }
            | ({} if one.size is None else {"size": one.size})
            for one in entries
        ],
        "truncated": False,
    }


def ref(hub: Hub, repository: Repository, name: str, sha: str, kind: str = "commit") -> Json:
    """A `git-ref`; `name` is the full one."""
    api = f"{hub.api(repository)}/git"
    return {
        "ref": name,
        "node_id": node("REF", name),
        "url": f"{api}/{name}",
        "object": {"sha": sha, "type": kind, "url": f"{api}/{kind}s/{sha}"},
    }


def diff_entry(hub: Hub, repository: Repository, it: FileDiff, sha: str) -> Json:
    """A `diff-entry` of a change that ends in the commit `sha`."""
    path = quote(it.path)
    data: Json = {
        "sha": it.sha,
        "filename": it.path,
        "status": it.status,
        "additions": it.additions,
        "deletions": it.deletions,
        "changes": it.additions + it.deletions,
        "blob_url": f"{hub.web(repository)}/blob/{sha}/{path}",
        "raw_url": f"{hub.web(repository)}/raw/{sha}/{path}",
        "contents_url": f"{hub.api(repository)}/contents/{path}?ref={sha}",
    }
    if it.patch is not None:
        data["patch"] = it.patch
    if it.previous:
        data["previous_filename"] = it.previous
    return data
