"""What happens in a run, in the order in which it happens: the one stream that every face reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.checkpoint import Checkpoint
from pipeline.progress import Progress


@dataclass(frozen=True, slots=True)
class Started:
    """A run begins.

    `repository` is "" for a run that starts from an empty tree; `base` is the commit's id, "" where
    only the clone will tell. `replay_of` names the recorded run that is made again: then no model
    is asked and nothing is spent.
    """

    title: str
    source: str
    repository: str
    base: str
    sandbox: str
    max_iterations: int
    replay_of: str = ""


@dataclass(frozen=True, slots=True)
class LinedUp:
    """The clone is made, the models are open: (seat, "vendor:model") in the order of the stages."""

    models: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the reader must know; a whole sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """A seat at work."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class Stepped:
    """A seat is done; `checkpoint.state` is what is known now."""

    checkpoint: Checkpoint


Event = Started | LinedUp | Warned | Progressed | Stepped
Sink = Callable[[Event], None]
