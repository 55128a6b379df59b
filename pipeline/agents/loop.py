"""The bounded tool loop: one model, some tools, until it finishes or runs out of turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.agents.base import Seat
from pipeline.agents.conversation import Conversation
from pipeline.agents.toolbox import Tool, Toolbox, clip
from pipeline.errors import EditRejected, LLMTooLong, WorkspaceError
from pipeline.llm.base import (
    LLMClient,
    LLMRequest,
    LLMResponse,
    Message,
    Stop,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from pipeline.llm.windows import window_of
from pipeline.progress import Kind

MAX_STRIKES = 3
_WARN_AT = 5
_DIFF_CHARS = 20_000
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "array": list,
    "object": dict,
}


class Misused(Exception):
    """A tool call that cannot be carried out; its message becomes the tool's answer."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What a tool loop needs: the model, the role text, the first message, and the ways to end.

    `opening` stays the same from iteration to iteration, and `present` follows it: so a vendor's
    cache holds all before it.
    `finish` is the tool whose accepted call ends the loop; `accept` may refuse it by raising
    EditRejected, whose message the model then reads.
    """

    client: LLMClient
    system: str
    opening: str
    tools: Sequence[Tool]
    finish: ToolSpec
    max_turns: int
    present: str = ""


class Closing:
    """Decides whether a finishing call is accepted. The plain one accepts all."""

    async def accept(self, arguments: Mapping[str, Any]) -> None:
        """Raise EditRejected to send the model back to work."""


async def converse(
    talk: Talk, toolbox: Toolbox, seat: Seat, closing: Closing | None = None
) -> Mapping[str, Any] | None:
    """The finishing call's arguments, or None if turns or patience ran out."""
    closing = closing or Closing()
    said = Conversation((talk.opening, talk.present), window_of(talk.client))
    strikes = 0
    for turn in range(talk.max_turns):
        response = await _answer(talk, said, toolbox, seat)
        said.add(response.message)
        left = talk.max_turns - turn - 1
        if not response.tool_calls:
            strikes += 1
            said.add(Message.user(_nudge(response.stop, talk.finish.name)))
        else:
            results, ended, misused = await _use_all(
                response.tool_calls, talk, toolbox, seat, closing
            )
            if ended is not None:
                return ended
            strikes = strikes + 1 if misused else 0
            said.add(_with_warning(results, left, talk.finish.name))
        if strikes >= MAX_STRIKES:
            seat.report(Kind.NOTE, f"stopped after {strikes} unusable answers in a row")
            return None
    seat.report(Kind.NOTE, f"stopped after {talk.max_turns} turns without {talk.finish.name}")
    return None


async def _answer(talk: Talk, said: Conversation, toolbox: Toolbox, seat: Seat) -> LLMResponse:
    """The next answer; the talk is shortened where it crowds the window or does not fit."""
    if said.crowded:
        await _shorten(said, toolbox, seat)
    while True:
        try:
            response = await seat.ask(talk.client, _request(talk, said))
        except LLMTooLong:
            if not await _shorten(said, toolbox, seat):
                raise
        else:
            said.read_as(response.usage)
            return response


async def _shorten(said: Conversation, toolbox: Toolbox, seat: Seat) -> bool:
    if said.mask():
        seat.report(Kind.NOTE, "left out old tool output: the talk nears the model's window")
        return True
    diff = clip(await toolbox.workspace.diff(), _DIFF_CHARS)
    if said.begin_anew(diff):
        seat.report(Kind.NOTE, "began the talk anew from what was done: it fills the window")
        return True
    return False


def _request(talk: Talk, said: Conversation) -> LLMRequest:
    specs = (*(tool.spec for tool in talk.tools), talk.finish)
    return LLMRequest(system=talk.system, messages=said.messages, tools=specs)


def _nudge(stop: Stop, finish: str) -> str:
    if stop is Stop.LENGTH:
        return "Your answer was cut off for its length. Use a tool, with smaller steps."
    return f"Nothing was done: use the tools, and call {finish} when you are done."


def _with_warning(results: list[ToolResult], left: int, finish: str) -> Message:
    """The tool results as one message that, near the end, says so."""
    if left == _WARN_AT:
        last = results[-1]
        text = f"{last.content}\n({left} turns left: call {finish} in time.)"
        results = [*results[:-1], ToolResult(last.call_id, last.name, text, last.is_error)]
    return Message("user", tuple(results))


async def _use_all(
    calls: Sequence[ToolCall], talk: Talk, toolbox: Toolbox, seat: Seat, closing: Closing
) -> tuple[list[ToolResult], Mapping[str, Any] | None, bool]:
    """Carry out the calls: their results, the accepted ending, whether all were misused."""
    results: list[ToolResult] = []
    misused = 0
    for call in calls:
        try:
            if call.name == talk.finish.name:
                arguments = _checked(call, talk.finish)
                await closing.accept(arguments)
                return results, arguments, False
            content, failed = await _use(call, talk.tools, toolbox, seat), False
        except Misused as error:
            content, failed, misused = str(error), True, misused + 1
        except (EditRejected, WorkspaceError, FileNotFoundError, IsADirectoryError) as error:
            content, failed = str(error), True
        results.append(ToolResult(call.id, call.name, content, failed))
    return results, None, misused == len(calls)


async def _use(call: ToolCall, tools: Sequence[Tool], toolbox: Toolbox, seat: Seat) -> str:
    tool = next((tool for tool in tools if tool.spec.name == call.name), None)
    if tool is None:
        names = ", ".join(tool.spec.name for tool in tools)
        raise Misused(f"there is no tool {call.name!r}; there are {names}")
    arguments = _checked(call, tool.spec)
    target = next((str(arguments[k]) for k in ("path", "command", "pattern") if k in arguments), "")
    with seat.meter.timed("tools"):
        answer = await tool.handle(toolbox, arguments)
    seat.report(Kind.TOOL, f"{call.name} {target}".strip())
    return answer


def _checked(call: ToolCall, spec: ToolSpec) -> Mapping[str, Any]:
    """The call's arguments if they fit the schema, which is flat by design."""
    if call.arguments is None:
        raise Misused(f"the arguments of {call.name} are not a JSON object: {call.raw[:200]}")
    properties, required = spec.schema["properties"], spec.schema["required"]
    missing = [name for name in required if name not in call.arguments]
    unknown = [name for name in call.arguments if name not in properties]
    if missing or unknown:
        wrong = [f"missing {name}" for name in missing] + [f"unknown {name}" for name in unknown]
        raise Misused(f"{call.name}: {', '.join(wrong)}; it takes {', '.join(properties)}")
    for name, value in call.arguments.items():
        kind = properties[name].get("type", "string")
        if not isinstance(value, _TYPES[kind]):
            raise Misused(f"{call.name}: {name} must be of type {kind}")
        allowed = properties[name].get("enum")
        if allowed and value not in allowed:
            raise Misused(f"{call.name}: {name} must be one of {', '.join(allowed)}")
    return call.arguments
