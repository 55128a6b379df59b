"""The one protocol through which the pipeline talks to a model, and its vocabulary.

Adapters translate a vendor's types at their own door; nobody past `pipeline.llm` sees an SDK
object. There is no temperature: today's vendors refuse or ignore it. `effort` is the only knob.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol, runtime_checkable

from pipeline.errors import LLMError
from pipeline.usage import Usage

__all__ = [
    "Again",
    "Delta",
    "Effort",
    "LLMClient",
    "LLMRequest",
    "LLMResponse",
    "Message",
    "Native",
    "OutputSchema",
    "Part",
    "Stop",
    "Text",
    "ToolCall",
    "ToolResult",
    "ToolSpec",
    "Usage",
    "Watch",
]

Effort = Literal["none", "low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words, by the user or the model."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model's wish to use a tool. `arguments` is None where `raw` is not a JSON object."""

    id: str
    name: str
    arguments: Mapping[str, Any] | None
    raw: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered; goes back in a user message under the call's id."""

    call_id: str
    name: str
    content: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Native:
    """The turn as its maker wrote it (thinking, encrypted reasoning, signatures), opaque.

    Sent back unchanged, and only to the model that made it, where it stands for the whole
    message; any other one is sent the message's plain parts. `payload` is plain JSON.
    """

    provider: str
    payload: Any
    model: str = ""


Part = Text | ToolCall | ToolResult | Native


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the conversation. Tool results are parts of a user message."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]

    @classmethod
    def user(cls, text: str) -> Message:
        """A user message of one text."""
        return cls("user", (Text(text),))


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool on offer. `schema` is the JSON Schema of its arguments (type: object)."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """The JSON Schema that the whole answer must follow."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer that is still being written, and may yet be taken back.

    A sign of life and nothing else: only a whole `LLMResponse` is ever acted on. "again" says
    that another try begins, and that every piece before it is void.
    """

    kind: Literal["text", "thinking", "tool", "again"]
    text: str = ""


Watch = Callable[[Delta], None]


class Again(Protocol):
    """The budget's say in another try."""

    def __call__(self, provider: str, model: str, error: LLMError) -> None:
        """Book the try that failed with `error`, and reserve one of `provider`'s `model`.

        Raises BudgetExceeded: the next try must not be made.
        """


@dataclass(frozen=True, slots=True)
class LLMRequest:
    """One call. The order system, tools, messages is the stable prefix that caches rely on.

    `timeout_s` is the time for the whole call: all tries and the waits between them. `watch` is
    told the pieces of an answer as they come. Whoever makes more than one try of the request
    calls `again` before each try but the first. Neither is part of what the model is shown.
    """

    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    output: OutputSchema | None = None
    max_output_tokens: int = 16_000
    effort: Effort = "medium"
    timeout_s: float = 600.0
    watch: Watch | None = field(default=None, compare=False, repr=False)
    again: Again | None = field(default=None, compare=False, repr=False)


class Stop(StrEnum):
    """Why the model stopped. Only END and TOOL are whole answers."""

    END = "end"
    TOOL = "tool"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class LLMResponse:
    """A whole answer: adapters raise `LLMIncomplete` rather than return half of one.

    `usage` is this answer's alone. `model` is what the server says it is; `provider` is whose
    it was, and with a chain of models tells which of them answered.
    """

    message: Message
    stop: Stop
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    provider: str = ""

    @property
    def text(self) -> str:
        """All text parts, joined."""
        return "".join(part.text for part in self.message.parts if isinstance(part, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls in the order given."""
        return tuple(part for part in self.message.parts if isinstance(part, ToolCall))


@runtime_checkable
class LLMClient(Protocol):
    """One model of one provider.

    `provider` is "openai", "anthropic", "google" or a name of your own; `model` its id.
    """

    @property
    def provider(self) -> str:
        """Whose model this is; two seats of one provider are not independent."""

    @property
    def model(self) -> str:
        """The model id that is sent."""

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Answer the request. Raises `LLMError`, one leaf per kind of failure."""

    async def aclose(self) -> None:
        """Give back connections. Idempotent."""
