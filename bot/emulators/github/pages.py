"""What a person sees: repositories, issues, pull requests and check runs as pages.

Pages ask for no login: whoever reaches the loopback address may look at everything.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from urllib.parse import quote

from bot.emulators.github import gitdiff, manifest
from bot.emulators.github.hub import Hub
from bot.emulators.github.markdown import render
from bot.emulators.github.model import Check, Issue, Reaction, Repository
from bot.emulators.github.page_frame import page
from bot.emulators.github.view_pulls import pull_of
from bot.emulators.github.wire import Answer, Incoming
from bot.emulators.github.world import NotThere, Problem, iso

_THING = re.compile(r"/([^/]+/[^/]+)/(issues|pull|runs)/(\d+)")
_LIST = re.compile(r"/([^/]+/[^/]+?)(?:/(?:issues|pulls))?")
_APP_FORM = re.compile(r"/(?:organizations/([^/]+)/)?settings/apps/new")
_FACES = {
    "+1": "👍", "-1": "👎", "laugh": "😄", "confused": "😕", "heart": "❤️", "hooray": "🎉",
    "rocket": "🚀", "eyes": "👀",
}  # fmt: skip
_MARKS = {"success": ("good", "✓"), "failure": ("bad", "✗"), "": ("mute", "●")}
_text = html.escape


def serve(hub: Hub, incoming: Incoming) -> Answer:
    """The page of a path."""
    try:
        with hub.world.lock:
            return _serve(hub, incoming)
    except Problem as problem:
        return page(f"{problem.status}: {problem.message}", "", problem.status)


def _serve(hub: Hub, incoming: Incoming) -> Answer:
    path = incoming.path.rstrip("/")
    if incoming.method == "POST":
        if path == "/settings/apps/manifest":
            return manifest.agree(hub, incoming)
        if found := _APP_FORM.fullmatch(path):
            owner = found[1] or next((one.login for one in hub.world.accounts.values()), "")
            return manifest.form(hub, incoming, hub.world.account(owner))
        raise NotThere
    if not path:
        return _front(hub)
    if found := _THING.fullmatch(path):
        repository = hub.world.repository(found[1])
        number = int(found[3])
        if found[2] == "runs":
            return _check_page(hub, repository, number)
        return _issue_page(hub, repository, hub.world.issue(repository, number))
    if found := _LIST.fullmatch(path):
        return _repository_page(hub, hub.world.repository(found[1]))
    raise NotThere


def _front(hub: Hub) -> Answer:
    names = sorted(hub.world.full_name(one) for one in hub.world.repositories.values())
    items = "".join(f'<li><a href="/{_text(name)}">{_text(name)}</a></li>' for name in names)
    return page("Repositories", f"<ul>{items}</ul><p class='mute'>The API is at {hub.api_url}</p>")


def _crumbs(hub: Hub, repository: Repository) -> str:
    name = _text(hub.world.full_name(repository))
    return f" / <a href='/'>repositories</a> / <a href='/{name}'>{name}</a>"


def _state(issue: Issue) -> str:
    if issue.pull is not None and issue.pull.merged_at is not None:
        return "merged"
    return issue.state


def _repository_page(hub: Hub, repository: Repository) -> Answer:
    name = hub.world.full_name(repository)
    rows = []
    for issue in reversed(repository.issues.values()):
        kind = "issues" if issue.pull is None else "pull"
        what = "Pull request" if issue.pull else "Issue"
        rows.append(
            f"<li><span class='pill {_state(issue)}'>{_state(issue)}</span> {what} "
            f"<a href='/{_text(name)}/{kind}/{issue.number}'>"
            f"#{issue.number} {_text(issue.title)}</a>"
            f"{_labels(issue)}</li>"
        )
    clone = f"<p>Clone: <code>{_text(hub.web(repository))}.git</code></p>"
    body = clone + f"<h2>Issues and pull requests</h2><ul>{''.join(rows)}</ul>"
    return page(name, body, crumbs=_crumbs(hub, repository))


def _labels(issue: Issue) -> str:
    return "".join(f" <span class='label'>{_text(name)}</span>" for name in issue.labels)


def _issue_page(hub: Hub, repository: Repository, issue: Issue) -> Answer:
    author = hub.world.accounts[issue.author_id].login
    draft = issue.pull is not None and issue.pull.draft and issue.state == "open"
    state = _state(issue)
    lead = f"<p><span class='pill {state}'>{state}{', draft' if draft else ''}</span> "
    if issue.pull is not None:
        it = issue.pull
        lead += f"<b>{_text(author)}</b> asks to merge <code>{_text(it.head)}</code> into "
        lead += f"<code>{_text(it.base)}</code>"
    else:
        lead += f"opened by <b>{_text(author)}</b>"
    parts = [
        f"{lead}{_labels(issue)}</p>",
        _box(author, iso(issue.created_at), issue.body, issue.reactions),
    ]
    for comment in issue.comments:
        login = hub.world.accounts[comment.author_id].login
        when = f"{iso(comment.created_at)}{' (edited)' if comment.edited_at else ''}"
        anchor = f"issuecomment-{comment.id}"
        parts.append(_box(login, when, comment.body, comment.reactions, anchor))
    if issue.pull is not None:
        parts.append(_pull_parts(hub, repository, issue))
    title = f"{issue.title} #{issue.number}"
    return page(title, "".join(parts), crumbs=_crumbs(hub, repository))


def _box(
    login: str, when: str | None, body: str | None, reactions: list[Reaction], anchor: str = ""
) -> str:
    counts = Counter(one.content for one in reactions)
    faces = " ".join(f"{_FACES[name]} {count}" for name, count in counts.items())
    said = render(body) if body else "<p class='mute'>No description provided.</p>"
    return (
        f"<section class='box' id='{anchor}'><header><b>{_text(login)}</b> "
        f"<span class='mute'>{when}</span></header><div>{said}<p>{faces}</p></div></section>"
    )


def _pull_parts(hub: Hub, repository: Repository, issue: Issue) -> str:
    it, store = pull_of(issue), hub.world.store(repository)
    parts = []
    for review in it.reviews:
        login = hub.world.accounts[review.author_id].login
        state = review.state.lower().replace("_", " ")
        parts.append(_box(f"{login}: {state}", iso(review.submitted_at), review.body, []))
    checks = [one for one in repository.checks.values() if one.head_sha == it.head_sha]
    statuses = [one for one in repository.statuses if one.sha == it.head_sha]
    lines = [_check_line(hub, repository, one) for one in checks] + [
        f"<li>{_mark(one.state)} {_text(one.context)}: {_text(one.description or one.state)}</li>"
        for one in statuses
    ]
    parts.append(f"<h2>Checks</h2><ul>{''.join(lines) or '<li>none</li>'}</ul>")
    commits = store.log(f"{it.base_sha}..{it.head_sha}")[::-1]
    shown = "".join(
        f"<li><code>{one.sha[:7]}</code> {_text(one.message.partition(chr(10))[0])} "
        f"<span class='mute'>{_text(one.author.name)}</span></li>"
        for one in commits
    )
    parts.append(f"<h2>Commits</h2><ul>{shown}</ul><h2>Files changed</h2>")
    start = gitdiff.merge_base(store, it.base_sha, it.head_sha) or it.base_sha
    parts += [_file(one) for one in gitdiff.files(store, start, it.head_sha)]
    return "".join(parts)


def _mark(state: str | None) -> str:
    kind, sign = _MARKS.get(state or "", _MARKS[""])
    return f"<span class='{kind}'>{sign}</span>"


def _check_line(hub: Hub, repository: Repository, one: Check) -> str:
    name = quote(hub.world.full_name(repository))
    return (
        f"<li>{_mark(one.conclusion)} <a href='/{name}/runs/{one.id}'>{_text(one.name)}</a>: "
        f"{_text(one.title or one.conclusion or one.status)}</li>"
    )


def _file(it: gitdiff.FileDiff) -> str:
    lines = []
    for line in (it.patch or "Binary file or no change of content").split("\n"):
        kind = {"+": "add", "-": "del", "@": "hunk"}.get(line[:1])
        shown = _text(line)
        lines.append(f"<span class='{kind}'>{shown}</span>" if kind else f"{shown}\n")
    return (
        f"<section class='box'><header><code>{_text(it.path)}</code> "
        f"<span class='mute'>{it.status}, +{it.additions} -{it.deletions}</span></header>"
        f"<pre>{''.join(lines)}</pre></section>"
    )


def _check_page(hub: Hub, repository: Repository, check_id: int) -> Answer:
    one = repository.checks.get(check_id)
    if one is None:
        raise NotThere
    rows = "".join(
        f"<tr><td>{_text(a.annotation_level)}</td><td><code>{_text(a.path)}:{a.start_line}</code></td>"
        f"<td>{_text(a.message)}</td></tr>"
        for a in one.annotations
    )
    body = (
        f"<p>{_mark(one.conclusion)} {_text(one.conclusion or one.status)} on "
        f"<code>{one.head_sha[:7]}</code></p><h2>{_text(one.title or '')}</h2>"
        f"{render(one.summary)}{render(one.text)}<table>{rows}</table>"
    )
    return page(one.name, body, crumbs=_crumbs(hub, repository))
