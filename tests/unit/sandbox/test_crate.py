"""What an engine is asked for: only what a session shows, and read-only where it says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.sandbox.base import Limits, Mount, Spec, Writable
from pipeline.sandbox.crate import Crate, made_up
from pipeline.sandbox.engine import Runner

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


def targets(spec: Spec, runner: Runner) -> dict[str, bool]:
    """Everything that is bound, by where it is seen: whether it is read-only."""
    request = Crate(runner, {}, spec, made_up(spec, 61000), 61000).request(Limits())
    mounts = request["HostConfig"]["Mounts"]
    assert {mount["Type"] for mount in mounts} == {"bind"}
    assert all(mount["BindOptions"].get("NonRecursive", not mount["ReadOnly"]) for mount in mounts)
    return {mount["Target"]: mount["ReadOnly"] for mount in mounts}


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    for name in ("tree", "tools", "cache"):
        (tmp_path / name).mkdir()
    tools, cache = Mount(tmp_path / "tools"), Writable(tmp_path / "cache", "/cache")
    return Spec(tmp_path / "tree", (tools,), writable=(cache,), proxy_socket=tmp_path / "proxy")


ETC = {f"/etc/{name}": True for name in ("passwd", "group", "hosts", "nsswitch.conf")}
ETC["/etc/resolv.conf"] = True


def test_nothing_is_bound_but_what_the_session_shows(spec: Spec, tmp_path: Path) -> None:
    found = targets(spec, Runner(tmp_path / "socket"))
    assert found.pop(str(AUTHORITIES), True)
    shown = {str(tmp_path / "tools"): True, str(tmp_path / "proxy"): True}
    assert found == {"/workspace": False, "/cache": False, **shown, **ETC}


def test_what_is_not_shared_stays_the_images_own(spec: Spec, tmp_path: Path) -> None:
    shared = tuple(tmp_path / name for name in ("tree", "cache", "proxy"))
    assert str(tmp_path / "tools") not in targets(spec, Runner(tmp_path / "socket", shared=shared))


def test_a_set_up_trusts_whom_this_machine_trusts(spec: Spec) -> None:
    if not AUTHORITIES.is_file():
        pytest.skip("this machine has no bundle of authorities")
    place = made_up(spec, 61000)
    assert (place / AUTHORITIES.relative_to("/etc")).read_bytes() == AUTHORITIES.read_bytes()
    assert not (made_up(Spec(spec.tree), 61000) / "ssl").exists()
