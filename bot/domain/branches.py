"""Names of our branches, and which one a run may write to: never over anybody else's work."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Literal

from bot.domain.forge import PullRequest
from bot.domain.task import Task

PREFIX = "acp/"
_OURS = re.compile(r"acp/issue-([1-9][0-9]{0,17})(?:-[^/]*)?")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_COMPONENT_BYTES = 250  # a file name has 255, and git adds ".lock"


@dataclass(frozen=True, slots=True)
class Taken:
    """A branch that exists. `pushed` is the sha that we last pushed there, "" if we never did."""

    sha: str
    pushed: str = ""
    pull: PullRequest | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Where to push, and what must be there.

    new      `expected` is "": the branch must not exist
    replace  ours and untouched: pushed with a lease on `expected`
    append   somebody else has pushed to it: build on `expected`, never force
    refused  its pull request is merged: only an explicit "again" makes another
    """

    mode: Literal["new", "replace", "append", "refused"]
    branch: str
    expected: str = ""
    pull: PullRequest | None = None


def name(issue: int | str, title: str) -> str:
    """`acp/issue-7-totals-are-wrong`, or of a ticket `acp/SHOP-12-totals-are-wrong`.

    The slug has at most 40 characters.
    """
    what = issue if isinstance(issue, str) else f"issue-{issue}"
    return f"{PREFIX}{what}-{Task(title).slug}"


def issue_of(branch: str) -> int | None:
    """The issue that a branch of ours belongs to."""
    found = _OURS.fullmatch(branch)
    return int(found[1]) if found else None


def valid(branch: str) -> bool:
    """Whether git takes it for a branch (`git check-ref-format --branch`), and file systems too."""
    if not branch or branch in {"@", "HEAD"} or _FORBIDDEN.search(branch):
        return False
    if branch.startswith(("-", "/")) or branch.endswith(("/", ".")):
        return False
    return not any(_bad_component(part) for part in branch.split("/"))


def _bad_component(part: str) -> bool:
    if part.startswith(".") or part.endswith(".lock"):
        return True
    return len(part.encode("utf-8", "surrogatepass")) > _COMPONENT_BYTES


def numbered(branch: str, number: int) -> str:
    """The branch with a suffix from 2 on: `acp/issue-7-slug-2`."""
    return branch if number == 1 else f"{branch}-{number}"


def free(branch: str, taken: Collection[str]) -> str:
    """The first name that git could have beside the taken ones (no name may lie under another)."""
    for number in count(1):
        wanted = numbered(branch, number)
        if not any(_collide(wanted, other) for other in taken):
            return wanted
    raise AssertionError("count() does not end")


def _collide(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def choose(wanted: str, taken: Mapping[str, Taken], *, again: bool = False) -> Choice:
    """Which branch a run of an issue writes to.

    `taken` holds every branch of the repository that `wanted` or a numbered form of it could
    collide with. Ours with an open pull request (or none yet) is used again; a closed pull request
    keeps its branch, and the next number is taken.
    """
    for number in count(1):
        branch = numbered(wanted, number)
        there = taken.get(branch)
        if there is None:
            if any(_collide(branch, other) for other in taken):
                continue
            return Choice("new", branch)
        if not there.pushed or (there.pull and there.pull.state == "closed"):
            continue
        if there.pull and there.pull.state == "merged":
            if again:
                continue
            return Choice("refused", branch, there.sha, there.pull)
        mode: Literal["replace", "append"] = "replace" if there.sha == there.pushed else "append"
        return Choice(mode, branch, there.sha, there.pull)
    raise AssertionError("count() does not end")
