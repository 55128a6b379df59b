"""The image under the real engine: what it is, and what holds in a stock container of it."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipeline.sandbox.seccomp import _REFUSED
from tests.image import base
from tests.image.conftest import LOCKED, STRONG, TAG, Image
from tests.security.sandbox import bombs
from tests.security.sandbox.test_rows import ESCAPES, EXCEPTIONS, USEFUL

pytestmark = pytest.mark.slow
STOCK: tuple[str, ...] = ()
KNOWN = "user, time zone and encoding"  # the account has a name here
VERSION = tomllib.loads((base.ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
FACTS = """
import json, os, shutil, stat
tools = ("gcc", "cc", "g++", "make", "ld")
found = [os.path.join(where, n) for where, _, names in os.walk("/", followlinks=False)
         if not where.startswith(("/proc", "/sys", "/dev")) for n in names]
print(json.dumps({
    "ids": [os.getuid(), os.getgid(), sorted(os.getgroups())],
    "data": [oct(os.stat("/data").st_mode & 0o7777), os.stat("/data").st_uid],
    "left": os.path.exists("/build"),
    "tools": [name for name in tools if shutil.which(name)],
    "first": open("/proc/1/cmdline").read().split("\\0")[0],
    "secrets": [path for path in found if os.path.basename(path) in {".env", ".git-credentials"}],
}))
"""


def test_the_image_says_what_it_is_and_holds_nothing_that_it_does_not_need(image: Image) -> None:
    (config,) = (one["Config"] for one in json.loads(image.docker("inspect", TAG)))
    labels = config["Labels"]
    assert labels["org.opencontainers.image.version"] == VERSION
    assert image.run((), "acp", "--version").strip() == f"acp {VERSION}"
    assert (config["User"], config["StopSignal"]) == ("acp", "SIGTERM")
    assert [*config["ExposedPorts"], *config["Volumes"]] == ["8080/tcp", "/data"]
    facts = image.json((), "python", "-c", FACTS)
    assert facts["ids"] == [10001, 10001, [10001]]
    assert facts["data"] == ["0o700", 10001]
    assert facts["first"] == "/usr/bin/tini"
    assert (facts["left"], facts["secrets"]) == (False, [])
    if image.kind != "host":
        assert facts["tools"] == []


@pytest.mark.parametrize("options", [STOCK, LOCKED], ids=["stock", "locked"])
def test_a_stock_container_is_degraded_and_says_what_to_do(image: Image, options: Any) -> None:
    found = image.json(options, "acp", "doctor", "--json")["areas"]["sandbox"]["findings"]
    said = [one["said"] for one in found]
    assert any(line.startswith("landlock (degraded: no network, no local servers") for line in said)
    assert "runs use landlock" in said
    (advice,) = [one["mend"] for one in found if "local servers cannot be verified" in one["said"]]
    assert "docs/how-to/docker.md" in advice


def test_our_profile_gives_the_strong_sandbox_without_any_capability(image: Image) -> None:
    found = image.json(STRONG, "acp", "doctor", "--json")["areas"]["sandbox"]["findings"]
    said = [one["said"] for one in found]
    assert any(line.startswith("bubblewrap (strong: no network") for line in said)
    assert "runs use bubblewrap" in said


@pytest.mark.parametrize(
    ("options", "where"), [(LOCKED, "container"), (STRONG, "strong")], ids=["stock", "our profile"]
)
def test_every_escape_is_blocked_in_a_container(
    image: Image, options: tuple[str, ...], where: str
) -> None:
    seen = image.json(options, "python", "/attempts/batch.py")
    assert (seen["caps"]["grade"] == "strong", seen["uid"]) == (where == "strong", 10001)
    worked = {row for row, came_of_it in seen["rows"].items() if came_of_it == "worked"}
    assert worked & set(ESCAPES) == {row for row in ESCAPES if where in EXCEPTIONS.get(row, set())}
    useful = {row for row in USEFUL if where in USEFUL[row]}
    # Unlike the host's, a container's shared memory is its own, and small.
    assert worked - set(ESCAPES) == useful | {"shared memory and locks", KNOWN}


def test_bombs_end_in_a_stock_container_and_leave_nothing(image: Image) -> None:
    found = image.json((), "python", "/attempts/bombs.py")
    assert found == {"reasons": {name: name.split()[0] for name in bombs.BOMBS}, "left": []}


def test_the_context_of_the_build_holds_no_secret(image: Image, tmp_path: Path) -> None:
    context = tmp_path / "context"
    for name in (".git", ".venv", "tests", "docs", "bot/__pycache__", "pipeline"):
        (context / name).mkdir(parents=True)
    for name in (".env", ".git/config", "bot/.env", "pipeline/x.pem", "bot/__pycache__/a.pyc"):
        (context / name).write_text("secret")
    for name in ("bot/code.py", "tests/t.py", "README.md"):
        (context / name).write_text("")
    shutil.copy(base.ROOT / ".dockerignore", context)
    (context / "Dockerfile").write_text(f"FROM {base.NAME}\nCOPY . /context\n")
    image.docker("build", "-q", "-t", "context", str(context))
    look = ("context", "find", "/context", "-type", "f")
    said = image.docker("run", "--rm", "--network", "none", *look)
    assert sorted(said.split()) == ["/context/README.md", "/context/bot/code.py"]


def test_the_steps_may_be_run_again(image: Image) -> None:
    again = "&&".join(f"/steps/build.sh {step}" for step in ("system", "user", "check"))
    options = ("--user", "root", "-v", f"{base.ROOT / 'docker'}:/steps:ro")
    assert image.run(options, "sh", "-c", again).startswith(f"acp {VERSION}\n")


def test_the_profile_refuses_what_our_own_filter_does_but_for_the_four_calls_of_bubblewrap() -> (
    None
):
    (refused, sockets) = json.loads((base.ROOT / "docker/seccomp.json").read_text())["syscalls"]
    assert set(_REFUSED) - set(refused["names"]) == {
        "mount",
        "umount2",
        "pivot_root",
        "sethostname",
    }
    assert sockets["names"] == ["socket"]
