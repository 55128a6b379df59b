"""The run as JSON Lines: one object a line, the last one `done`. This is a stable interface.

    {"event": "started", "title", "source", "repository", "base", "sandbox",
     "max_iterations", "replay_of"}
    {"event": "lineup", "models": {seat: "vendor:model"}}
    {"event": "warning", "text"}
    {"event": "progress", "kind", "agent", "stage", "iteration", "text", "tokens", "cost_usd"}
    {"event": "step", "agent", "stage", "iteration", "seconds", "tests_passed", "qa_passed",
     "feedback"}
    {"event": "done", "status", "reason", "exit_code", ...}

`done` always comes, also after an error or a cancel. `status` is completed, no_change, failed,
cancelled, or error where nothing could be run; with error it holds `reason` and `exit_code` only,
and so it does with a cancel before the start. Else it has also: feedback, task {title, source,
url}, repository, base_sha, branch, diff_file, diff, tests_diff, evidence, test_output, qa_output,
iterations, cost_usd (null: a price is unknown), perhaps_usd (for calls cut off from their answer,
no part of it), replayed, tokens {input, cached, cache_write, output, reasoning}, seconds {model,
tests, tools, us, total}, agents {seat: {provider, model, calls, failed, lost, input_tokens,
cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, usd, lost_usd}}, warnings,
replay_of. Where `replay_of` is not "", it names the recorded run
that was made again: no model was asked, and its cost was spent then. Every object has `at`: seconds
since the start. After a cancel, tokens, seconds and agents end with the last seat that was done.
Readers should ignore keys and events that they do not know.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from bot.domain.events import Event, LinedUp, Progressed, Started, Stepped, Warned
from bot.domain.scrub import Scrubber
from pipeline.checkpoint import Checkpoint


class JsonLines:
    """A view that writes for machines."""

    def __init__(
        self, out: TextIO, scrub: Scrubber, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out
        self._scrub = scrub
        self._clock = clock
        self._since = clock()

    def __call__(self, event: Event) -> None:
        """Write the event."""
        self._write(_fields(event))

    def done(self, fields: Mapping[str, Any], exit_code: int) -> None:
        """The last line."""
        self._write({"event": "done", "exit_code": exit_code, **fields})

    def tick(self) -> None:
        """Nothing moves here."""

    def close(self) -> None:
        """Nothing to put back."""

    def _write(self, fields: Mapping[str, Any]) -> None:
        at = round(self._clock() - self._since, 3)
        # ASCII only: no reader and no terminal can be tricked by what a model wrote
        self._out.write(self._scrub(json.dumps({**fields, "at": at})) + "\n")
        self._out.flush()


def _fields(event: Event) -> dict[str, Any]:
    match event:
        case Started():
            return {
                "event": "started",
                "title": event.title,
                "source": event.source,
                "repository": event.repository,
                "base": event.base,
                "sandbox": event.sandbox,
                "max_iterations": event.max_iterations,
                "replay_of": event.replay_of,
            }
        case LinedUp():
            return {"event": "lineup", "models": dict(event.models)}
        case Warned():
            return {"event": "warning", "text": event.text}
        case Progressed():
            said = event.progress
            return {
                "event": "progress",
                "kind": said.kind.value,
                "agent": said.agent,
                "stage": said.stage.value,
                "iteration": said.iteration,
                "text": said.text,
                "tokens": said.tokens,
                "cost_usd": said.usd,
            }
        case Stepped():
            return _step(event.checkpoint)


def _step(checkpoint: Checkpoint) -> dict[str, Any]:
    state = checkpoint.state
    return {
        "event": "step",
        "agent": checkpoint.agent,
        "stage": checkpoint.stage.value,
        "iteration": checkpoint.iteration,
        "seconds": round(checkpoint.seconds, 3),
        "tests_passed": state.get("tests_passed"),
        "qa_passed": state.get("qa_passed"),
        "feedback": state.get("feedback", ""),
    }
