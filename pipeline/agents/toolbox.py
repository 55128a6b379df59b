"""The tools that a model may call: short schemas, bounded answers, refusals that explain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.agents import editing, prompts
from pipeline.errors import EditRejected
from pipeline.llm.base import ToolSpec
from pipeline.sandbox.base import STOPPED, ExecResult, Limits
from pipeline.workspace import context
from pipeline.workspace.workspace import Workspace

_READ_LINES = 300
_LINE_CHARS = 400
_MATCHES = 80
_LISTED = 200
_OUTPUT_CHARS = 10_000
_MAX_RUN_S = 600


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What the tools work on. Paths in `protected` (or below) are refused to edits.

    `created` collects the paths made by `create`: other new files are scratch. `shown` holds the
    instruction files of subdirectories that the model has been shown.
    """

    workspace: Workspace
    protected: tuple[str, ...] = ()
    created: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)


Handler = Callable[[Toolbox, Mapping[str, Any]], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: what the model sees of it, and what it does."""

    spec: ToolSpec
    handle: Handler


def spec(name: str, description: str, required: Mapping[str, Any], **optional: Any) -> ToolSpec:
    """A ToolSpec whose arguments are given as name -> JSON type or schema."""
    properties = {
        key: {"type": kind} if isinstance(kind, str) else kind
        for key, kind in {**required, **optional}.items()
    }
    return ToolSpec(
        name,
        description,
        {
            "type": "object",
            "properties": properties,
            "required": list(required),
            "additionalProperties": False,
        },
    )


async def _list(toolbox: Toolbox, args: Mapping[str, Any]) -> str:
    directory = str(args.get("path", ".")).strip("/").removeprefix("./")
    prefix = "" if directory in ("", ".") else f"{directory}/"
    paths = [path for path in await toolbox.workspace.files() if path.startswith(prefix)]
    if not paths:
        return f"nothing under {directory or '.'}"
    return context.listing([path.removeprefix(prefix) for path in paths], limit=_LISTED)


async def _search(toolbox: Toolbox, args: Mapping[str, Any]) -> str:
    """grep inside the sandbox: a hostile pattern can only burn its own time limit."""
    where = str(args.get("path", ".")) or "."
    command = ["grep", "-rnIE", "--exclude-dir=.git", "-e", str(args["pattern"]), "--", where]
    result = await toolbox.workspace.exec(command, limits=Limits(wall_s=20))
    if result.code == 1:
        return "no match"
    if result.code != 0:
        raise EditRejected(f"search failed: {clip(result.text, 500) or result.reason}")
    found = sorted(result.text.splitlines(), key=_place)
    more = [f"... {len(found) - _MATCHES} more matches"] if len(found) > _MATCHES else []
    return "\n".join([_cut(line.removeprefix("./")) for line in found[:_MATCHES]] + more)


def _place(match: str) -> tuple[str, int]:
    path, _, rest = match.partition(":")
    number = rest.partition(":")[0]
    return path, int(number) if number.isdigit() else 0


async def _read(toolbox: Toolbox, args: Mapping[str, Any]) -> str:
    text = await toolbox.workspace.read(args["path"])
    lines = text.splitlines()
    start = max(1, args.get("start", 1))
    end = min(len(lines), args.get("end", start + _READ_LINES - 1), start + _READ_LINES - 1)
    shown = [f"{n}| {_cut(lines[n - 1])}" for n in range(start, end + 1)]
    if not shown:
        return f"{args['path']} has {len(lines)} lines"
    if end < len(lines):
        shown.append(f"... {len(lines) - end} more lines; the file has {len(lines)}")
    return "\n".join(shown) + await _local_rules(toolbox, args["path"])


async def _local_rules(toolbox: Toolbox, path: str) -> str:
    """The instruction file nearest to a path, the first time that the model reads near it."""
    found = await context.nearest_instructions(toolbox.workspace, path)
    if found is None or found.path in toolbox.shown:
        return ""
    toolbox.shown.add(found.path)
    return f"\n\n{prompts.fenced(found.text, 'repository_instructions')}"


async def _edit(toolbox: Toolbox, args: Mapping[str, Any]) -> str:
    path = _writable(toolbox, args["path"])
    before = await toolbox.workspace.read(path)
    after = editing.replace(before, args["old"], args["new"])
    editing.check_python(path, before, after)
    await toolbox.workspace.write(path, after)
    return f"edited {path}"


async def _create(toolbox: Toolbox, args: Mapping[str, Any]) -> str:
    path = _writable(toolbox, args["path"])
    if path in await toolbox.workspace.files():
        raise EditRejected(f"{path} exists: use edit, or delete it first")
    editing.check_marks("", args["content"])
    editing.check_python(path, None, args["content"])
    await toolbox.workspace.write(path, args["content"])
    toolbox.created.add(path)
    return f"created {path}"


async def _delete(toolbox: Toolbox, args: Mapping[str, Any]) -> str:
    path = _writable(toolbox, args["path"])
    await toolbox.workspace.delete(path)
    return f"deleted {path}"


async def _run(toolbox: Toolbox, args: Mapping[str, Any]) -> str:
    wall = min(float(args.get("timeout_s", 120)), _MAX_RUN_S)
    limits = replace(Limits(), wall_s=wall)
    result = await toolbox.workspace.exec(["bash", "-c", args["command"]], limits=limits)
    return f"{outcome(result)}\n{clip(result.text, _OUTPUT_CHARS)}"


def _writable(toolbox: Toolbox, path: str) -> str:
    path = path.removeprefix("./")
    if any(path == own or path.startswith(f"{own}/") for own in toolbox.protected):
        raise EditRejected(f"{path} belongs to the tester and is not yours to edit")
    return path


def outcome(result: ExecResult) -> str:
    """How a command ended, in a few words."""
    if result.reason == "timeout":
        return f"stopped after {result.wall_s:.0f} s: time limit"
    if result.reason == "output":
        return "stopped: too much output"
    if result.reason in {"memory", "processes", "disk"}:
        return f"stopped: {STOPPED[result.reason]}"
    return f"exit {result.code}" if result.code is not None else f"killed by signal {result.signal}"


def clip(text: str, limit: int) -> str:
    """`text`, or its head and tail with a line between that counts what is left out."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"


def _cut(line: str) -> str:
    return line if len(line) <= _LINE_CHARS else f"{line[:_LINE_CHARS]}..."


READERS: Sequence[Tool] = (
    Tool(spec("list", "List a directory.", {}, path="string"), _list),
    Tool(
        spec(
            "search",
            "Search files by extended regular expression.",
            {"pattern": "string"},
            path="string",
        ),
        _search,
    ),
    Tool(
        spec(
            "read",
            "Read lines of a file (1-based, inclusive).",
            {"path": "string"},
            start="integer",
            end="integer",
        ),
        _read,
    ),
)
WRITERS: Sequence[Tool] = (
    Tool(
        spec(
            "edit",
            "Replace the only occurrence of old by new.",
            {"path": "string", "old": "string", "new": "string"},
        ),
        _edit,
    ),
    Tool(spec("create", "Create a file.", {"path": "string", "content": "string"}), _create),
    Tool(spec("delete", "Delete a file.", {"path": "string"}), _delete),
    Tool(
        spec(
            "run",
            "Run a bash command in the sandbox (no network).",
            {"command": "string"},
            timeout_s="integer",
        ),
        _run,
    ),
)
