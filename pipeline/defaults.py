"""The default line-up: GPT drafts, Claude improves, Ruff formats, Claude tests, Gemini reviews."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.agents import CodingAgent, FormattingAgent, QAAgent, TestingAgent
from pipeline.environment.supply import Supply
from pipeline.errors import LLMMisconfigured
from pipeline.limits import Limits
from pipeline.llm import vendors
from pipeline.llm.base import Effort, LLMClient
from pipeline.llm.pricing import Prices
from pipeline.orchestrator import AgenticCodingPipeline
from pipeline.redaction import Redactor
from pipeline.sandbox.base import Sandbox

if TYPE_CHECKING:
    from pipeline.llm.vendors import VendorOptions

ROLES = {"gpt": "coder", "claude": "coder", "tests": "tester", "qa": "reviewer"}
SEATS = tuple(ROLES)


def build_pipeline(  # noqa: PLR0913 - one keyword per thing an operator may choose
    *,
    models: Mapping[str, str] | None = None,
    clients: Mapping[str, LLMClient] | None = None,
    keys: Mapping[str, VendorOptions] | None = None,
    sandbox: Sandbox | None = None,
    python: Path | None = None,
    supply: Supply | None = None,
    kept: Path | None = None,
    max_iterations: int = 3,
    limits: Limits | None = None,
    testers: bool = True,
    reviewers: bool = True,
    redact: Redactor | None = None,
    efforts: Mapping[str, Effort] | None = None,
    prompts: Mapping[str, str] | None = None,
    prices: Prices | None = None,
) -> AgenticCodingPipeline:
    """The default pipeline.

    `models` maps a seat of `SEATS` to "vendor:model", to a bare model id, or to several with commas
    between, each for when the one before cannot answer; `clients` maps a seat to a client of your
    own; `keys` maps a vendor to its key and address, for those that do not stand in the
    environment. `supply` installs what tests need; `testers` or `reviewers` False leaves the role
    out; `redact` knows the secrets that no model may see. `efforts` maps a seat to how hard its
    model thinks, `prompts` to its role text; `prices` go before the shipped table. `kept` is a
    directory for what later runs can use again.
    Raises LLMMisconfigured for an unknown seat or vendor.
    """
    unknown = sorted({*(models or {}), *(clients or {}), *(prompts or {})} - set(SEATS))
    if unknown:
        raise LLMMisconfigured(f"no seat {', '.join(unknown)}; there are {', '.join(SEATS)}")

    def chosen(seat: str) -> dict[str, Any]:
        own = {"llm": (clients or {}).get(seat), "effort": (efforts or {}).get(seat)}
        own["prompt"] = (prompts or {}).get(seat)
        return _choice((models or {}).get(seat), keys or {}) | own

    return AgenticCodingPipeline(
        coders=[CodingAgent("gpt", **chosen("gpt")), CodingAgent("claude", **chosen("claude"))],
        formatters=[FormattingAgent()],
        testers=[TestingAgent("tests", **chosen("tests"))] if testers else [],
        reviewers=[QAAgent("qa", **chosen("qa"))] if reviewers else [],
        max_iterations=max_iterations,
        limits=limits,
        sandbox=sandbox,
        python=python,
        supply=supply,
        kept=kept,
        redact=redact,
        prices=prices,
    )


def _choice(wanted: str | None, keys: Mapping[str, VendorOptions]) -> dict[str, Any]:
    """The agent's `models` and `options` for "vendor:model, vendor:model", "model", or nothing."""
    if not wanted:
        return {"options": dict(keys)}
    models = tuple(model.strip() for model in wanted.split(","))
    for model in models:
        vendors.split_model(model)
    return {"models": models, "options": dict(keys)}
