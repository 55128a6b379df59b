"""One Jira over the jira library: how it is logged in to, and its refusals in our words.

The library's own retries stay off: it sends a POST again after a lost connection, which would
comment twice, and it sleeps in its thread for up to a minute before each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

from typing_extensions import override

from bot.domain.jira import LoginRefused
from bot.errors import (
    BotError,
    ForgeUnavailable,
    Misconfigured,
    NotAllowed,
    NotFound,
    RateLimited,
)

if TYPE_CHECKING:
    from jira import JIRA, JIRAError

Flavor = Literal["auto", "cloud", "dc"]
T = TypeVar("T")
_TIMEOUT_S = 20.0
_KINDS: Mapping[int, type[BotError]] = {
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.UNAUTHORIZED: LoginRefused,
}
_CLOUD = (".atlassian.net", "api.atlassian.com")
# what the library raises over an answer that has not Jira's shape
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, NotImplementedError)


class Declined(NotAllowed):
    """Jira did not do it, and said why in `said`."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said


@dataclass(frozen=True, slots=True)
class JiraSite:
    """Where a Jira is and who we are there. Without an `email` the token is a personal one.

    A personal access token is Data Center's; Cloud takes e-mail and API token.
    """

    base_url: str
    email: str
    token: str
    flavor: Flavor = "auto"

    @property
    def url(self) -> str:
        """The address without a slash at its end."""
        return self.base_url.rstrip("/")

    @property
    def host(self) -> str:
        """The host's name and port, in small letters."""
        return urlsplit(self.url).netloc.rpartition("@")[2].lower()

    @property
    def cloud(self) -> bool:
        """Whether it is Jira Cloud: as set, else by the address."""
        name = urlsplit(self.url).hostname or ""
        return self.flavor == "cloud" or (self.flavor == "auto" and name.endswith(_CLOUD))

    def call(self, work: Callable[[JIRA], T], what: str) -> T:
        """Do something with a connection of its own; blocks. `what` is the ticket or the like.

        Raises NotFound, NotAllowed, Declined, RateLimited, ForgeUnavailable, Misconfigured.
        """
        import requests
        from jira import JIRAError

        try:
            with closing(self._opened()) as jira:
                return work(jira)
        except JIRAError as error:
            raise self._explained(error, what) from None
        except requests.exceptions.JSONDecodeError:
            raise self._no_jira() from None
        except requests.RequestException:
            raise ForgeUnavailable(
                f"{self.url} cannot be reached; check the network, proxy and "
                "JIRA_BASE_URL, then run again"
            ) from None
        except _UNREADABLE:
            raise self._no_jira() from None

    def _opened(self) -> JIRA:
        from jira import JIRA

        class Client(JIRA):
            """The library's client, which asks for nothing that we do not need."""

            @override
            def applicationlinks(self, cached: bool = True) -> list[Any]:
                """None: the list is for administrators, and for links between Jiras."""
                return []

        login: dict[str, Any] = (
            {"basic_auth": (self.email, self.token)} if self.email else {"token_auth": self.token}
        )
        opened = Client(
            self.url,
            get_server_info=False,
            logging=False,
            max_retries=0,
            timeout=_TIMEOUT_S,
            **login,
        )
        opened.deploymentType = "Cloud" if self.cloud else "Server"
        return opened

    def _explained(self, error: JIRAError, what: str) -> BotError:
        """Our error for Jira's answer. `str(error)` holds the request's headers: never shown."""
        status = int(error.status_code or 0)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return ForgeUnavailable(f"Jira answers {status}; try again later")
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return RateLimited("Jira's rate limit is reached; try again in a few minutes")
        if status == HTTPStatus.GONE:
            return Misconfigured(
                f"{self.url} has taken this part of its API away (410); "
                "set JIRA_FLAVOR=cloud if it is Jira Cloud"
            )
        if sentence := self._refusals(what).get(status):
            # Jira answers 404, not 401, to a token it does not know
            return _KINDS.get(status, NotAllowed)(sentence)
        if status >= HTTPStatus.BAD_REQUEST:
            said = " ".join(str(error.text or "").split())[:300]
            return Declined(f"Jira declines to change {what} ({status})", said)
        return self._no_jira()

    def _refusals(self, what: str) -> Mapping[int, str]:
        account = "account of JIRA_EMAIL" if self.email else "account of JIRA_API_TOKEN"
        login = "JIRA_EMAIL and JIRA_API_TOKEN" if self.email else "JIRA_API_TOKEN"
        return {
            HTTPStatus.UNAUTHORIZED: f"Jira refuses the login; check {login}",
            HTTPStatus.FORBIDDEN: f"Jira refuses to show {what}; give the {account} the right to "
            "browse the project, or log in once in a browser if Jira asks for a CAPTCHA",
            HTTPStatus.NOT_FOUND: f"{what} is not on {self.url}, or the {account} may not see it; "
            "check the key and JIRA_API_TOKEN",
        }

    def _no_jira(self) -> Misconfigured:
        return Misconfigured(
            f"{self.url} did not answer like Jira; set JIRA_BASE_URL to your site, "
            "such as https://acme.atlassian.net"
        )
