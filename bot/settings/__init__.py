"""The only reader of the environment: variables and `.env`, read once into a frozen value.

A flag beats the environment, the environment beats `.env` in the current directory, that beats what
`acp setup` keeps in the data directory, and that the default. An address never comes from a less
trusted place than the key that is sent to it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from bot.errors import Misconfigured
from bot.settings.jira import JiraSettings
from bot.settings.kept import KEPT, KEPT_NAMES, first_mistake, keep_keys_home
from bot.settings.models import ModelSettings
from bot.settings.service import HOME, ServiceSettings, expanded

_by = AliasChoices


class Settings(ModelSettings, JiraSettings, ServiceSettings):
    """Everything that can be set. Secrets do not show in `repr`."""

    openai_api_key: SecretStr | None = Field(
        None, validation_alias=_by("OPENAI_API_KEY"), description="Key for OpenAI"
    )
    anthropic_api_key: SecretStr | None = Field(
        None, validation_alias=_by("ANTHROPIC_API_KEY"), description="Key for Anthropic"
    )
    google_api_key: SecretStr | None = Field(
        None, validation_alias=_by("GOOGLE_API_KEY", "GEMINI_API_KEY"), description="Key for Gemini"
    )
    openai_base_url: str | None = Field(
        None,
        validation_alias=_by("OPENAI_BASE_URL"),
        description="Another address for OpenAI (spoken to by Chat Completions)",
    )
    anthropic_base_url: str | None = Field(
        None,
        validation_alias=_by("ANTHROPIC_BASE_URL"),
        description="Another address for Anthropic",
    )
    google_base_url: str | None = Field(
        None,
        validation_alias=_by("GOOGLE_GEMINI_BASE_URL"),
        description="Another address for Gemini",
    )
    model_gpt: str | None = Field(
        None,
        validation_alias=_by("ACP_MODEL_GPT"),
        description="Model of the first coder, as MODEL or VENDOR:MODEL; several with commas: the "
        "next answers where one cannot",
    )
    model_claude: str | None = Field(
        None, validation_alias=_by("ACP_MODEL_CLAUDE"), description="Model of the second coder"
    )
    model_tests: str | None = Field(
        None, validation_alias=_by("ACP_MODEL_TESTS"), description="Model of the tester"
    )
    model_qa: str | None = Field(
        None, validation_alias=_by("ACP_MODEL_QA"), description="Model of the reviewer"
    )
    max_iterations: int = Field(
        3,
        validation_alias=_by("ACP_MAX_ITERATIONS"),
        description="Passes of the loop before it gives up",
        ge=1,
        le=50,
    )
    max_seconds: float = Field(
        3600.0,
        validation_alias=_by("ACP_MAX_SECONDS"),
        description="Wall time of a run, in seconds",
        gt=0,
    )
    max_tokens: int | None = Field(
        None,
        validation_alias=_by("ACP_MAX_TOKENS"),
        description="Tokens that all models of a run may use together",
        gt=0,
    )
    github_token: SecretStr | None = Field(
        None,
        validation_alias=_by("GITHUB_TOKEN"),
        description="Reads issues of private repositories; public ones need none",
    )
    github_api_url: str = Field(
        "https://api.github.com",
        validation_alias=_by("GITHUB_API_URL"),
        description="API of GitHub; for Enterprise Server https://HOST/api/v3",
    )
    jira_base_url: str | None = Field(
        None,
        validation_alias=_by("JIRA_BASE_URL"),
        description="Your Jira, such as https://acme.atlassian.net",
    )
    jira_email: str | None = Field(
        None,
        validation_alias=_by("JIRA_EMAIL"),
        description="Account of the Jira token; without it, the token is Data Center's own",
    )
    jira_api_token: SecretStr | None = Field(
        None, validation_alias=_by("JIRA_API_TOKEN"), description="API token for Jira"
    )
    no_color: str | None = Field(
        None, validation_alias=_by("NO_COLOR"), description="Any value switches colours off"
    )
    terminal: str = Field(
        "", validation_alias=_by("TERM"), description="`dumb` switches the live display off"
    )

    @field_validator(
        "github_api_url",
        "jira_base_url",
        "openai_base_url",
        "anthropic_base_url",
        "google_base_url",
    )
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.lower().startswith(("http://", "https://")):
            raise ValueError("must start with https:// or http://")
        return value

    @field_validator("jira_base_url")
    @classmethod
    def _without_login(cls, value: str | None) -> str | None:
        if value is not None and "@" in urlsplit(value).netloc:
            raise ValueError("must hold no login: it is shown; use JIRA_EMAIL and JIRA_API_TOKEN")
        return value

    @classmethod
    def load(cls, env_file: Path = Path(".env")) -> Self:
        """Read the environment, `env_file` and what `acp setup` kept. Raises Misconfigured.

        Neither file needs to exist.
        """
        environment = EnvSettingsSource(cls)()
        dotenv = _read(cls, env_file)
        home = environment.get("ACP_DATA_DIR") or dotenv.get("ACP_DATA_DIR") or HOME
        kept = _read(cls, expanded(Path(str(home))) / KEPT)
        keep_keys_home(environment, dotenv, kept)
        lowest = {n: kept[n] for n in KEPT_NAMES if n in kept and n not in environment | dotenv}
        try:
            return cls(_env_file=env_file, **lowest)  # type: ignore[call-arg]  # by BaseSettings
        except ValidationError as error:
            raise Misconfigured(first_mistake(error)) from None

    def vendors(self) -> tuple[str, ...]:
        """The vendors whose models can be asked."""
        keys = {
            "openai": self.openai_api_key,
            "anthropic": self.anthropic_api_key,
            "google": self.google_api_key,
        }
        return tuple(vendor for vendor, key in keys.items() if key)

    def secrets(self) -> tuple[str, ...]:
        """Every secret value that is set: what must never be printed."""
        return tuple(self.named_secrets().values())

    def named_secrets(self) -> dict[str, str]:
        """The same by the name of the setting."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {n: v.get_secret_value() for n, v in values.items() if isinstance(v, SecretStr)}


def _read(settings: type[Settings], file: Path) -> dict[str, Any]:
    try:
        return DotEnvSettingsSource(settings, file)()
    except (OSError, UnicodeError):
        raise Misconfigured(f"{file} cannot be read; mend its rights or remove it") from None


_SERVICE = {
    **ServiceSettings.model_fields,
    **JiraSettings.model_fields,
    **ModelSettings.model_fields,
}
_MORE = (
    "\nThe settings of `acp serve` and the GitHub App: "
    "[docs/reference/settings.md](docs/reference/settings.md).\n"
)


def settings_table() -> str:
    """The settings of runs as a Markdown table: variable, meaning, default."""
    return _table(lambda name: name not in _SERVICE) + _MORE


def service_table() -> str:
    """The settings of the service as a Markdown table."""
    return _table(lambda name: name in _SERVICE)


def _table(wanted: Callable[[str], bool]) -> str:
    rows = ["| Variable | What it sets | Default |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        if wanted(name):
            names = " or ".join(f"`{one}`" for one in _names(field.validation_alias))
            rows.append(f"| {names} | {field.description} | {_shown(field.default)} |")
    return "\n".join(rows) + "\n"


def _shown(default: object) -> str:
    if default is None or default in ("", frozenset(), {}):
        return ""
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def _names(alias: object) -> list[str]:
    choices = alias.choices if isinstance(alias, AliasChoices) else []
    return [str(choice) for choice in choices]
