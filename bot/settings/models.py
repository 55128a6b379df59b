"""How models are reached, beyond their keys and addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_by = AliasChoices


class ModelSettings(BaseSettings):
    """What most setups leave as it is."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, case_sensitive=True, env_file=None
    )

    openai_wire: Literal["auto", "responses", "chat"] = Field(
        "auto",
        validation_alias=_by("ACP_OPENAI_WIRE"),
        description="`responses` or `chat`; `auto`: Responses at OpenAI, Chat Completions else",
    )
    openai_api_version: str | None = Field(
        None,
        validation_alias=_by("ACP_OPENAI_API_VERSION"),
        description="Azure's, as in `2025-04-01-preview`: then `OPENAI_BASE_URL` is the resource, "
        "and model ids are deployments",
    )
    google_api_version: Literal["v1beta", "v1"] = Field(
        "v1beta",
        validation_alias=_by("ACP_GOOGLE_API_VERSION"),
        description="Of the Gemini API, `v1beta` or `v1`; tools and previews live on the first",
    )
    model_concurrency: int = Field(
        8,
        validation_alias=_by("ACP_MODEL_CONCURRENCY"),
        description="Calls under way at one vendor at the same time, over all runs of the process",
        ge=1,
        le=1000,
    )
    model_coder: str | None = Field(
        None,
        validation_alias=_by("ACP_MODEL_CODER"),
        description="Model of both coders, where they have none of their own",
    )
    model_tester: str | None = Field(
        None, validation_alias=_by("ACP_MODEL_TESTER"), description="As `ACP_MODEL_TESTS`, by role"
    )
    model_reviewer: str | None = Field(
        None, validation_alias=_by("ACP_MODEL_REVIEWER"), description="As `ACP_MODEL_QA`, by role"
    )
    effort_coder: str | None = Field(
        None,
        validation_alias=_by("ACP_EFFORT_CODER"),
        description="How hard the coders' models think: `none`, `low`, `medium` or `high`",
    )
    effort_tester: str | None = Field(
        None, validation_alias=_by("ACP_EFFORT_TESTER"), description="And the tester's"
    )
    effort_reviewer: str | None = Field(
        None, validation_alias=_by("ACP_EFFORT_REVIEWER"), description="And the reviewer's"
    )
    models_file: Path | None = Field(
        None,
        validation_alias=_by("ACP_MODELS_FILE"),
        description="A TOML file with models, efforts and prices: "
        "[docs/reference/models.md](docs/reference/models.md)",
    )
    prompts_dir: Path | None = Field(
        None,
        validation_alias=_by("ACP_PROMPTS_DIR"),
        description="A directory with role texts of your own: "
        "[docs/reference/prompts.md](docs/reference/prompts.md)",
    )
    prices: dict[str, dict[str, Any]] = Field(
        {},
        validation_alias=_by("ACP_PRICES"),
        description="Prices of your own as JSON, in the shape of that file's `prices`",
    )
    repository_models: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(),
        validation_alias=_by("ACP_REPOSITORY_MODELS"),
        description="`VENDOR:MODEL`s, with commas between, that a repository may choose for itself "
        "in `.github/acp.yml`; none unless set",
    )
    max_calls: int = Field(
        400,
        validation_alias=_by("ACP_MAX_CALLS"),
        description="Model calls that a run may make, tries that failed included",
        ge=1,
    )

    @field_validator("repository_models", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return frozenset(word.strip() for word in value.split(",") if word.strip())
