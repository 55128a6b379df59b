"""A package registry on this machine: real clients ask it over TLS, through the proxy of a set-up.

Its name is in no resolver and its authority in no store but those that a test hands out.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import gzip
import hashlib
import io
import json
import ssl
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typing_extensions import override

HOST = "registry.test"
NETWORK = "127.0.0.0/8"


async def resolve(host: str, port: int) -> Sequence[str]:
    """Knows one name."""
    if host != HOST:
        raise OSError("no such name")
    return ["127.0.0.1"]


@dataclass
class LocalRegistry:
    """`files` are its pages; below each of `folders` it serves a directory.

    What begins with `locked` is for who shows `credential` ("user:password") or `bearer` alone.
    `asked` holds each path with the Authorization that came with it.
    """

    home: Path
    files: dict[str, bytes] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    locked: str = ""
    credential: str = ""
    bearer: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def where(self) -> str:
        """Name and port."""
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"https://{self.where}"

    @property
    def authority(self) -> Path:
        """The file of who is to be trusted."""
        return self.home / "authority.pem"

    @contextlib.contextmanager
    def serving(self) -> Iterator[LocalRegistry]:
        """Answers until the block ends."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certified(self.home))
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(self, path: str, shown: str) -> tuple[int, bytes]:
        """Status and page for who shows that."""
        self.asked.append((path, shown))
        basic = f"Basic {base64.b64encode(self.credential.encode()).decode()}"
        wanted = f"Bearer {self.bearer}" if self.bearer else basic
        if self.locked and path.startswith(self.locked) and shown != wanted:
            return 401, b"who are you"
        found = self._page(path)
        return (404, b"not here") if found is None else (200, found)

    def _page(self, path: str) -> bytes | None:
        if path in self.files:
            return self.files[path]
        for prefix, folder in self.folders.items():
            inner = folder / path.removeprefix(prefix)
            if path.startswith(prefix) and inner.is_file() and ".." not in path:
                return inner.read_bytes()
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path, shown = self.path.partition("?")[0], self.headers.get("Authorization", "")
                status, body = registry.answer(path, shown)
                self.send_response(status)
                self.send_header("Content-Type", _kind(path, body))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if self.command == "GET" else b"")

            def do_HEAD(self) -> None:
                self.do_GET()

            @override
            def log_message(self, *_: object) -> None:
                return

        return Handler


def _kind(path: str, body: bytes) -> str:
    if body[:1] == b"{":
        return "application/json"
    return "text/html" if path.endswith("/") else "application/octet-stream"


def certified(home: Path) -> Path:
    """A file with key and certificate of the server; its authority stands beside it."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("authority", HOST)
    ]
    made = []
    for number, (key, name) in enumerate(zip(keys, names, strict=True)):
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(names[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=number == 0, path_length=None), critical=True)
        )
        if number:
            named = x509.SubjectAlternativeName([x509.DNSName(HOST)])
            builder = builder.add_extension(named, critical=False)
        signed = builder.sign(keys[0], hashes.SHA256())
        made.append(signed.public_bytes(serialization.Encoding.PEM))
    (home / "authority.pem").write_bytes(made[0])
    (home / "authority.pem").chmod(0o644)
    secret = keys[1].private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (home / "server.pem").write_bytes(secret + made[1])
    return home / "server.pem"


def packed(files: Mapping[str, str]) -> bytes:
    """A .tar.gz of these files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(made.getvalue(), mtime=0)


def zipped(files: Mapping[str, str]) -> bytes:
    """A .zip of these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


def wheel(name: str, version: str, text: str) -> tuple[str, bytes]:
    """File name and bytes of a package of one module."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": text,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    listed = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    return f"{name}-{version}-py3-none-any.whl", zipped({**files, f"{info}/RECORD": listed})


def go_module(registry: LocalRegistry, name: str, version: str, files: Mapping[str, str]) -> str:
    """Offer a module below /go; returns its lines of go.sum."""
    inner = {f"{name}@{version}/{path}": text for path, text in files.items()}
    base = f"/go/{name}/@v/{version}"
    registry.files |= {
        f"/go/{name}/@v/list": f"{version}\n".encode(),
        f"{base}.info": json.dumps({"Version": version}).encode(),
        f"{base}.mod": files["go.mod"].encode(),
        f"{base}.zip": zipped(inner),
    }
    whole, alone = _go_sum(inner), _go_sum({"go.mod": files["go.mod"]})
    return f"{name} {version} {whole}\n{name} {version}/go.mod {alone}\n"


def _go_sum(files: Mapping[str, str]) -> str:
    lines = (
        f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n"
        for name, text in sorted(files.items())
    )
    digest = hashlib.sha256("".join(lines).encode()).digest()
    return f"h1:{base64.b64encode(digest).decode()}"


def crate(registry: LocalRegistry, name: str, version: str, text: str) -> str:
    """Offer a crate of one file below /cargo; returns its checksum. Names of five letters."""
    manifest = f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2021"\n'
    data = packed({f"{name}-{version}/Cargo.toml": manifest, f"{name}-{version}/src/lib.rs": text})
    checksum = hashlib.sha256(data).hexdigest()
    line: dict[str, Any] = {"name": name, "vers": version, "deps": [], "cksum": checksum}
    line |= {"features": {}, "yanked": False}
    registry.files |= {
        "/cargo/config.json": json.dumps({"dl": f"{registry.url}/cargo/dl"}).encode(),
        f"/cargo/{name[:2]}/{name[2:4]}/{name}": json.dumps(line).encode() + b"\n",
        f"/cargo/dl/{name}/{version}/download": data,
    }
    return checksum
