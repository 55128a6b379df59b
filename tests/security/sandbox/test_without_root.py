"""The same walls for an ordinary user: started as one, from a test that may run as root."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.security.sandbox.conftest import leave_out, ordinary_user

PROGRAM = """
import asyncio, dataclasses, json, os, tempfile
from pathlib import Path
from pipeline.sandbox.base import Limits, Spec
from pipeline.sandbox.bubblewrap import Bubblewrap

BOMB = "i=0; while [ $i -lt 200 ]; do sleep 30 & i=$((i+1)); done; echo all"

async def main():
    sandbox = Bubblewrap()
    caps = await sandbox.probe()
    with tempfile.TemporaryDirectory() as place:
        session = await sandbox.open(Spec(Path(place)))
        nested = await session.exec(["/usr/bin/unshare", "-Ur", "true"])
        device = await session.exec(["/bin/sh", "-c", "echo > /dev/probe"])
        few = Limits(processes=30, wall_s=30)
        bomb = await session.exec(["/bin/sh", "-c", BOMB], limits=few)
        status = await session.exec(["/bin/cat", "/proc/self/status"])
        await session.put("file", b"ours")
        wrote = await session.exec(["/bin/sh", "-c", "echo >> file && stat -c %u file"])
        await session.close()
    print(json.dumps({
        "caps": dataclasses.asdict(caps), "nested": nested.code, "device": device.ok,
        "bomb": bomb.text,
        "status": status.text, "owner": wrote.text.strip(), "uid": os.getuid(),
    }))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def report(shared: Path) -> dict[str, Any]:
    command = [*ordinary_user(), "-c", PROGRAM]
    env = {"PYTHONPATH": str(shared), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=False)
    if "SandboxUnavailable" in done.stderr and not os.environ.get("CI"):
        leave_out(done.stderr[-2000:])
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_walls_stand_for_an_ordinary_user(report: dict[str, Any]) -> None:
    caps = report["caps"]
    assert (caps["backend"], caps["net"], caps["own_uid"]) == ("bubblewrap", "none", False)
    assert caps["grade"] == "strong"
    assert report["nested"]


def test_the_command_has_no_rights_over_its_own_namespace(report: dict[str, Any]) -> None:
    rights = [line.split() for line in report["status"].splitlines() if line.startswith("Cap")]
    assert {int(value, 16) for _, value in rights} == {0}
    assert "NoNewPrivs:\t1" in report["status"]


def test_the_devices_are_no_place_to_write(report: dict[str, Any]) -> None:
    assert not report["device"]


def test_processes_stop_at_the_limit(report: dict[str, Any]) -> None:
    assert "all" not in report["bomb"].splitlines()
    assert "fork" in report["bomb"]


def test_the_files_stay_the_users_own(report: dict[str, Any]) -> None:
    assert report["owner"] == str(report["uid"])
