"""Which names and addresses a set-up may reach."""

from __future__ import annotations

import pytest

from pipeline.environment.blocked import Why
from pipeline.environment.gate import Gate

GATE = Gate.of(["Index.Example.", "mirror.example:8443"], ["10.20.0.0/16"])


@pytest.mark.parametrize(
    ("host", "port"), [("index.example", 443), ("INDEX.EXAMPLE.", 443), ("mirror.example", 8443)]
)
def test_a_registry_is_let_through_at_its_port(host: str, port: int) -> None:
    assert GATE.refuses(host, port) is None


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("index.example", 80),
        ("mirror.example", 443),
        ("sub.index.example", 443),
        ("index.example.evil.example", 443),
        ("", 443),
        ("localhost", 443),
    ],
)
def test_everything_else_is_not(host: str, port: int) -> None:
    assert GATE.refuses(host, port) is Why.UNKNOWN


@pytest.mark.parametrize("host", ["93.184.216.34", "::1", "[::1]", "169.254.169.254"])
def test_an_address_instead_of_a_name_is_refused_even_if_it_is_listed(host: str) -> None:
    gate = Gate(frozenset({f"{host}:443"}))
    assert gate.refuses(host, 443) is Why.LITERAL


PUBLIC = ["93.184.216.34", "2606:2800:220:1::1"]
PRIVATE = {
    "127.0.0.1": "loopback",
    "::1": "loopback",
    "10.1.2.3": "private",
    "172.16.0.1": "private",
    "192.168.1.1": "private",
    "169.254.169.254": "metadata of a cloud",
    "fe80::1%eth0": "link-local",
    "fd00::1": "unique local",
    "100.64.0.1": "of the carrier",
    "0.0.0.0": "this host",
    "::": "this host",
    "224.0.0.1": "multicast",
    "ff02::1": "multicast",
    "ff0e::1": "multicast",
    "::ffff:127.0.0.1": "loopback in IPv6",
    "::ffff:10.0.0.1": "private in IPv6",
    "64:ff9b::a00:1": "private behind NAT64",
    "2002:a00:1::": "private behind 6to4",
    "not an address": "nonsense",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_admitted(address: str) -> None:
    assert Gate().admits(address)


@pytest.mark.parametrize("address", PRIVATE, ids=[f"{k} ({v})" for k, v in PRIVATE.items()])
def test_no_other_address_is(address: str) -> None:
    assert not Gate().admits(address)


def test_a_network_that_the_operator_names_is_admitted_and_no_other() -> None:
    assert GATE.admits("10.20.3.4")
    assert GATE.admits("::ffff:10.20.3.4")
    assert not GATE.admits("10.21.3.4")
