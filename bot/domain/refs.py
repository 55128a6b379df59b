"""References people write: a repository, an issue, a ticket. Parsed once, at the door."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from typing_extensions import override

from bot.errors import BadReference

_OWNER = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
_NAME = r"[A-Za-z0-9._-]{1,100}"
_NUMBER = r"[1-9][0-9]{0,17}"
_REPO = re.compile(rf"({_OWNER})/({_NAME})")
_ISSUE = re.compile(rf"({_OWNER})/({_NAME})#({_NUMBER})")
_ISSUE_PATH = re.compile(rf"/({_OWNER})/({_NAME})/issues/({_NUMBER})/?")
_PULL_PATH = re.compile(rf"/{_OWNER}/{_NAME}/pull/{_NUMBER}(/.*)?")
_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,49}-[1-9][0-9]{0,17}")
_USERINFO = re.compile(r"(?<=://)[^/@]*@")
_SHOWN_CHARS = 80
_BROWSE = re.compile(r"(?:/[^/]+)*/browse/([^/]+)/?")


@dataclass(frozen=True, slots=True)
class RepoRef:
    """A repository of a forge. `host` is "" for the forge that is configured."""

    owner: str
    name: str
    host: str = ""

    @classmethod
    def parse(cls, text: str) -> RepoRef:
        """Read `owner/repo` or the repository's URL. Raises BadReference."""
        host, path = _split(text)
        found = _REPO.fullmatch(path.removesuffix("/").removesuffix(".git"))
        if not found or found[2].strip(".") == "":
            raise BadReference(
                f"{_shown(text)} is not a repository; write owner/repo or https://HOST/owner/repo"
            )
        return cls(found[1], found[2], host)

    @override
    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class IssueRef:
    """An issue of a repository."""

    repo: RepoRef
    number: int

    @classmethod
    def parse(cls, text: str) -> IssueRef:
        """Read `owner/repo#7` or the issue's URL on any host. Raises BadReference."""
        host, path = _split(text)
        if host and _PULL_PATH.fullmatch(f"/{path}"):
            raise BadReference(f"{_shown(text)} is a pull request; give an issue (…/issues/NUMBER)")
        found = _ISSUE_PATH.fullmatch(f"/{path}") if host else _ISSUE.fullmatch(path)
        if not found or found[2].strip(".") == "":
            raise BadReference(
                f"{_shown(text)} is not an issue; write owner/repo#7 or "
                "https://HOST/owner/repo/issues/7"
            )
        return cls(RepoRef(found[1], found[2], host), int(found[3]))

    @override
    def __str__(self) -> str:
        return f"{self.repo}#{self.number}"


@dataclass(frozen=True, slots=True)
class JiraKey:
    """A Jira issue. `host` is "" where only the key was written."""

    key: str
    host: str = ""

    @classmethod
    def parse(cls, text: str) -> JiraKey:
        """Read `KEY-1` or the ticket's browse URL. Raises BadReference."""
        host, path = _split(text)
        browse = _BROWSE.fullmatch(f"/{path}") if host else None
        key = (browse[1] if browse else "" if host else path).upper()
        if not _KEY.fullmatch(key):
            raise BadReference(
                f"{_shown(text)} is not a Jira issue; write KEY-1 or https://SITE/browse/KEY-1"
            )
        return cls(key, host)

    @override
    def __str__(self) -> str:
        return self.key


def _split(text: str) -> tuple[str, str]:
    """Host ("" without a scheme) and path without its leading slash, query and fragment."""
    text = text.strip()
    if not re.match(r"https?://", text, re.IGNORECASE):
        return "", text
    try:
        parts = urlsplit(text)
    except ValueError:
        return "", text
    return parts.netloc.rpartition("@")[2].lower(), parts.path.removeprefix("/")


def _shown(text: str) -> str:
    """What was written, short and without a password."""
    return repr(_USERINFO.sub("", text.strip())[:_SHOWN_CHARS])
