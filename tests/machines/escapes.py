"""Runs on a small machine: every row of the escape table in the named backends, and the choice."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.launcher import version
from pipeline.sandbox.select import strongest
from tests.security.sandbox.batch import BACKENDS, report


async def main(names: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"landlock": version()}
    for name in names:
        try:
            found[name] = await report(BACKENDS[name]())
        except SandboxUnavailable as error:
            found[name] = {"unavailable": str(error)}
    try:
        found["chosen"] = type(await strongest()).__name__
    except SandboxUnavailable as error:
        found["chosen"] = str(error)
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1:]))))
