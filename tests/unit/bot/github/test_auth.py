"""The App's JWT."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from bot.adapters.github.auth import AppAuth
from bot.errors import Misconfigured

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
NOON = 1_900_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def claims(token: str) -> dict[str, object]:
    return dict(
        jwt.decode(
            token, PUBLIC, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False}
        )
    )


def test_the_jwt_is_what_github_asks_for() -> None:
    auth = AppAuth("123456", PEM, clock=Clock())
    assert claims(auth.jwt()) == {"iat": NOON - 60, "exp": NOON + 540, "iss": "123456"}


def test_the_same_jwt_serves_for_a_while_and_never_near_its_end() -> None:
    clock = Clock()
    auth = AppAuth("Iv23abc", PEM, clock=clock)
    first = auth.jwt()
    clock.now += 299
    assert auth.jwt() == first
    clock.now += 2
    assert claims(auth.jwt())["exp"] == NOON + 301 + 540


def test_a_clock_that_was_set_back_signs_anew() -> None:
    clock = Clock()
    auth = AppAuth("1", PEM, clock=clock)
    auth.jwt()
    clock.now -= 7200
    assert claims(auth.jwt())["iat"] == NOON - 7260


def test_a_key_on_one_line_with_written_line_ends_is_read() -> None:
    auth = AppAuth("1", PEM.replace("\n", "\\n"), clock=Clock())
    assert claims(auth.jwt())["iss"] == "1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ghs_not_a_key",
        PEM[:400],
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode(),
    ],
    ids=["empty", "no key", "half a key", "another kind"],
)
def test_what_is_no_rsa_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(Misconfigured, match="private key is not an RSA key") as caught:
        AppAuth("1", text)
    assert text == "" or text not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_app_needs_an_id() -> None:
    with pytest.raises(Misconfigured, match="GITHUB_APP_ID"):
        AppAuth(" ", PEM)
