"""The settings of Jira as a tracker: who may start runs from tickets, and where."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.domain.jira_policy import TicketRules
from bot.domain.refs import RepoRef
from bot.errors import BadReference

_by = AliasChoices
_LEAST_SECRET = 16


class JiraSettings(BaseSettings):
    """What the service needs to take runs from tickets."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, case_sensitive=True, env_file=None
    )

    jira_flavor: Literal["auto", "cloud", "dc"] = Field(
        "auto",
        validation_alias=_by("JIRA_FLAVOR"),
        description="`cloud` or `dc` (Data Center); `auto` goes by the address",
    )
    jira_token: SecretStr | None = Field(
        None,
        validation_alias=_by("ACP_JIRA_TOKEN"),
        description="What Automation rules send as `X-ACP-Token`",
    )
    jira_token_previous: SecretStr | None = Field(
        None,
        validation_alias=_by("ACP_JIRA_TOKEN_PREVIOUS"),
        description="Accepted as well, while one token replaces the other",
    )
    jira_webhook_secret: SecretStr | None = Field(
        None,
        validation_alias=_by("ACP_JIRA_WEBHOOK_SECRET"),
        description="Signs the deliveries of a Jira webhook",
    )
    jira_webhook_secret_previous: SecretStr | None = Field(
        None,
        validation_alias=_by("ACP_JIRA_WEBHOOK_SECRET_PREVIOUS"),
        description="Accepted as well, while one secret replaces the other",
    )
    jira_repositories: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=_by("ACP_JIRA_REPOSITORIES"),
        description="Repositories that tickets may name, such as `acme/shop, acme/api-*`",
    )
    jira_projects: Annotated[tuple[tuple[str, str], ...], NoDecode] = Field(
        (),
        validation_alias=_by("ACP_JIRA_PROJECTS"),
        description="Project to repository: `SHOP=acme/shop, OPS=acme/ops`",
    )
    jira_components: Annotated[tuple[tuple[str, str], ...], NoDecode] = Field(
        (),
        validation_alias=_by("ACP_JIRA_COMPONENTS"),
        description="Component to repository: `SHOP/Checkout=acme/checkout, Docs=acme/docs`",
    )
    jira_people: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=_by("ACP_JIRA_PEOPLE"),
        description="Account ids (Data Center: user names) that may start runs",
    )
    jira_groups: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=_by("ACP_JIRA_GROUPS"),
        description="Groups whose members may start runs",
    )
    jira_status: str = Field(
        "",
        validation_alias=_by("ACP_JIRA_STATUS"),
        description="Status that starts a run when a ticket enters it",
    )
    jira_repository_field: str = Field(
        "",
        validation_alias=_by("ACP_JIRA_REPOSITORY_FIELD"),
        description="Custom field that holds `owner/name`, by its name or id",
    )
    jira_criteria_field: str = Field(
        "",
        validation_alias=_by("ACP_JIRA_CRITERIA_FIELD"),
        description="Custom field with acceptance criteria, by its name or id",
    )
    jira_started: str = Field(
        "",
        validation_alias=_by("ACP_JIRA_STARTED"),
        description="Where a ticket moves when its run starts, such as `In Progress`",
    )
    jira_opened: str = Field(
        "",
        validation_alias=_by("ACP_JIRA_OPENED"),
        description="Where it moves when the pull request is open, such as `In Review`",
    )

    jira_merged: str = Field(
        "",
        validation_alias=_by("ACP_JIRA_MERGED"),
        description="Where it moves when the pull request is merged, such as `Done`",
    )

    @field_validator("jira_repositories", "jira_people", "jira_groups", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(word.strip() for word in value.split(",") if word.strip())

    @field_validator("jira_projects", "jira_components", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = []
        for word in filter(None, (one.strip() for one in value.split(","))):
            name, equals, repository = (part.strip() for part in word.partition("="))
            if not name or not equals:
                raise ValueError(f"write NAME=owner/name with commas between, not {word[:60]!r}")
            try:
                pairs.append((name, str(RepoRef.parse(repository))))
            except BadReference as error:
                raise ValueError(str(error)) from None
        return tuple(pairs)

    @field_validator(
        "jira_token",
        "jira_token_previous",
        "jira_webhook_secret",
        "jira_webhook_secret_previous",
    )
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _LEAST_SECRET:
            raise ValueError(f"needs {_LEAST_SECRET} characters at least: `openssl rand -hex 32`")
        return value

    def jira_keys(self) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """Tokens of rules and secrets of webhooks; of each the present one, then the previous."""
        return (
            _plain(self.jira_token, self.jira_token_previous),
            _plain(self.jira_webhook_secret, self.jira_webhook_secret_previous),
        )

    def ticket_rules(self, label: str) -> TicketRules:
        """What the operator allows of tickets. `label` is the one that starts a run."""
        return TicketRules(
            repositories=self.jira_repositories,
            projects=dict(self.jira_projects),
            components=dict(self.jira_components),
            people=frozenset(self.jira_people),
            groups=frozenset(self.jira_groups),
            status=self.jira_status,
            label=label,
        )


def _plain(*secrets: SecretStr | None) -> tuple[bytes, ...]:
    return tuple(s.get_secret_value().encode() for s in secrets if s and s.get_secret_value())
