"""A base for the image, of this machine's own programs: the Dockerfile's name for it, no registry.

What the image's steps would install is there already where this machine has it: Debian's packages,
and the packages of Python in the versions of the lock. So the steps take seconds.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.sandbox.selftest import anybodys_python
from tests.engines import files_of

ROOT = Path(__file__).parents[2]
NAME = "python:3.12-slim-bookworm"
NEEDED = ("docker", "bwrap", "tini")
_MORE = (
    *(
        "bwrap",
        "tini",
        "python3",
        "groupadd",
        "useradd",
        "getent",
        "install",
        "chown",
        "apt-get",
        "od",
    ),
)
_TRUST = Path("/etc/ssl/certs/ca-certificates.crt")
_FILES: Mapping[str, str] = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/shadow": "root:*:19000:0:99999:7:::\n",
    "etc/gshadow": "root:*::\n",
    "etc/login.defs": "",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def missing() -> str:
    """What this machine lacks for it, or ""."""
    absent = [name for name in NEEDED if not shutil.which(name)]
    return f"the image's base needs {', '.join(absent)}" if absent else ""


def load(url: str, kind: str) -> None:
    """Give the engine the base: of the `host`, or of `debian`, which is closest to the real one."""
    with tempfile.TemporaryDirectory(prefix="acp-base-") as name:
        root = Path(name, "root")
        found: set[str] = set()
        if kind == "debian":
            _bootstrap(root)
        else:
            _lay_out(root)
            found = files_of(_MORE, ("/usr/lib/git-core",))
        (listed := Path(name, "files")).write_text("\0".join(sorted(found)))
        pack = ["tar", "-cPf", "-", "--no-recursion", "--null", "-T", str(listed)]
        pack += ["--recursion", "--owner=0", "--group=0", "-C", str(root), "."]
        with subprocess.Popen(pack, stdout=subprocess.PIPE) as packing:
            into = ["docker", "-H", url, "import", "-", NAME]
            subprocess.run(into, stdin=packing.stdout, stdout=subprocess.DEVNULL, check=True)
        assert packing.returncode == 0


def _lay_out(stage: Path) -> None:
    for directory in ("tmp", "var/tmp", "root", "proc", "sys", "dev", "run", "etc/ssl/certs"):
        (stage / directory).mkdir(parents=True)
    for directory in ("tmp", "var/tmp"):
        (stage / directory).chmod(0o1777)
    for path, text in _FILES.items():
        (stage / path).write_text(text)
    _trust(stage)
    _packages(stage / "opt/acp")


def _packages(prefix: Path) -> None:
    """What `docker/build.sh packages` would install, from the developers' cache."""
    uv = str(Path(sys.executable).with_name("uv"))
    python = str(Path(anybodys_python()).resolve())
    into = ["--system-certs", "--python", f"{prefix}/bin/python"]
    lock = f"{ROOT}/requirements-runtime.lock"
    for words in (
        ("venv", "--relocatable", "--python", python, str(prefix)),
        ("pip", "install", *into, "--require-hashes", "-r", lock),
        ("pip", "install", *into, "pip", "hatchling"),
    ):
        subprocess.run([uv, "-q", *words], check=True)


def _bootstrap(root: Path) -> None:
    """Debian's packages and nothing of ours: the steps of the image have all their work to do."""
    packages = "--include=ca-certificates,python3,python3-venv"
    debootstrap = ["debootstrap", "--variant=minbase", packages, "bookworm", str(root)]
    subprocess.run(debootstrap, check=True, stdout=subprocess.DEVNULL)
    _trust(root)


def _trust(root: Path) -> None:
    """How this machine reaches its registries, should that be another way than everybody's."""
    shutil.copy(_TRUST, root / "etc/ssl/certs")
    if Path("/etc/pip.conf").exists():
        shutil.copy("/etc/pip.conf", root / "etc")
