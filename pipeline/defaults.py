"""The default line-up: GPT drafts, Claude improves, Ruff formats, Claude tests, Gemini reviews."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict, Unpack

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
from pipeline.verification.verifier import Bounds

if TYPE_CHECKING:
    from pipeline.llm.vendors import VendorOptions

ROLES = {"gpt": "coder", "claude": "coder", "tests": "tester", "qa": "reviewer"}
SEATS = tuple(ROLES)


class Host(TypedDict, total=False):
    """What a pipeline runs with; the arguments of `AgenticCodingPipeline` of the same names."""

    max_iterations: int
    limits: Limits | None
    sandbox: Sandbox | None
    python: Path | None
    supply: Supply | None
    kept: Path | None
    redact: Redactor | None
    prices: Prices | None
    bounds: Bounds


def build_pipeline(  # noqa: PLR0913 - one keyword per thing an operator may choose
    *,
    models: Mapping[str, str] | None = None,
    clients: Mapping[str, LLMClient] | None = None,
    keys: Mapping[str, VendorOptions] | None = None,
    efforts: Mapping[str, Effort] | None = None,
    prompts: Mapping[str, str] | None = None,
    testers: bool = True,
    reviewers: bool = True,
    **host: Unpack[Host],
) -> AgenticCodingPipeline:
    """The default pipeline.

    `models` maps a seat of `SEATS` to "vendor:model", to a bare model id, or to several with commas
    between, each for when the one before cannot answer; `clients` maps a seat to a client of your
    own, `efforts` to how hard its model thinks, `prompts` to its role text; `keys` maps a vendor to
    its key and address, where they do not stand in the environment. `testers` or `reviewers` False
    leaves the role out. Raises LLMMisconfigured for an unknown seat or vendor.
    """
    named = (models, clients, efforts, prompts)
    if unknown := sorted({seat for table in named for seat in table or ()} - set(SEATS)):
        raise LLMMisconfigured(f"no seat {', '.join(unknown)}; there are {', '.join(SEATS)}")

    def chosen(seat: str) -> dict[str, Any]:
        own = {
            "llm": (clients or {}).get(seat),
            "effort": (efforts or {}).get(seat),
            "prompt": (prompts or {}).get(seat),
        }
        return _choice((models or {}).get(seat), keys or {}) | own

    return AgenticCodingPipeline(
        coders=[CodingAgent("gpt", **chosen("gpt")), CodingAgent("claude", **chosen("claude"))],
        formatters=[FormattingAgent()],
        testers=[TestingAgent("tests", **chosen("tests"))] if testers else [],
        reviewers=[QAAgent("qa", **chosen("qa"))] if reviewers else [],
        **host,
    )


def _choice(wanted: str | None, keys: Mapping[str, VendorOptions]) -> dict[str, Any]:
    """The agent's `models` and `options` for "vendor:model, vendor:model", "model", or nothing."""
    if not wanted:
        return {"options": dict(keys)}
    models = tuple(model.strip() for model in wanted.split(","))
    for model in models:
        vendors.split_model(model)
    return {"models": models, "options": dict(keys)}
