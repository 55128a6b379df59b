"""How models are reached, beyond their keys and addresses."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

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
