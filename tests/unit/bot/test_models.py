"""`acp models`: what is configured, what it costs, and what the vendors offer."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap import operator_rules, pipeline_of
from bot.bootstrap.models import prices_of, seated
from bot.bootstrap_worker import choices_within
from bot.domain.repo_config import narrow, read
from bot.domain.runs import Actor, FrozenText, RepositoryId, RunRequest
from bot.emulators.models.server import ModelServer
from bot.entrypoints.cli_models import models
from bot.errors import Misconfigured
from bot.settings import Settings
from pipeline.agents.seated import ModelAgent
from pipeline.errors import LLMMisconfigured
from pipeline.sandbox.none import NoSandbox

FILE = """
[models]
coder = "openai:made-up-1"
reviewer = "google:made-up-2"
[effort]
reviewer = "high"
[prices."openai:made-up-1"]
input = 1.5
cached = 0.15
output = 6
checked = "2026-11-22"
"""


def a_settings(**values: Any) -> Settings:
    return Settings.model_validate(values)


def asked(settings: Settings, capsys: pytest.CaptureFixture[str], **flags: bool) -> tuple[int, str]:
    args = argparse.Namespace(**{"json": False, "offline": True, **flags})
    code = models(settings, args)
    return code, "".join(capsys.readouterr())


def test_each_seat_is_listed_with_its_price_and_who_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "models.toml"
    file.write_text(FILE)
    settings = a_settings(
        OPENAI_API_KEY="sk-canary",
        ACP_MODELS_FILE=file,
        ACP_MODEL_CLAUDE="anthropic:claude-sonnet-5-5, openai:made-up-3",
        ACP_EFFORT_CODER="low",
    )
    code, said = asked(settings, capsys)
    gpt, claude, fallback, tests, qa = said.splitlines()
    assert code == 0
    assert gpt == (
        "gpt     openai:made-up-1 · responses · effort low · $1.5 in, $0.15 cached, $1.5 cache "
        f"written, $6 out per million (your own, checked 2026-11-22) · from {file}"
    )
    assert "claude-sonnet-5-5 · messages · effort low · $2 in, $0.1 cached, $2.5 cache" in claude
    assert claude.endswith("(genai-prices 0.2.3) · from ACP_MODEL_CLAUDE · NO KEY")
    assert "openai:made-up-3" in fallback
    assert "price UNKNOWN: a limit in dollars refuses it" in fallback
    assert "more above 272,000 tokens" in tests  # the one vendor with a key takes the empty seat
    assert "from shipped, checked 2026-" in tests
    assert "google:made-up-2 · generate v1beta · effort high" in qa
    assert "sk-canary" not in said


def test_machines_get_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = asked(a_settings(), capsys, json=True)
    rows = json.loads(said)["models"]
    assert code == 0
    assert [row["seat"] for row in rows] == ["gpt", "claude", "tests", "qa"]
    assert [row["vendor"] for row in rows] == ["openai", "anthropic", "anthropic", "google"]
    assert rows[0]["price"]["output"] == 10.0


def test_what_a_vendor_does_not_offer_is_flagged(capsys: pytest.CaptureFixture[str]) -> None:
    with ModelServer({}, offered=["made-up-1", "claude-sonnet-5-5"]) as server:
        settings = a_settings(
            OPENAI_API_KEY="sk-canary",
            OPENAI_BASE_URL=server.base_urls["openai"],
            ANTHROPIC_API_KEY="sk-canary",
            ANTHROPIC_BASE_URL=server.base_urls["anthropic"],
            ACP_MODEL_GPT="openai:made-up-1",
            ACP_MODEL_QA="openai:made-up-77",
        )
        code, said = asked(settings, capsys, offline=False)
    assert code == 1
    assert "openai offers 2: claude-sonnet-5-5, made-up-1" in said
    (unknown,) = [line for line in said.splitlines() if line.startswith("UNKNOWN")]
    assert unknown == (
        "UNKNOWN: openai does not offer made-up-77 (qa, ACP_MODEL_QA): choose one of its list"
    )


def test_a_vendor_that_does_not_answer_is_said_and_flags_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ModelServer({}) as server:
        gone = server.base_urls["google"]
    settings = a_settings(GOOGLE_API_KEY="canary", GOOGLE_GEMINI_BASE_URL=gone)
    code, said = asked(settings, capsys, offline=False)
    assert (code, "google did not tell what it offers" in said) == (0, True)


def test_the_models_of_a_repositorys_file_come_to_its_runs_within_the_operators_list(
    tmp_path: Path,
) -> None:
    settings = a_settings(
        ACP_DATA_DIR=str(tmp_path / "data"),
        ACP_MODEL_TESTER="openai:theirs",
        ACP_REPOSITORY_MODELS="openai:small, google:small",
    )
    rules = narrow(operator_rules(settings), read(b"models: {coder: openai:small}"))
    request = RunRequest(
        origin="label",
        repository=RepositoryId(1, "acme/shop", 1),
        issue=7,
        text=FrozenText("Fix it", "", Actor(7, "ann", "User")),
        requester=Actor(7, "ann", "User"),
        meaning="m",
        at="2026-11-22T10:00:00Z",
    )
    made = pipeline_of(settings, choices_within(settings, request, rules, 1.0), NoSandbox())
    seats = {one.name: one.models for one in made.agents if isinstance(one, ModelAgent)}
    assert seats["gpt"] == seats["claude"] == ("openai:small",)
    assert (seats["tests"], seats["qa"]) == (("openai:theirs",), ())


def test_a_flag_goes_before_the_repository_and_that_before_the_operators_variables() -> None:
    settings = a_settings(ACP_MODEL_CODER="openai:by-role", ACP_MODEL_GPT="openai:by-seat")
    gpt, claude, *_ = seated(settings, {"claude": "anthropic:flag"}, {"coder": "openai:repo"})
    assert (gpt.models, gpt.source) == ("openai:repo", ".github/acp.yml")
    assert (claude.models, claude.source) == ("anthropic:flag", "--model")
    gpt, claude, *_ = seated(settings)
    assert (gpt.models, claude.models) == ("openai:by-seat", "openai:by-role")
    assert (gpt.source, claude.source) == ("ACP_MODEL_GPT", "ACP_MODEL_CODER")


def test_a_price_in_the_variable_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text(FILE)
    own = {"openai:made-up-1": {"input": 9, "output": 9, "checked": "2026-11-22"}}
    quote = prices_of(a_settings(ACP_MODELS_FILE=file, ACP_PRICES=own)).quote("openai", "made-up-1")
    assert quote is not None
    assert quote.rates.input == 9


def test_mistakes_name_the_place(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"ACP_MODELS_FILE: .* cannot be read"):
        seated(a_settings(ACP_MODELS_FILE=tmp_path / "none.toml"))
    with pytest.raises(LLMMisconfigured, match="ACP_EFFORT_CODER: there is no effort 'huge'"):
        seated(a_settings(ACP_EFFORT_CODER="huge"))
    with pytest.raises(LLMMisconfigured, match="no vendor 'nobody'"):
        seated(a_settings(ACP_MODEL_TESTER="nobody:x"))
    with pytest.raises(LLMMisconfigured, match="ACP_PRICES: prices of a:b"):
        prices_of(a_settings(ACP_PRICES={"a:b": {"input": 1}}))
