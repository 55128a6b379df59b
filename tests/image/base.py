"""A base for the image, of this machine's own programs: the Dockerfile's name for it, no registry.

What the image's steps would install is there already where this machine has it: Debian's packages,
and the packages of Python in the versions of the lock. So the steps take seconds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.sandbox.selftest import anybodys_python
from tests.engines import Engine, files_of

ROOT = Path(__file__).parents[2]
NAME = "python:3.12-slim-bookworm"
NEEDED = ("bwrap", "tini")
_MORE = (
    *(*NEEDED, "python3", "groupadd", "useradd", "getent", "install", "chown", "apt-get", "od"),
    *("bwrap", "env", "timeout", "sync", "nice"),
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


def load(engine: Engine) -> None:
    """Give the engine the base."""
    with tempfile.TemporaryDirectory(prefix="acp-base-") as name:
        stage, archive = Path(name, "root"), f"{name}/base.tar"
        _lay_out(stage)
        found = "\0".join(sorted(files_of(_MORE, ("/usr/lib/git-core",)))).encode()
        pack = ["tar", "-cPf", archive, "--no-recursion", "--null", "-T", "-"]
        subprocess.run(pack, input=found, check=True)
        own = ["--owner=0", "--group=0"]
        subprocess.run(["tar", "-rf", archive, *own, "-C", stage, "."], check=True)
        with engine.client() as client:
            client.api.import_image_from_file(archive, *NAME.split(":"))


def _lay_out(stage: Path) -> None:
    for directory in ("tmp", "var/tmp", "root", "proc", "sys", "dev", "run", "etc/ssl/certs"):
        (stage / directory).mkdir(parents=True)
    for directory in ("tmp", "var/tmp"):
        (stage / directory).chmod(0o1777)
    for path, text in _FILES.items():
        (stage / path).write_text(text)
    shutil.copy(_TRUST, stage / "etc/ssl/certs")
    if Path("/etc/pip.conf").exists():
        shutil.copy("/etc/pip.conf", stage / "etc")
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
        subprocess.run([uv, words[0], "-q", *words[1:]], check=True, env={**os.environ})
