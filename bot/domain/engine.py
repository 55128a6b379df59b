"""The engine's port: it executes runs, survives the process, and knows nothing of what a run does.

The work is one callable, `execute(run_id)`. The engine calls it again from the top after a crash,
so it resumes from the store alone. Three rules bind it:

- Cancelled by a person or by `close`, it gets one CancelledError; it may still await while it
  cleans up, and finds the reason in the store (`Run.cancel_requested`).
- StoreUnavailable ends the process (`Die`); the restart recovers. Fenced ends the execution.
- Any other error ends the execution and leaves the run as it is; the dispatcher submits it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

Execute = Callable[[str], Awaitable[None]]
Die = Callable[[str], None]
"""Ends the process with status 75, at once; the text says why, in one sentence."""

EXIT_STORAGE = 75
"""The exit status that asks the supervisor for a restart (EX_TEMPFAIL)."""


class Engine(Protocol):
    """What executes runs."""

    async def start(self) -> None:
        """Take up what a dead predecessor left, then accept work. Raises Misconfigured."""

    async def submit(self, run_id: str) -> None:
        """See that the run is executed; nothing while an execution of it waits or is under way."""

    async def cancel(self, run_id: str) -> None:
        """Stop the execution of a run, wherever it is; nothing where there is none."""

    async def prune(self, before: float) -> None:
        """Forget executions that ended before a moment, in seconds since the epoch."""

    async def close(self) -> None:
        """Stop every execution and leave it to the next start. Idempotent."""
