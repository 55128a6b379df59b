"""Which requests get a registry's password."""

from __future__ import annotations

import pytest

from pipeline.environment.blocked import Why
from pipeline.environment.keyring import Credential, Keyring, keyed

HELD = Credential.of("https://pip.example/team/simple/", "wanda:s3cret")
HEAD = "GET /team/simple/x/ HTTP/1.1\r\nHost: pip.example\r\nAccept: */*\r\n{}\r\n"


@pytest.mark.parametrize(
    ("url", "where", "below"),
    [
        ("https://pip.example/simple", "pip.example:443", "/"),
        ("https://Pip.example:8443/a/pypi/simple/", "pip.example:8443", "/a/pypi/"),
        ("https://npm.example/api/npm", "npm.example:443", "/api/npm/"),
        ("https://npm.example", "npm.example:443", "/"),
    ],
)
def test_a_password_holds_for_an_index_and_the_files_beside_it(
    url: str, where: str, below: str
) -> None:
    found = Credential.of(url, "token")
    assert (found.where, found.below, found.header) == (where, below, "Bearer token")


def test_a_password_shows_in_no_description() -> None:
    assert "d2FuZGE6czNjcmV0" in HELD.header
    assert "d2FuZGE6czNjcmV0" not in repr(HELD)
    assert "s3cret" not in f"{HELD!r} {Keyring([HELD])!r}"


def test_the_password_takes_the_place_of_what_the_client_sent() -> None:
    head = HEAD.format("authorization: Basic mine\r\nConnection: keep-alive\r\n").encode()
    assert keyed(head, HELD) == (
        b"GET /team/simple/x/ HTTP/1.1\r\nHost: pip.example\r\nAccept: */*\r\n"
        b"Authorization: Basic d2FuZGE6czNjcmV0\r\nConnection: close\r\n\r\n"
    )


OUTSIDE = [
    *("/", "/api/users", "/teamwork/x", "/team", "/team/../api", "/team/%2e%2e/api"),
    *("/team/..", "/team//api", "/team/x\\..\\..\\api", "https://pip.example/team/x", "*"),
    *("/team/.%2e/api", "/team/%2E./api", "/team/x/%2f../api", "/team/\x01"),
]


@pytest.mark.parametrize("target", OUTSIDE)
def test_no_other_path_gets_it(target: str) -> None:
    head = HEAD.format("").replace("/team/simple/x/", target).encode("latin-1")
    assert keyed(head, HELD) is Why.OUTSIDE


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", ""])
def test_nothing_is_written_with_it(method: str) -> None:
    head = HEAD.format("").replace("GET", method, 1).encode()
    assert keyed(head, HELD) is Why.READING


@pytest.mark.parametrize(
    "line", ["Content-Length: 5", "transfer-encoding: chunked", "Upgrade: h2c", "Expect: x"]
)
def test_nothing_is_sent_behind_a_request(line: str) -> None:
    assert keyed(HEAD.format(f"{line}\r\n").encode(), HELD) is Why.READING


@pytest.mark.parametrize("first", ["GET /team/x HTTP/1.0", "GET /team/x", "nonsense"])
def test_what_is_no_request_is_refused(first: str) -> None:
    head = HEAD.format("").replace("GET /team/simple/x/ HTTP/1.1", first).encode()
    assert keyed(head, HELD) is Why.READING


def test_a_host_has_a_certificate_of_its_own_and_no_other_host_a_password() -> None:
    keyring = Keyring([HELD])
    assert keyring.of("pip.example", 443) is HELD
    assert keyring.of("pip.example", 8443) is None
    assert keyring.of("other.example", 443) is None
    assert keyring.server("a.example") is keyring.server("a.example")
    assert keyring.server("a.example") is not keyring.server("b.example")
    assert b"PRIVATE" not in keyring.authority
