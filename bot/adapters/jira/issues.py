"""Reads tickets from Jira Cloud with an account's e-mail and API token."""

from __future__ import annotations

from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.domain.refs import JiraKey
from bot.domain.task import Task
from bot.errors import (
    BotError,
    ForgeUnavailable,
    Misconfigured,
    NotAllowed,
    NotFound,
    RateLimited,
)

if TYPE_CHECKING:
    from jira import JIRAError

_TIMEOUT_S = 20.0
# what the library raises over an answer that has not Jira's shape
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, NotImplementedError)


class JiraTickets:
    """The port `TicketReader` over the jira library (REST version 2: wiki text)."""

    def __init__(self, base_url: str, email: str, token: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._login = (email, token)

    def read(self, key: JiraKey) -> Task:
        """The ticket as a task. Raises NotFound, NotAllowed, Transient, Misconfigured."""
        site = urlsplit(self._base_url).netloc.rpartition("@")[2].lower()
        if key.host not in {"", site}:
            raise Misconfigured(
                f"{key} is on {key.host}, but JIRA_BASE_URL is {self._base_url}; "
                f"set JIRA_BASE_URL=https://{key.host} and the token of that site"
            )
        fields = self._fields(key)
        summary, description = fields.get("summary"), fields.get("description")
        if not isinstance(summary, str) or not summary.strip():
            raise self._no_jira()
        body = description.strip() if isinstance(description, str) else ""
        return Task(summary.strip(), body, str(key), f"{self._base_url}/browse/{key}")

    def _fields(self, key: JiraKey) -> dict[str, Any]:
        import requests
        from jira import JIRA, JIRAError

        try:
            # no retries: the library waits 20 s and more before each, and a person is watching
            with closing(
                JIRA(
                    self._base_url,
                    basic_auth=self._login,
                    get_server_info=False,
                    logging=False,
                    max_retries=0,
                    timeout=_TIMEOUT_S,
                )
            ) as jira:
                fields = jira.issue(str(key), fields="summary,description").raw.get("fields")
        except JIRAError as error:
            raise self._explained(error, key) from None
        except _UNREADABLE:
            raise self._no_jira() from None
        except requests.RequestException:
            raise ForgeUnavailable(
                f"{self._base_url} cannot be reached; check the network, proxy and "
                "JIRA_BASE_URL, then run again"
            ) from None
        return fields if isinstance(fields, dict) else {}

    def _explained(self, error: JIRAError, key: JiraKey) -> BotError:
        """Our error for Jira's answer. `str(error)` holds the request's headers: never shown."""
        status = int(error.status_code or 0)
        if status == HTTPStatus.UNAUTHORIZED:
            return NotAllowed("Jira refuses the login; check JIRA_EMAIL and JIRA_API_TOKEN")
        if status == HTTPStatus.FORBIDDEN:
            return NotAllowed(
                f"Jira refuses to show {key}; give the account of JIRA_EMAIL the right to browse "
                "the project, or log in once in a browser if Jira asks for a CAPTCHA"
            )
        if status == HTTPStatus.NOT_FOUND:
            # Jira answers 404, not 401, to a token it does not know
            return NotFound(
                f"{key} is not on {self._base_url}, or the account of JIRA_EMAIL may not see it; "
                "check the key and JIRA_API_TOKEN"
            )
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return RateLimited("Jira's rate limit is reached; try again in a few minutes")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return ForgeUnavailable(f"Jira answers {status}; try again later")
        return self._no_jira()

    def _no_jira(self) -> Misconfigured:
        return Misconfigured(
            f"{self._base_url} did not answer like Jira; set JIRA_BASE_URL to your site, "
            "such as https://acme.atlassian.net"
        )
