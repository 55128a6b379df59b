"""Which repository of which installation a name means: trackers know names alone."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from bot.adapters.github.auth import AppAuth
from bot.adapters.github.http import GitHubHttp, Refusal
from bot.domain.runs import RepositoryId
from bot.errors import ForgeUnavailable, Misconfigured, NotFound

_ABSENT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.FORBIDDEN})


async def find(http: GitHubHttp, auth: AppAuth, full_name: str) -> RepositoryId:
    """The repository, if the App is installed for it.

    Its id comes with a token for it alone, which may do nothing and is revoked at once. Raises
    NotFound, Misconfigured, RateLimited, ForgeUnavailable.
    """
    try:
        path = f"/repos/{quote(full_name)}/installation"
        installation = (await http.request("GET", path, f"Bearer {auth.jwt()}")).data
        number = int(installation["id"])
        body = {"repositories": [full_name.split("/")[1]], "permissions": {"metadata": "read"}}
        path = f"/app/installations/{number}/access_tokens"
        minted = (await http.request("POST", path, f"Bearer {auth.jwt()}", body=body)).data
        await http.request("DELETE", "/installation/token", f"Bearer {minted['token']}")
        return _repository(minted["repositories"][0], number)
    except Refusal as refusal:
        if refusal.status in _ABSENT:
            raise NotFound(f"the App is not installed for {full_name}; install it") from None
        raise Misconfigured(
            "GitHub refuses the App's credential; check ACP_GITHUB_APP_ID"
        ) from None
    except (KeyError, IndexError, TypeError, ValueError):
        raise ForgeUnavailable("GitHub did not say which repository that is") from None


def _repository(raw: dict[str, Any], installation: int) -> RepositoryId:
    return RepositoryId(
        id=int(raw["id"]),
        full_name=str(raw["full_name"]),
        installation_id=installation,
        default_branch=str(raw.get("default_branch") or ""),
        private=raw.get("private") is not False,
    )
