"""The loop that turns a task into a proven patch.

    from pipeline import AgenticCodingPipeline, files
    from pipeline.agents import CodingAgent, FormattingAgent, QAAgent, TestingAgent

Names are imported when they are first used, so that one room can be had without all the others;
no name loads a model SDK.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.agents.base import Agent
    from pipeline.checkpoint import Checkpoint
    from pipeline.limits import Limits
    from pipeline.orchestrator import AgenticCodingPipeline
    from pipeline.progress import Progress
    from pipeline.result import files
    from pipeline.sandbox.none import NoSandbox
    from pipeline.state import PipelineState

__all__ = [
    "Agent",
    "AgenticCodingPipeline",
    "Checkpoint",
    "Limits",
    "NoSandbox",
    "PipelineState",
    "Progress",
    "files",
]

_ROOM_OF = {
    "Agent": "pipeline.agents.base",
    "AgenticCodingPipeline": "pipeline.orchestrator",
    "Checkpoint": "pipeline.checkpoint",
    "Limits": "pipeline.limits",
    "NoSandbox": "pipeline.sandbox.none",
    "PipelineState": "pipeline.state",
    "Progress": "pipeline.progress",
    "files": "pipeline.result",
}


def __getattr__(name: str) -> Any:
    if name in _ROOM_OF:
        return getattr(import_module(_ROOM_OF[name]), name)
    raise AttributeError(f"module 'pipeline' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
