"""The pull request: its title, its body, and the messages of its two commits."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from bot.domain.markdown import code, details, fence, fit, inline, size, subject
from bot.domain.messages import report as parts
from bot.domain.messages.base import Comment, left_out, marker, plural
from bot.domain.messages.report import Report
from bot.domain.messages.template import fill
from bot.domain.runs import Actor

_TITLE = 120
_TEMPLATE = 10_000
_WORDS = 600
_NO_LOGIN = re.compile(r"[^A-Za-z0-9_\[\]-]")


@dataclass(frozen=True, slots=True)
class Commits:
    """What was pushed: the failing test, then the change. `test` is "" where they are one."""

    branch: str
    code: str
    test: str = ""


def title(report: Report) -> str:
    """The issue's title, on one line; a ticket's key before it, for which trackers look."""
    key = f"{report.place.ticket}: " if report.place.ticket else ""
    return key + subject(report.result.task.title, _TITLE)


def body(report: Report, commits: Commits, template: str = "") -> Comment:
    """The body, within the budget; a template that is too long is left out, and that is said."""
    mark = marker("pull", report.place)
    usable = template if size(template) <= _TEMPLATE else ""
    notes = (
        ["The template of this repository is too long to be filled in."]
        if template > usable
        else []
    )

    def build(share: int) -> str:
        ours = {
            "closes": report.place.closes,
            "summary": _summary(report),
            "proof": _proof(report, commits, share),
            "rest": "\n\n".join([*_rest(report), *notes]),
        }
        return f"{mark}\n\n{fill(usable, ours)}\n"

    return Comment(fit(build), mark)


def test_commit(report: Report) -> str:
    """The message of the commit that holds only the test, and fails."""
    name = subject(report.result.task.title, 60)
    return f"Test: {name}\n\nFails until the next commit. For {report.place.name}.\n"


def code_commit(report: Report, requester: Actor, host: str) -> str:
    """The message of the change; whoever asked for it is co-author. `host` is the forge's."""
    login = _NO_LOGIN.sub("", requester.login)
    email = f"{requester.id}+{login}@users.noreply.{host}"
    lines = [title(report), "", f"For {report.place.name}."]
    if report.place.url:
        lines.append(f"Run: {report.place.url}")
    if requester.id > 0:  # a tracker's people have no account of the forge that we know
        lines += ["", f"Co-authored-by: {login} <{email}>"]
    return "\n".join(lines) + "\n"


def _summary(report: Report) -> str:
    draft = "" if report.result.ok else "**Not proven**: take this for a start, not for a fix.\n\n"
    plus, minus = sum(len(f.added) for f in report.files), sum(f.removed for f in report.files)
    size_ = f"{plural(len(report.files), 'file')}, +{plus} -{minus}"
    words = inline(report.result.summary, _WORDS)
    said = f"\n\nThe coder's own words, which nothing has checked: {words}" if words else ""
    return f"{draft}{inline(report.result.task.title)} ({size_}){said}\n\n{parts.changed(report)}"


def _proof(report: Report, commits: Commits, share: int) -> str:
    seen = fence(report.evidence.render(), "text", limit=share // 3) if report.evidence else ""
    said = [
        parts.proof(report),
        parts.iterations(report),
        _check(report, commits),
        parts.runs(report),
        details("The whole evidence", seen) if seen else "",
    ]
    return "\n\n".join(part for part in said if part)


def _check(report: Report, commits: Commits) -> str:
    """The two commands that check both commits, without trust in us."""
    run = report.result.test_command
    if not commits.test or not run:
        return ""
    commands = (
        f"git fetch origin {shlex.quote(commits.branch)}\n"
        f"git checkout {commits.test} && {run}  # fails\n"
        f"git checkout {commits.code} && {run}  # passes"
    )
    words = "Check it yourself: the test fails without the change and passes with it."
    return f"{words}\n\n{fence(commands, 'sh')}"


def _rest(report: Report) -> list[str]:
    unverified, flags = parts.unverified(report), parts.flags(report)
    last = [
        f"Asked for by {inline(report.requester)}",
        report.place.run,
        f"code ran in {inline(report.sandbox)}" if report.sandbox else "",
        f"task text {code(report.digest[:16])}" if report.digest else "",
    ]
    said = [
        f"**Look at this**\n\n{flags}" if flags else "",
        f"**Not verified**\n\n{unverified}" if unverified else "",
        details("Cost and models", parts.bill(report)),
        left_out(report.stripped),
        " · ".join(part for part in last if part),
    ]
    return [part for part in said if part]
