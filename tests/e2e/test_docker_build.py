"""The image's steps without a Docker engine: what they would do, and that they hang together."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docker/build.sh"
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def build(step: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPT), step],
        env={"PATH": PATH, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_is_sound_for_every_shell_that_is_here() -> None:
    for shell in ("sh", "bash"):
        subprocess.run([shell, "-n", str(SCRIPT)], check=True)


def test_a_dry_run_says_everything_and_does_nothing(tmp_path: Path) -> None:
    prefix, data = tmp_path / "opt", tmp_path / "data"
    done = build("all", DRY_RUN="1", PREFIX=str(prefix), DATA=str(data))
    assert done.returncode == 0, done.stderr
    said = done.stderr
    for wanted in (
        "apt-get install -y -qq --no-install-recommends git bubblewrap ca-certificates tini",
        f"install -d -o acp -g acp -m 0700 {data}",
        f"-m venv {prefix}",
        f"--require-hashes -r {ROOT}/requirements-runtime.lock",
        f"{prefix}/bin/acp --version",
    ):
        assert wanted in said
    assert (done.stdout, list(tmp_path.iterdir())) == ("", [])


def test_the_check_starts_what_was_built() -> None:
    prefix = Path(sys.executable).parents[1]
    done = build("check", PREFIX=str(prefix))
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"acp \S+\ngit version .+\n", done.stdout)
    assert build("check", PREFIX="/no/prefix").returncode != 0


def test_an_unknown_step_shows_the_steps() -> None:
    done = build("nonsense")
    assert (done.returncode, "docker/build.sh system" in done.stdout) == (2, True)


def ignored() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert lines[0] == "*"
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def test_the_dockerfile_copies_what_is_there_and_let_through() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert set(copied) == set(ignored())
    assert [one for one in copied if not (ROOT / one).exists()] == []
    for secret in (".env", ".git", ".acp", "tests"):
        assert secret not in copied


def test_the_dockerfile_runs_steps_that_the_script_has() -> None:
    steps = re.findall(r"/build/docker/build\.sh (\w+)", DOCKERFILE)
    assert steps == ["system", "user", "packages", "app", "check"]


def test_the_container_is_no_root_healthy_by_the_right_port_and_serves() -> None:
    (user,) = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    (command,) = re.findall(r"^CMD (.+)$", DOCKERFILE, re.MULTILINE)
    assert (user, json.loads(command)) == ("acp", ["acp", "serve"])
    (port,) = re.findall(r"ACP_PORT=(\d+)", DOCKERFILE)
    assert f"EXPOSE {port}" in DOCKERFILE
    assert f"127.0.0.1:{port}/healthz" in DOCKERFILE


@pytest.mark.parametrize("variable", ["ACP_DATA_DIR", "HOME"])
def test_what_is_kept_lies_in_the_volume(variable: str) -> None:
    (volume,) = re.findall(r"^VOLUME (\S+)$", DOCKERFILE, re.MULTILINE)
    assert re.search(rf"\b{variable}={volume}\b", DOCKERFILE)
