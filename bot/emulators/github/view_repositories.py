"""Repositories, labels and rights as GitHub's JSON."""

from __future__ import annotations

from bot.emulators.github import view_accounts
from bot.emulators.github.hub import Hub, Json, node
from bot.emulators.github.model import Account, Label, Repository
from bot.emulators.github.world import BASIC, iso

_TEMPLATES = """
archive /{archive_format}{/ref}|assignees /assignees{/user}|blobs /git/blobs{/sha}
branches /branches{/branch}|collaborators /collaborators{/collaborator}
comments /comments{/number}|commits /commits{/sha}|compare /compare/{base}...{head}
contents /contents/{+path}|contributors /contributors|deployments /deployments
downloads /downloads|events /events|forks /forks|git_commits /git/commits{/sha}
git_refs /git/refs{/sha}|git_tags /git/tags{/sha}|hooks /hooks
issue_comment /issues/comments{/number}|issue_events /issues/events{/number}
issues /issues{/number}|keys /keys{/key_id}|labels /labels{/name}|languages /languages
merges /merges|milestones /milestones{/number}
notifications /notifications{?since,all,participating}|pulls /pulls{/number}
releases /releases{/id}|stargazers /stargazers|statuses /statuses/{sha}
subscribers /subscribers|subscription /subscription|tags /tags|teams /teams
trees /git/trees{/sha}
"""
_LINKS = dict(part.split(" ", 1) for part in _TEMPLATES.strip().replace("\n", "|").split("|"))
_ALWAYS = {
    "homepage": None,
    "size": 0,
    "stargazers_count": 0,
    "watchers_count": 0,
    "language": None,
    "has_issues": True,
    "has_projects": True,
    "has_downloads": True,
    "has_wiki": True,
    "has_pages": False,
    "has_discussions": False,
    "mirror_url": None,
    "archived": False,
    "disabled": False,
    "license": None,
    "allow_forking": True,
    "is_template": False,
    "web_commit_signoff_required": False,
    "watchers": 0,
}
_ONE_PERMISSION = {"maintain": "write", "triage": "read"}


def repository(hub: Hub, one: Repository) -> Json:
    """A `repository`, also good as a minimal one."""
    url, page = hub.api(one), hub.web(one)
    owner = hub.world.accounts[one.owner_id]
    open_ones = sum(issue.state == "open" for issue in one.issues.values())
    forks = sum(other.fork_of == one.id for other in hub.world.repositories.values())
    host = hub.url.partition("://")[2]
    return {
        "id": one.id,
        "node_id": node("R", one.id),
        "name": one.name,
        "full_name": hub.world.full_name(one),
        "private": one.private,
        "owner": view_accounts.account(hub, owner),
        "html_url": page,
        "description": one.description,
        "fork": one.fork_of is not None,
        "url": url,
        **{f"{name}_url": url + template for name, template in _LINKS.items()},
        "created_at": iso(one.created_at),
        "updated_at": iso(one.pushed_at),
        "pushed_at": iso(one.pushed_at),
        "git_url": f"git://{host}/{hub.world.full_name(one)}.git",
        "ssh_url": f"git@{host}:{hub.world.full_name(one)}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        "forks_count": forks,
        "open_issues_count": open_ones,
        "visibility": "private" if one.private else "public",
        "forks": forks,
        "open_issues": open_ones,
        "default_branch": one.default_branch,
        "topics": [],
        "custom_properties": {},
        **_ALWAYS,
    }


def repository_whole(hub: Hub, one: Repository, seen_by: Account | None) -> Json:
    """A `full-repository`."""
    data = repository(hub, one) | {
        "temp_clone_token": None,
        "network_count": 0,
        "subscribers_count": 0,
    }
    if seen_by is not None and seen_by.kind != "Bot":
        data["permissions"] = rights(hub.world.role(one, seen_by))
    if one.fork_of is not None:
        parent = hub.world.repositories[one.fork_of]
        data["parent"] = data["source"] = repository(hub, parent)
    return data


def rights(role: str) -> dict[str, bool]:
    """The five flags of a role."""
    level = BASIC.index(role) if role in BASIC else -1
    names = {"pull": 0, "triage": 1, "push": 2, "maintain": 3, "admin": 4}
    return {name: level >= least for name, least in names.items()}


def collaborator(hub: Hub, one: Repository, who: Account) -> Json:
    """A `collaborator`."""
    return view_accounts.account(hub, who) | {
        "permissions": rights(hub.world.role(one, who)),
        "role_name": hub.world.role_name(one, who),
    }


def permission(hub: Hub, one: Repository, who: Account) -> Json:
    """The `repository-collaborator-permission`, which says write for maintain, read for triage."""
    role = hub.world.role(one, who)
    return {
        "permission": _ONE_PERMISSION.get(role, role),
        "user": collaborator(hub, one, who),
        "role_name": hub.world.role_name(one, who),
    }


def label(hub: Hub, one: Repository, it: Label) -> Json:
    """A `label`."""
    return {
        "id": it.id,
        "node_id": node("LA", it.id),
        "url": f"{hub.api(one)}/labels/{it.name.replace(' ', '%20')}",
        "name": it.name,
        "color": it.color,
        "default": False,
        "description": it.description,
    }
