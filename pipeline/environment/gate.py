"""What a set-up may reach: registries by their exact name, and no address of a private network."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.environment.blocked import Why

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_HTTPS = 443


@dataclass(frozen=True, slots=True)
class Gate:
    """`hosts` are "name:port", in lower case. `networks` are private ones that may be reached.

    A name may lead anywhere, whoever owns it: so each address is judged, not only the name.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, hosts: Iterable[str], networks: Iterable[str] = ()) -> Gate:
        """From names with or without a port (443). Raises ValueError for what is no network."""
        named = (host.strip().lower().rstrip(".") for host in hosts)
        full = frozenset(host if ":" in host else f"{host}:{_HTTPS}" for host in named if host)
        return cls(full, tuple(ipaddress.ip_network(one.strip()) for one in networks))

    def refuses(self, host: str, port: int) -> Why | None:
        """Why this name is not asked for at all; None if it may be."""
        name = host.lower().rstrip(".")
        if _as_address(name.strip("[]")) is not None:
            return Why.LITERAL
        return None if f"{name}:{port}" in self.hosts else Why.UNKNOWN

    def admits(self, address: str) -> bool:
        """Whether a name's answer may be connected to."""
        found = _as_address(address)
        if found is None:
            return False
        real = _inner(found)
        if any(one in network for network in self.networks for one in (found, real)):
            return True
        return all(one.is_global and not one.is_multicast for one in (found, real))


def _as_address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
