"""The demo's material: a small project with a real bug, its issue, the models' replies."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from pipeline.llm.base import LLMClient
from pipeline.llm.scripted import ScriptedClient, load_script

_LEFTOVERS = shutil.ignore_patterns("__pycache__", ".pytest_cache", ".ruff_cache")


def issue() -> str:
    """The issue's text; its first line is the title."""
    return files(__package__).joinpath("issue.md").read_text("utf-8")


def clients() -> dict[str, LLMClient]:
    """Seat -> a client that plays this seat's replies, which a person has written."""
    with as_file(files(__package__).joinpath("script.json")) as path:
        script = load_script(path)
    return {
        seat: ScriptedClient(turns, provider=f"script-{seat}", model="hand-written")
        for seat, turns in script.items()
    }


def lay_out(directory: Path) -> Path:
    """Make a git repository of the project below `directory`; returns its path."""
    import git

    where = directory / "timespan"
    with as_file(files(__package__).joinpath("project")) as project:
        shutil.copytree(project, where, ignore=_LEFTOVERS)
    author = git.Actor("Timespan maintainers", "maintainers@timespan.invalid")
    with git.Repo.init(where, initial_branch="main") as repository:
        paths = sorted(path for path in where.rglob("*") if path.is_file())
        repository.index.add([p for p in paths if ".git" not in p.relative_to(where).parts])
        repository.index.commit("timespan 0.3.0", author=author, committer=author, skip_hooks=True)
    return where
