"""The token of a run: when it is minted, replaced and ended, and what its refusals mean."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.adapters.github.auth import AppAuth
from bot.adapters.github.http import Addresses, GitHubHttp
from bot.adapters.github.tokens import RunToken
from bot.domain.runs import RepositoryId
from bot.errors import BotError, ForgeUnavailable, Misconfigured, NotAllowed, NotFound

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SHOP = RepositoryId(7, "acme/shop", 3)
MINT = ("POST", "/app/installations/3/access_tokens")
SHORT, LONG = "ghs_" + "a" * 36, "ghs_12_eyJhbGciOi.J9-x_" + "b" * 500


class Desk:
    """A token with its clock, its server and the secrets that it told."""

    def __init__(self, url: str) -> None:
        self.now, self.told = 1_900_000_000.0, list[str]()
        self.http = GitHubHttp(Addresses.of(url))
        self.token = RunToken(
            self.http,
            AppAuth("1", PEM),
            SHOP,
            on_secret=self.told.append,
            clock=lambda: self.now,
        )


@pytest.fixture
async def desk(stage: Any) -> AsyncIterator[Desk]:
    desk = Desk(stage.url)
    yield desk
    await desk.http.aclose()


def minted(stage: Any, value: str = SHORT, **permissions: str) -> None:
    stage.says(201, {"token": value, "permissions": permissions or {"checks": "write"}})


@pytest.mark.parametrize("value", [SHORT, LONG])
async def test_every_form_of_a_token_is_told_to_the_redactor_first(
    stage: Any, desk: Desk, value: str
) -> None:
    minted(stage, value)
    assert await desk.token.value() == value
    assert desk.told == [value, base64.b64encode(f"x-access-token:{value}".encode()).decode()]


async def test_many_askers_get_one_token(stage: Any, desk: Desk) -> None:
    minted(stage)
    assert set(await asyncio.gather(*(desk.token.value() for _ in range(8)))) == {SHORT}
    assert stage.asked == [MINT]


async def test_a_token_is_replaced_ten_minutes_before_its_end(stage: Any, desk: Desk) -> None:
    minted(stage)
    minted(stage, LONG)
    await desk.token.value()
    desk.now += 50 * 60 - 1
    assert await desk.token.value() == SHORT
    desk.now += 1
    assert await desk.token.value() == LONG


async def test_a_late_complaint_about_an_old_token_leaves_the_new_one(
    stage: Any, desk: Desk
) -> None:
    minted(stage)
    await desk.token.value()
    await desk.token.discard(LONG)
    await desk.token.value()
    assert stage.asked == [MINT]


async def test_permissions_that_are_not_granted_are_done_without(stage: Any, desk: Desk) -> None:
    stage.says(422, {"message": "The permissions requested are not granted to this installation."})
    minted(stage, issues="write")
    await desk.token.value()
    assert stage.asked == [MINT, MINT]
    assert "checks" not in desk.token.permissions


REFUSALS = [
    (
        401,
        "A JSON web token could not be decoded",
        Misconfigured,
        "check ACP_GITHUB_APP_ID, the private key and this machine's clock",
    ),
    (404, "Not Found", NotFound, "no longer installed for acme/shop"),
    (403, "This installation has been suspended", NotAllowed, "is suspended; resume it: http"),
    (403, "Forbidden", NotAllowed, r"gives no token for acme/shop \(403\)"),
    (
        422,
        "The permissions requested are not granted to this installation.",
        NotAllowed,
        "lacks permissions; accept them: http",
    ),
    (
        422,
        "There is at least one repository that does not exist or is not accessible to the parent "
        "installation.",
        NotAllowed,
        "does not include acme/shop; add it: http",
    ),
    (502, "", ForgeUnavailable, "answers 502"),
]


@pytest.mark.parametrize(("status", "said", "kind", "sentence"), REFUSALS)
async def test_a_refusal_says_what_to_mend(
    stage: Any, desk: Desk, status: int, said: str, kind: type[BotError], sentence: str
) -> None:
    stage.says(status, {"message": said})
    with pytest.raises(kind, match=sentence) as caught:
        await desk.token.value()
    assert type(caught.value) is kind
    assert "settings/installations/3" in str(caught.value) or kind is not NotAllowed


async def test_an_answer_without_a_token_is_no_crash(stage: Any, desk: Desk) -> None:
    stage.says(201, ["surprise"])
    with pytest.raises(ForgeUnavailable, match="without a token"):
        await desk.token.value()


@pytest.mark.parametrize("status", [204, 401, 403, 500])
async def test_the_end_of_a_token_is_asked_for_once_and_never_fails(
    stage: Any, desk: Desk, status: int
) -> None:
    minted(stage)
    stage.says(status)
    await desk.token.value()
    await desk.token.revoke()
    await desk.token.revoke()
    assert stage.asked == [MINT, ("DELETE", "/installation/token")]
    assert stage.authorizations[-1] == f"Bearer {SHORT}"


async def test_a_token_that_was_never_minted_is_not_revoked(stage: Any, desk: Desk) -> None:
    stage.says(204)
    await desk.token.revoke()
    assert stage.asked == []


async def test_a_token_does_not_spell_itself_out(stage: Any, desk: Desk) -> None:
    minted(stage)
    await desk.token.value()
    assert SHORT not in f"{vars(desk.token)!r}"
