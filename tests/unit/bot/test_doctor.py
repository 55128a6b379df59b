"""What `acp doctor` says: areas in order, notes that do not fail, and JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.bootstrap.doctor import sandbox
from bot.entrypoints.cli_doctor import for_machines, for_people
from bot.services.doctor import Area, Finding, examine
from pipeline.sandbox.select import examined

WELL = Finding(ok=True, said="all is well", mend="never shown")
NOTE = Finding(ok=False, said="worth knowing", grave=False)
ILL = Finding(ok=False, said="it is broken\nin two ways", mend="mend it\nso")


def area(name: str, *findings: Finding) -> Area:
    async def check() -> Sequence[Finding]:
        return findings

    return Area(name, check)


async def test_only_what_is_grave_fails() -> None:
    first, second = await examine([area("sandbox", WELL, NOTE), area("disk", WELL, ILL)])
    assert first.well
    assert not second.well


async def test_people_see_areas_marks_and_what_to_do() -> None:
    found = await examine([area("sandbox", WELL, NOTE), area("disk", ILL)])
    assert for_people(found) == [
        "sandbox",
        "  ok    all is well",
        "  note  worth knowing",
        "",
        "disk",
        "  FAIL  it is broken\n        in two ways",
        "        mend it\n        so",
    ]


async def test_machines_get_one_object() -> None:
    said = json.loads(for_machines(await examine([area("sandbox", WELL), area("disk", ILL)])))
    assert not said["well"]
    assert said["areas"]["sandbox"]["well"]
    assert said["areas"]["disk"]["findings"][0]["mend"] == "mend it\nso"


async def test_the_area_of_the_sandbox_names_what_runs_use() -> None:
    findings = await sandbox()
    best = next((one.caps for one in await examined() if one.caps), None)
    said = [found.said for found in findings]
    if best is None:
        assert findings[-1].mend
    else:
        assert f"runs use {best.backend}" in said
        assert best.describe() in said
