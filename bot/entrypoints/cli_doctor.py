"""`acp doctor`: what works on this machine, what does not, and how to mend it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from collections.abc import Sequence

from bot.bootstrap.doctor import areas
from bot.domain.scrub import Scrubber, printable
from bot.services.doctor import Examined, Finding, examine
from bot.settings import Settings

OK, FAILED = 0, 1


def doctor(settings: Settings, *, as_json: bool) -> int:
    """Run the command; returns the exit code."""
    found = asyncio.run(examine(areas(settings)))
    shown = for_machines(found) if as_json else "\n".join(for_people(found))
    sys.stdout.write(f"{Scrubber(settings.secrets())(printable(shown))}\n")
    return OK if all(area.well for area in found) else FAILED


def for_machines(found: Sequence[Examined]) -> str:
    """One object for machines: areas by name, each with `well` and its findings."""
    areas_by_name = {
        area.name: {"well": area.well, "findings": [dataclasses.asdict(f) for f in area.findings]}
        for area in found
    }
    return json.dumps({"well": all(area.well for area in found), "areas": areas_by_name})


def for_people(found: Sequence[Examined]) -> list[str]:
    """Lines for people."""
    lines: list[str] = []
    for area in found:
        lines += ["", area.name] if lines else [area.name]
        for finding in area.findings:
            lines.append(f"  {_mark(finding)}  {_indented(finding.said)}")
            if finding.mend and not finding.ok:
                lines.append(f"        {_indented(finding.mend)}")
    return lines


def _mark(finding: Finding) -> str:
    if finding.ok:
        return "ok  "
    return "FAIL" if finding.grave else "note"


def _indented(text: str) -> str:
    return text.strip().replace("\n", "\n        ")
