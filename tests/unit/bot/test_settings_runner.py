"""A runner is named by its operator, by a socket on this machine, and never looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.bootstrap.doctor import areas
from bot.errors import Misconfigured
from bot.settings import Settings
from pipeline.sandbox.engine import Runner
from pipeline.sandbox.select import installed


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SOCKET", "IMAGE", "RUNTIME", "SHARED"):
        monkeypatch.delenv(f"ACP_RUNNER_{name}", raising=False)
    monkeypatch.setenv("ACP_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def names(runner: Runner | None) -> list[str]:
    return [type(backend).__name__ for backend in installed(runner)]


def test_no_engine_is_driven_that_nobody_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    assert Settings.load().runner() is None
    assert "Container" not in names(Settings.load().runner())


def test_containers_rank_below_namespaces_and_above_landlock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACP_RUNNER_SOCKET", "unix:///runner/docker.sock")
    assert names(Settings.load().runner())[-3:] == ["Bubblewrap", "Container", "Landlock"]


def test_every_variable_reaches_the_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACP_RUNNER_SOCKET", "/runner/docker.sock")
    assert Settings.load().runner() == Runner(Path("/runner/docker.sock"))
    monkeypatch.setenv("ACP_RUNNER_IMAGE", "tools:1")
    monkeypatch.setenv("ACP_RUNNER_RUNTIME", "runsc")
    monkeypatch.setenv("ACP_RUNNER_SHARED", "/data, /srv/tmp")
    shared = (Path("/data"), Path("/srv/tmp"))
    assert Settings.load().runner() == Runner(
        Path("/runner/docker.sock"), "tools:1", "runsc", shared
    )


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SOCKET", "tcp://10.0.0.1:2375", "gives root to everybody"),
        ("SOCKET", "docker.sock", "path of a unix socket"),
        ("SHARED", "data", "absolute paths"),
        ("SHARED", ",", "absolute paths"),
    ],
)
def test_what_names_no_runner_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str
) -> None:
    monkeypatch.setenv(f"ACP_RUNNER_{name}", value)
    with pytest.raises(Misconfigured, match=f"(?s)ACP_RUNNER_{name}.*{why}"):
        Settings.load()


async def test_doctor_says_why_a_runner_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACP_RUNNER_SOCKET", str(tmp_path / "nobody"))
    (area,) = (one for one in areas(Settings.load()) if one.name == "sandbox")
    said = "\n".join(finding.said for finding in await area.check())
    assert f"container ({tmp_path}/nobody): {tmp_path}/nobody is no socket of an engine" in said
