"""Who asks, and whether they may.

A route's `need` is one of
    "open"          anybody
    "app"           the App itself, by its JWT
    "installation"  any installation token
    "user"          any token of an account
    "a:level|b:level"  one of these permissions on the repository in the path; a person needs the
                    route's role instead, or the role that the level stands for.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import jwt

from bot.emulators.github.model import App, Permissions, Repository, Token
from bot.emulators.github.wire import Call, Caller, Route
from bot.emulators.github.world import NotThere, Problem, World

_LEVELS = ("read", "write", "admin")
_ROLES = {"read": "read", "write": "write", "admin": "admin"}
_LONGEST_S = 600
_SLACK_S = 1


def identify(world: World, headers: Mapping[str, str]) -> Caller:
    """The caller behind an Authorization header. Raises Problem 401 or 403."""
    scheme, _, credential = headers.get("authorization", "").strip().partition(" ")
    if not credential:
        return Caller()
    if scheme.lower() == "basic":
        credential = _password(credential)
    elif scheme.lower() not in ("bearer", "token"):
        raise Problem(401, "Bad credentials")
    if credential.startswith("eyJ") and credential.count(".") == 2:  # noqa: PLR2004
        return Caller(app=_app(world, credential))
    return caller_of(world, credential)


def caller_of(world: World, value: str) -> Caller:
    """The caller behind a token. Raises Problem 401 or 403."""
    token = world.tokens.get(value)
    if token is None or (token.expires_at is not None and token.expires_at <= world.clock.now()):
        raise Problem(401, "Bad credentials")
    if token.installation_id is not None:
        installation = world.installations.get(token.installation_id)
        if installation is None:
            raise Problem(401, "Bad credentials")
        if installation.suspended_at is not None:
            raise Problem(403, "This installation has been suspended")
    return Caller(token=token, account=world.accounts[token.account_id])


def authorise(call: Call, route: Route) -> None:
    """Let the call pass, or raise Problem: 401, 403, or 404 for what may not be seen."""
    if route.need == "app" and call.caller.app is None:
        raise Problem(401, "A JSON web token could not be decoded")
    if route.need not in ("app", "open") and call.caller.app is not None:
        raise Problem(403, "This endpoint requires you to authenticate with an access token")
    if route.need == "installation" and call.app_id is None:
        raise Problem(403, "You must authenticate with an installation access token")
    if route.need == "user" and call.caller.account is None:
        raise Problem(401, "Requires authentication")
    if ":" in route.need:
        check(call.hub.world, call.caller, call.repository, _needs(route.need), route.role)


def check(
    world: World, caller: Caller, repository: Repository, needs: Permissions, role: str = ""
) -> None:
    """Whether the caller holds one of the needs on a repository. Raises Problem."""
    reading = "read" in needs.values() and not role
    if caller.token is None or caller.account is None:
        if repository.private:
            raise NotThere
        if not reading:
            raise Problem(401, "Requires authentication")
        return
    if caller.token.permissions is not None:
        _check_app(world, caller.token, repository, needs)
        return
    if not world.may(repository, caller.account, "read"):
        raise NotThere
    wanted = role or _ROLES[max(needs.values(), key=_LEVELS.index)]
    if not world.may(repository, caller.account, wanted):
        raise Problem(403, f"Must have {wanted} access to repository")


def covers(granted: Permissions, name: str, level: str) -> bool:
    """Whether a set of permissions holds this one; metadata can always be read."""
    has = "read" if name == "metadata" and name not in granted else granted.get(name)
    return has is not None and _LEVELS.index(has) >= _LEVELS.index(level)


def in_scope(world: World, token: Token, repository: Repository) -> bool:
    """Whether an installation token reaches a repository."""
    installation = world.installations[token.installation_id or 0]
    chosen = token.repository_ids
    return world.installed(installation, repository) and (chosen is None or repository.id in chosen)


def _check_app(world: World, token: Token, repository: Repository, needs: Permissions) -> None:
    if not in_scope(world, token, repository):
        raise NotThere
    if not any(covers(token.permissions or {}, name, level) for name, level in needs.items()):
        raise Problem(403, "Resource not accessible by integration")


def _needs(text: str) -> Permissions:
    return dict(part.split(":", 1) for part in text.split("|"))


def _password(credential: str) -> str:
    try:
        return base64.b64decode(credential, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        raise Problem(401, "Bad credentials") from None


def _app(world: World, token: str) -> App:
    """The App that signed a JWT, by GitHub's rules on iss, iat and exp."""
    try:
        claimed = jwt.decode(token, options={"verify_signature": False})
        issuer = str(claimed.get("iss", ""))
        app = next(
            (one for one in world.apps.values() if issuer in (str(one.id), one.client_id)), None
        )
        if app is None:
            raise Problem(404, "Integration not found")
        jwt.decode(
            token,
            app.public_key,
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_iss": False},
        )
    except jwt.PyJWTError:
        raise Problem(401, "A JSON web token could not be decoded") from None
    _check_times(claimed, world.clock.now())
    return app


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or issued > now + _SLACK_S:
        raise Problem(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the "
            "assertion was issued",
        )
    if not isinstance(expires, int) or expires <= now:
        raise Problem(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future "
            "time at which the assertion expires",
        )
    if expires > now + _LONGEST_S + _SLACK_S:
        raise Problem(401, "'Expiration time' claim ('exp') is too far in the future")
