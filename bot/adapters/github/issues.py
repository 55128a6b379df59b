"""Reads issues from GitHub or GitHub Enterprise Server."""

from __future__ import annotations

import time
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.domain.refs import IssueRef, RepoRef
from bot.domain.task import Task
from bot.errors import (
    BotError,
    ForgeUnavailable,
    Misconfigured,
    NotAllowed,
    NotFound,
    RateLimited,
    UserError,
)

if TYPE_CHECKING:
    from github import GithubException

_TIMEOUT_S = 20
_PUBLIC_API = "https://api.github.com"


class GitHubIssues:
    """The port `IssueReader` over PyGithub, with or without a token."""

    def __init__(self, api_url: str = _PUBLIC_API, token: str | None = None) -> None:
        self._api_url = api_url.rstrip("/")
        self._token = token or None
        parts = urlsplit(self._api_url)
        self._scheme = parts.scheme
        self._host = parts.netloc.rpartition("@")[2].lower().removeprefix("api.")

    def read(self, ref: IssueRef) -> Task:
        """The issue as a task. Raises NotFound, NotAllowed, Transient, Misconfigured."""
        self._check_host(ref.repo)
        data = self._get(ref)
        title = data.get("title")
        if not isinstance(title, str) or not title.strip():
            raise Misconfigured(
                f"{self._api_url} did not answer like GitHub; "
                "set GITHUB_API_URL to the API's address"
            )
        if data.get("pull_request"):
            raise UserError(f"{ref} is a pull request; give the number of an issue")
        body = data.get("body")
        url = f"{self._web(ref.repo)}/issues/{ref.number}"
        return Task(title.strip(), (body if isinstance(body, str) else "").strip(), str(ref), url)

    def clone_url(self, repo: RepoRef) -> str:
        """Where the repository is cloned from; holds no credentials. Raises Misconfigured."""
        self._check_host(repo)
        return f"{self._web(repo)}.git"

    def _web(self, repo: RepoRef) -> str:
        return f"{self._scheme}://{self._host}/{repo}"

    def _check_host(self, repo: RepoRef) -> None:
        """A token goes to the host that it was set for and to no other."""
        if repo.host.removeprefix("www.") in {"", self._host}:
            return
        api = _PUBLIC_API if repo.host == "github.com" else f"https://{repo.host}/api/v3"
        raise Misconfigured(
            f"{repo} is on {repo.host}, but GITHUB_API_URL is {self._api_url}; "
            f"set GITHUB_API_URL={api} and the GITHUB_TOKEN of that host"
        )

    def _get(self, ref: IssueRef) -> dict[str, Any]:
        import requests
        from github import Auth, Github, GithubException

        auth = Auth.Token(self._token) if self._token else None
        with closing(
            Github(auth=auth, base_url=self._api_url, timeout=_TIMEOUT_S, retry=None)
        ) as github:
            path = f"/repos/{ref.repo}/issues/{ref.number}"
            try:
                _, data = github.requester.requestJsonAndCheck("GET", path)
            except GithubException as error:
                raise self._explained(error, ref) from None
            except (AssertionError, RuntimeError):
                # how PyGithub refuses to follow a redirect to another host
                raise Misconfigured(
                    f"{self._api_url} sends us to another host; "
                    "set GITHUB_API_URL to the API's own address"
                ) from None
            except requests.RequestException:
                raise ForgeUnavailable(
                    f"{self._api_url} cannot be reached; check the network, proxy and "
                    "GITHUB_API_URL, then run again"
                ) from None
        return data if isinstance(data, dict) else {}

    def _explained(self, error: GithubException, ref: IssueRef) -> BotError:
        """Our error for GitHub's answer. Its text is not passed on; it may echo the request."""
        from github import RateLimitExceededException

        if (
            isinstance(error, RateLimitExceededException)
            or error.status == HTTPStatus.TOO_MANY_REQUESTS
        ):
            return self._rate_limited(error)
        if error.status == HTTPStatus.UNAUTHORIZED:
            return NotAllowed(
                "GitHub refuses GITHUB_TOKEN (wrong, expired or revoked); "
                "make a new one, or unset it for public repositories"
            )
        if error.status == HTTPStatus.NOT_FOUND:
            hint = (
                "check the reference, and that GITHUB_TOKEN may read it"
                if self._token
                else "check the reference, or set GITHUB_TOKEN if the repository is private"
            )
            return NotFound(f"{ref} is not on {self._host}: {hint}")
        if error.status == HTTPStatus.GONE:
            return NotFound(f"{ref} was deleted, or issues are switched off in {ref.repo}")
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return ForgeUnavailable(f"{self._host} answers {error.status}; try again later")
        return NotAllowed(
            f"GitHub refuses to show {ref} ({error.status}); give GITHUB_TOKEN the right "
            "to read issues there, and authorise it for single sign-on if the owner asks for that"
        )

    def _rate_limited(self, error: GithubException) -> RateLimited:
        headers = {k.lower(): v for k, v in (error.headers or {}).items()}
        reset = str(headers.get("x-ratelimit-reset", ""))
        at = int(reset) if reset.isdigit() else None
        when = f"after {time.strftime('%H:%M', time.localtime(at))}" if at else "in a few minutes"
        more = "" if self._token else ", or set GITHUB_TOKEN, which allows many more requests"
        return RateLimited(f"GitHub's rate limit is reached; try again {when}{more}", reset_at=at)
