"""Signatures that hold, and those that do not."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.github.webhooks import verify

NEW, OLD = b"new secret", b"old secret"


def signed(secret: bytes, body: bytes) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


class TestSignature:
    def test_a_signature_of_either_secret_holds_while_they_are_exchanged(self) -> None:
        assert verify([NEW, OLD], b"body", signed(NEW, b"body"))
        assert verify([NEW, OLD], b"body", signed(OLD, b"body"))
        assert not verify([NEW], b"body", signed(OLD, b"body"))

    def test_what_octokit_signs_is_accepted(self) -> None:
        secret = "It's a Secret to Everybody ü".encode()
        theirs = "2885ddc405b1b4e5f25567f42393802c3ef381ec03548a2220bb0127e0264711"
        assert verify([secret], '{"a":"größer"}'.encode(), f"sha256={theirs}")

    @pytest.mark.parametrize(
        "signature",
        [
            None,
            "",
            "sha256=",
            "sha256=" + "0" * 64,
            "sha1=" + hmac.new(NEW, b"body", hashlib.sha1).hexdigest(),
            signed(NEW, b"body").removeprefix("sha256="),
            signed(NEW, b"body").upper(),
            signed(NEW, b"body")[:-1],
            signed(NEW, b"body") + "0",
            "sha256=" + "é" * 64,
            "sha256=\ud800",
        ],
    )
    def test_nothing_else_holds(self, signature: str | None) -> None:
        assert not verify([NEW], b"body", signature)

    def test_without_a_secret_nothing_holds(self) -> None:
        assert not verify([], b"body", signed(NEW, b"body"))
        assert not verify([b""], b"body", signed(b"", b"body"))

    @given(st.binary(max_size=200), st.integers(0, 199), st.integers(1, 255))
    def test_a_body_changed_by_one_byte_is_refused(self, body: bytes, at: int, by: int) -> None:
        signature = signed(NEW, body)
        assert verify([NEW], body, signature)
        if at < len(body):
            other = body[:at] + bytes([body[at] ^ by]) + body[at + 1 :]
            assert not verify([NEW], other, signature)
