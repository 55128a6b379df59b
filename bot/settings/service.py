"""The settings of the service: `acp serve`, `acp worker` and what belongs to the GitHub App."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from bot.domain.policy import HoldMode
from bot.errors import Misconfigured
from bot.settings.environments import EnvironmentSettings

HOME = Path("~/.local/share/acp")
_LARGEST_ID = 2**63 - 1
_by = AliasChoices


def expanded(path: Path) -> Path:
    """The path with its `~` put in full, where the account has a home."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


class ServiceSettings(EnvironmentSettings):
    """What the command line alone does not need."""

    data_dir: Path = Field(
        HOME,
        validation_alias=_by("ACP_DATA_DIR"),
        description="Databases, and the App's key as `acp setup` wrote it; mode 0700",
    )
    host: str = Field(
        "127.0.0.1", validation_alias=_by("ACP_HOST"), description="Address to listen on"
    )
    port: int = Field(
        8080,
        validation_alias=_by("ACP_PORT"),
        description="Port to listen on; 0 takes a free one",
        ge=0,
        le=65535,
    )
    public_url: str | None = Field(
        None,
        validation_alias=_by("ACP_PUBLIC_URL"),
        description="Where GitHub and people reach us, such as https://acp.example.com",
    )
    github_app_id: str | None = Field(
        None,
        validation_alias=_by("ACP_GITHUB_APP_ID"),
        description="Id of the App; `acp setup` fills in this and the next three",
    )
    github_private_key: SecretStr | None = Field(
        None,
        validation_alias=_by("ACP_GITHUB_PRIVATE_KEY"),
        description="The App's private key, the whole PEM text",
    )
    github_private_key_file: Path | None = Field(
        None,
        validation_alias=_by("ACP_GITHUB_PRIVATE_KEY_FILE"),
        description="Or the file that holds it",
    )
    github_webhook_secret: SecretStr | None = Field(
        None,
        validation_alias=_by("ACP_GITHUB_WEBHOOK_SECRET"),
        description="Signs the App's deliveries",
    )
    github_webhook_secret_previous: SecretStr | None = Field(
        None,
        validation_alias=_by("ACP_GITHUB_WEBHOOK_SECRET_PREVIOUS"),
        description="Accepted as well, while one secret replaces the other",
    )
    label: str = Field(
        "agentic-fix",
        validation_alias=_by("ACP_LABEL"),
        description="The label that starts a run",
        min_length=1,
        max_length=50,
    )
    hold: HoldMode = Field(
        "outsiders",
        validation_alias=_by("ACP_HOLD"),
        description="When a proven change waits for `/acp push`: `never`, for tasks with text of "
        "`outsiders`, or `always`",
    )
    allowed_bots: Annotated[frozenset[int], NoDecode] = Field(
        frozenset(),
        validation_alias=_by("ACP_ALLOWED_BOTS"),
        description="Ids of bot accounts that may give commands, with commas between",
    )
    max_usd_run: float = Field(
        3.0,
        validation_alias=_by("ACP_MAX_USD_RUN"),
        description="US dollars that a run may cost",
        gt=0,
    )
    max_usd_repository_day: float = Field(
        20.0,
        validation_alias=_by("ACP_MAX_USD_REPOSITORY_DAY"),
        description="US dollars that the runs of a repository may cost in 24 hours",
        ge=0,
    )
    max_runs_day: int = Field(
        20,
        validation_alias=_by("ACP_MAX_RUNS_DAY"),
        description="Runs of a repository in 24 hours",
        ge=0,
    )
    workers: int = Field(
        2,
        validation_alias=_by("ACP_WORKERS"),
        description="Runs at once; 0: this process only answers, `acp worker` runs elsewhere",
        ge=0,
        le=64,
    )

    retention_days: int = Field(
        30,
        validation_alias=_by("ACP_RETENTION_DAYS"),
        description="Days until deliveries, and what the engine knows of ended runs, are "
        "forgotten; runs and their logs stay",
        ge=4,
    )

    @field_validator("allowed_bots", mode="before")
    @classmethod
    def _ids(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        words = [word.strip() for word in value.split(",") if word.strip()]
        if not all(word.isascii() and word.isdigit() and len(word) < 20 for word in words):  # noqa: PLR2004
            raise ValueError("must be ids of accounts (whole numbers) with commas between")
        return frozenset(map(int, words))

    @field_validator("public_url")
    @classmethod
    def _is_public(cls, value: str | None) -> str | None:
        if value is not None and not value.lower().startswith(("http://", "https://")):
            raise ValueError("must start with https:// or http://")
        return value.rstrip("/") if value else value

    @field_validator("data_dir", "github_private_key_file")
    @classmethod
    def _expanded(cls, value: Path | None) -> Path | None:
        return None if value is None else expanded(value)

    def app_key(self) -> str:
        """The App's private key as PEM text; "" where none is set. Raises Misconfigured."""
        if self.github_private_key is not None:
            return self.github_private_key.get_secret_value()
        if self.github_private_key_file is None:
            return ""
        try:
            return self.github_private_key_file.read_text("utf-8")
        except (OSError, UnicodeError):
            raise Misconfigured(
                f"the App's key {self.github_private_key_file} cannot be read; mend its rights, "
                "or ACP_GITHUB_PRIVATE_KEY_FILE"
            ) from None

    def webhook_secrets(self) -> tuple[bytes, ...]:
        """What may have signed a delivery: the present secret, then the previous one."""
        both = (self.github_webhook_secret, self.github_webhook_secret_previous)
        return tuple(s.get_secret_value().encode() for s in both if s and s.get_secret_value())

    def reached_at(self) -> str:
        """The address that people and GitHub use, without a slash at its end."""
        if self.public_url:
            return self.public_url
        host = "localhost" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def missing_for_app(self) -> tuple[str, ...]:
        """The variables without which the GitHub App cannot work."""
        key = self.github_private_key or self.github_private_key_file
        needed = {
            "ACP_GITHUB_APP_ID": self.github_app_id,
            "ACP_GITHUB_PRIVATE_KEY": key,
            "ACP_GITHUB_WEBHOOK_SECRET": self.github_webhook_secret,
        }
        return tuple(name for name, value in needed.items() if not value)
