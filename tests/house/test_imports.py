"""The import budget: what a first import and the first help page must not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "openai", "anthropic", "google.genai", "httpx", "httpx2", "pydantic", "jinja2", "git", "github",
    "jira", "genai_prices", "fastapi", "starlette", "uvicorn", "sqlalchemy", "dbos", "pytest",
)  # fmt: skip
COUNT = "import sys; print(*[m for m in {heavy!r} if m in sys.modules])"


def loaded_after(statement: str) -> list[str]:
    code = f"{statement}\n{COUNT.format(heavy=HEAVY)}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(
    "statement",
    [
        "import pipeline",
        "from pipeline import AgenticCodingPipeline, files, PipelineState, Checkpoint",
        "from pipeline.agents import CodingAgent, FormattingAgent, TestingAgent, QAAgent",
        "from pipeline.defaults import build_pipeline; build_pipeline()",
        "import bot",
        "from bot.entrypoints.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
    ],
)
def test_a_light_import_loads_nothing_heavy(statement: str) -> None:
    assert loaded_after(statement) == []


def test_the_budget_itself_can_fail() -> None:
    assert "pydantic" in loaded_after("import pydantic")
