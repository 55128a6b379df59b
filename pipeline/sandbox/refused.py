"""Stands where no sandbox works: whatever would run is refused, with words for who asked for it."""

from __future__ import annotations

from pipeline.errors import SandboxRefused
from pipeline.sandbox.base import Caps, Session, Spec

WORDS = (
    "No sandbox works on the machine that runs this bot, so no code was run and nothing was "
    "changed. Its operator can see why, and three ways out, with `acp doctor`."
)


class Refused:
    """Opens nothing. For a service, which must answer every run also where it may run none."""

    async def probe(self) -> Caps:
        """Say that nothing is isolated, as nothing runs."""
        return Caps(
            backend="refused",
            grade="none",
            net="none",
            filesystem=False,
            pid_namespace=False,
            own_uid=False,
            memory="none",
            loopback=False,
        )

    async def open(self, spec: Spec) -> Session:
        """Refuse. Raises SandboxRefused, in words for a public place."""
        del spec
        raise SandboxRefused(WORDS)
