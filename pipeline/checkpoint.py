"""Checkpoint: the one thing the loop emits, and all that is needed to go on from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

from pipeline.errors import InvalidState
from pipeline.state import PipelineState
from pipeline.transitions import Cursor, Stage

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after one seat, and the cursor of the seat that comes next.

    `stage` and `iteration` are those of the agent that has just acted; `seconds` is its wall time.
    """

    agent: str
    stage: Stage
    iteration: int
    state: PipelineState
    cursor: Cursor
    seconds: float = 0.0

    @property
    def final(self) -> bool:
        """Nothing comes after this one."""
        return self.cursor.stage is Stage.ENDED

    def to_json(self) -> str:
        """A JSON text that `from_json` reads back to an equal checkpoint."""
        return json.dumps(
            {
                "v": _VERSION,
                "agent": self.agent,
                "stage": self.stage.value,
                "iteration": self.iteration,
                "state": self.state,
                "cursor": [self.cursor.iteration, self.cursor.stage.value, self.cursor.seat],
                "seconds": self.seconds,
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Checkpoint:
        """Read a checkpoint back. Raises InvalidState where it is not one of ours."""
        try:
            raw: dict[str, Any] = json.loads(text)
            if raw["v"] != _VERSION:
                raise InvalidState(
                    f"checkpoint of version {raw['v']}; this release reads {_VERSION}"
                )
            iteration, stage, seat = raw["cursor"]
            return cls(
                agent=raw["agent"],
                stage=Stage(raw["stage"]),
                iteration=raw["iteration"],
                state=cast("PipelineState", raw["state"]),
                cursor=Cursor(iteration, Stage(stage), seat),
                seconds=raw["seconds"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidState(f"not a checkpoint: {error}") from error
