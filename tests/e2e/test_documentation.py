"""What the documents show is run as it stands, with real SDKs and a scripted server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.emulators.models.server import ModelServer
from bot.emulators.models.stage import Incoming
from bot.settings import settings_table

ROOT = Path(__file__).parents[2]
TEST = "from {m} import f\n\n\ndef test_f():\n    assert f() == 1\n"


def code_of(document: str) -> str:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text("utf-8"), re.DOTALL)
    return str(block)


def tool(name: str, **args: Any) -> dict[str, Any]:
    return {"tools": [{"name": name, "args": args}]}


def verdict(file: str) -> dict[str, Any]:
    point = {"criterion": "f", "verdict": "PASS", "why": "", "file": file, "line": 1}
    return {"json": {"criteria": [point], "findings": [], "verdict": "PASS"}}


def script(*modules: tuple[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Turns for runs in which the first coder creates a module, for each (module, task)."""
    seats: dict[str, list[dict[str, Any]]] = {"gpt": [], "claude": [], "tests": [], "qa": []}
    done = tool("finish", summary="done")
    for module, task in modules:
        source = "def f():\n    return 1\n"
        seats["gpt"] += [tool("create", path=f"{module}.py", content=source), done]
        seats["claude"] += [done]
        seats["tests"] += [tool("submit", kind="feature", quote=task, test=TEST.format(m=module))]
        seats["qa"] += [verdict(f"{module}.py")]
    return seats


def seat_of(incoming: Incoming) -> str:
    if incoming.vendor == "anthropic":
        return "tests" if incoming.system.startswith("You write one test") else "claude"
    return {"openai": "gpt", "google": "qa"}[incoming.vendor]


def test_the_readmes_library_door_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "path/or/url"
    repository.mkdir(parents=True)
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.invalid")
    for words in (("init", "-q"), (*identity, "commit", "-q", "--allow-empty", "-m", "base")):
        subprocess.run(["git", *words], cwd=repository, check=True)
    monkeypatch.chdir(tmp_path)
    seats = script(("sieve", "Implement a prime sieve"), ("auth", "Refactor auth middleware"))
    with ModelServer(seats, seats=seat_of) as server:
        for key, value in server.environment.items():
            monkeypatch.setenv(key, value)
        names: dict[str, Any] = {}
        exec(code_of("README.md"), names)
    result = names["result"]
    assert result["status"] == "completed"
    assert list(names["files"](result)) == ["auth.py"]
    assert result["notes"] == []


def test_the_guide_to_agents_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(code_of("docs/reference/agents.md"), {"__name__": "guide"})


def test_the_readmes_settings_are_the_settings() -> None:
    shown = (ROOT / "README.md").read_text("utf-8")
    between = shown.partition("checked by a test -->\n")[2].partition("<!-- settings end")[0]
    assert between == settings_table(), "put the output of bot.settings.settings_table() there"
