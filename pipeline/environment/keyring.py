"""Passwords of registries, which stay outside of every sandbox: our proxy adds them to requests.

For that it has to read what passes, so it shows a certificate of an authority that lives as long as
this process and that only set-ups are told to trust.
"""

from __future__ import annotations

import base64
import datetime
import re
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.environment.blocked import Why

# It is worth nothing after the process, so its dates have nothing to tell.
_FROM, _TO = (datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) for year in (2020, 2049))
# A path that says plainly where it leads: no way up, and nothing that only looks like none.
_PLAIN = re.compile(r"/(?!.*(?:/\.{1,2}(?:/|$)|//|\\|%2e|%2f\.))[!-~]*", re.IGNORECASE)
_DROPPED = frozenset(
    {"authorization", "connection", "keep-alive", "proxy-authorization", "proxy-connection"}
)
_BODY = frozenset({"content-length", "transfer-encoding", "upgrade", "expect"})


@dataclass(frozen=True, slots=True)
class Credential:
    """For `where` ("name:port"), in requests of paths that start with `below`, and nowhere else."""

    where: str
    below: str
    header: str = field(repr=False)

    @classmethod
    def of(cls, url: str, secret: str) -> Credential:
        """From an index and "USER:PASSWORD", or a token alone, which is sent as a bearer's.

        The files of an index lie beside its pages, so what holds for `.../simple` holds above it.
        """
        parts = urlsplit(url)
        path = f"{parts.path.rstrip('/')}/".removesuffix("simple/")
        kind, value = "Bearer", secret
        if ":" in secret:
            kind, value = "Basic", base64.b64encode(secret.encode()).decode()
        return cls(f"{parts.hostname}:{parts.port or 443}", path, f"{kind} {value}")


class Keyring:
    """The credentials of a process, and the authority of its proxies.

    `certificates` is the file of who is trusted to be the registry; None is the system's store.
    """

    def __init__(self, held: Sequence[Credential], certificates: Path | None = None) -> None:
        self._held = {one.where: one for one in held}
        self._certificates = certificates
        self._shown: dict[str, ssl.SSLContext] = {}

    def of(self, host: str, port: int) -> Credential | None:
        """What is added to requests to that host, if anything."""
        return self._held.get(f"{host}:{port}")

    @property
    def authority(self) -> bytes:
        """The certificate, PEM, by which set-ups trust our proxies."""
        return self._authority.pem

    def server(self, host: str) -> ssl.SSLContext:
        """What the proxy shows to a client that wants to talk to `host`."""
        if host not in self._shown:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            with tempfile.NamedTemporaryFile(prefix="acp-proxy-") as file:
                file.write(self._authority.certify(host))
                file.flush()
                context.load_cert_chain(file.name)
            self._shown[host] = context
        return self._shown[host]

    @cached_property
    def client(self) -> ssl.SSLContext:
        """How the proxy makes sure that it talks to the registry itself."""
        return ssl.create_default_context(cafile=self._certificates)

    @cached_property
    def _authority(self) -> _Authority:
        return _Authority()


def keyed(head: bytes, credential: Credential) -> bytes | Why:
    """A request's head with the credential, or why it is none that gets it.

    Only what reads is let through: a password that may upload uploads nothing from here.
    """
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, version = (*first.split(" "), "", "")[:3]
    pairs = [line.partition(":") for line in lines]
    names = {name.strip().lower() for name, _, _ in pairs}
    if method not in ("GET", "HEAD") or version != "HTTP/1.1" or names & _BODY:
        return Why.READING
    if not _PLAIN.fullmatch(target) or not target.startswith(credential.below):
        return Why.OUTSIDE
    kept = [line for line, (name, _, _) in zip(lines, pairs, strict=True) if _plain_header(name)]
    own = [f"Authorization: {credential.header}", "Connection: close"]
    return "\r\n".join([first, *kept, *own, "", ""]).encode("latin-1")


def _plain_header(name: str) -> bool:
    return name.strip().lower() not in _DROPPED


class _Authority:
    """A key that is never written to a disk, and its certificate."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = "ACP set-ups"
        self.pem = self._signed(self._name, self._key.public_key(), None)

    def certify(self, host: str) -> bytes:
        """A fresh key and its certificate for `host`, PEM."""
        from cryptography.hazmat.primitives import serialization as s
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        plain = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
        return plain + self._signed(host, key.public_key(), host)

    def _signed(self, name: str, key: object, host: str | None) -> bytes:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.x509.oid import NameOID

        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])

        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(self._name))
            .public_key(key)  # type: ignore[arg-type]
            .serial_number(x509.random_serial_number())
            .not_valid_before(_FROM)
            .not_valid_after(_TO)
            .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        )
        if host is not None:
            alternative = x509.SubjectAlternativeName([x509.DNSName(host)])
            builder = builder.add_extension(alternative, critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
