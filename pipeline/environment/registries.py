"""What the operator has set about package registries, checked, and as clients are told it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.environment.gate import Gate
from pipeline.environment.keyring import Keyring
from pipeline.environment.upstream import Upstream
from pipeline.errors import WorkspaceError
from pipeline.sandbox.base import Mount

_STORE, _JAVA_STORE = "authorities.pem", "authorities.p12"
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)
_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
_CERTIFICATES = (
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE"),
    *("NODE_EXTRA_CA_CERTS", "npm_config_cafile", "CARGO_HTTP_CAINFO", "GIT_SSL_CAINFO"),
)


@dataclass(frozen=True, slots=True)
class Registries:
    """What the operator has set; empty fields leave it to the clients.

    `python_index` and `npm_registry` are https addresses without user and password, `go_proxy` is
    what Go takes for GOPROXY: several such with commas or bars between. `hosts` are further
    registries, `networks` private networks that registries may be in, `certificates` is a
    file of trusted authorities (default: the system's store). `keyring` has the passwords.
    """

    python_index: str = ""
    npm_registry: str = ""
    go_proxy: str = ""
    hosts: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    upstream: Upstream | None = None
    certificates: Path | None = None
    keyring: Keyring | None = None

    def check(self) -> None:
        """Raise WorkspaceError, naming the mend, for what cannot be used."""
        for url in self._addresses():
            if mistake := wrong(url):
                raise WorkspaceError(f"the address of a package registry {mistake}")
        try:
            self.gate(())
        except ValueError as error:
            raise WorkspaceError(f"a network of registries is written wrong: {error}") from None

    def gate(self, hosts: Sequence[str]) -> Gate:
        """Lets through what the operator named, and `hosts`."""
        own = [host_of(url) for url in self._addresses() if url]
        return Gate.of((*self.hosts, *own, *hosts), self.networks)

    def variables(self, tools: Path) -> dict[str, str]:
        """What the clients inside are told, no secret among it; `tools` is what `equip` filled."""
        told = {
            "UV_DEFAULT_INDEX": self.python_index,
            "PIP_INDEX_URL": self.python_index,
            "npm_config_registry": self.npm_registry,
            "GOPROXY": self.go_proxy,
            "UV_SYSTEM_CERTS": "1",
        }
        store = self._store()
        if self.keyring:
            store = tools / _STORE
        if self._trusts_more():
            told["JDK_JAVA_OPTIONS"] = f"-Djavax.net.ssl.trustStore={tools / _JAVA_STORE}"
        if store:
            told |= dict.fromkeys(_CERTIFICATES, str(store))
        return {name: value for name, value in told.items() if value}

    def mounts(self) -> tuple[Mount, ...]:
        """What a sandbox has to show for it; the system's store it shows anyway."""
        own = self.certificates
        if own is None or Path("/etc/ssl/certs") in own.parents or Path("/usr") in own.parents:
            return ()
        return (Mount(own),)

    def equip(self, tools: Path) -> None:
        """Write down who is to be trusted, where that is not what the system has."""
        store = self._store()
        if store is None or not self._trusts_more():
            return
        trusted = store.read_bytes()
        if self.keyring:
            trusted += b"\n" + self.keyring.authority
            (tools / _STORE).write_bytes(trusted)
        (tools / _JAVA_STORE).write_bytes(_for_java(trusted))

    def _trusts_more(self) -> bool:
        """Whether clients that look into the system's store alone would miss somebody."""
        own = self.certificates is not None and str(self.certificates) not in _STORES
        return own or self.keyring is not None

    def _addresses(self) -> tuple[str, ...]:
        return (self.python_index, self.npm_registry, *proxies_of_go(self.go_proxy))

    def _store(self) -> Path | None:
        named = (self.certificates,) if self.certificates else map(Path, _STORES)
        return next((path for path in named if path.is_file()), None)


def _for_java(trusted: bytes) -> bytes:
    """Java reads no file of certificates. What cannot be read, as of old roots, is left out."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

    known = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, block in enumerate(_BLOCK.findall(trusted)):
            with suppress(ValueError):
                found = x509.load_pem_x509_certificate(block)
                known.append(pkcs12.PKCS12Certificate(found, str(number).encode()))
    return pkcs12.serialize_java_truststore(known, NoEncryption())


def wrong(url: str) -> str:
    """What is wrong with the address of a registry, with the mend; "" if it can be used."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        named = parts.hostname, parts.port
    except ValueError:
        return "is not an address"
    if parts.username is not None or parts.password is not None:
        return (
            "holds a user or a password, and no secret ever enters a sandbox: it has to be given "
            "apart, and is added to requests outside"
        )
    if parts.scheme != "https" or not named[0]:
        return "must start with https://"
    return ""


def host_of(url: str) -> str:
    """Name and port of an https address, with a colon between."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 443}"


def proxies_of_go(value: str) -> tuple[str, ...]:
    """The addresses in a value of GOPROXY."""
    words = (word.strip() for word in re.split(r"[,|]", value))
    return tuple(word for word in words if word not in ("", "direct", "off"))
