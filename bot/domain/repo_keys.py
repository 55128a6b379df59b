"""The settings that `.github/acp.yml` may hold: their names, shapes and meanings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.domain.policy import HoldMode

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
_Login = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")]
_Label = Annotated[str, Field(min_length=1, max_length=50)]
_Glob = Annotated[str, Field(min_length=1, max_length=200)]
_Line = Annotated[str, Field(min_length=1, max_length=2000)]
_Models = Annotated[
    str, Field(max_length=500, pattern=r"^[a-z]+:[^\s,:]+([ ]*,[ ]*[a-z]+:[^\s,:]+)*$")
]
# A glob below the project's folder.
_REPORT = r"^([^/\\.][^/\\]*|\.[^/\\.][^/\\]*)(/([^/\\.][^/\\]*|\.[^/\\.][^/\\]*))*$|^$"
_FOLDER = r"^(\.|[^/\\.][^/\\]*(/[^/\\.][^/\\]*)*)$"


class RunLimits(BaseModel):
    """Bounds of the runs of this repository."""

    model_config = _STRICT
    usd_per_run: float | None = Field(
        default=None, gt=0, description="US dollars that a run may cost"
    )
    usd_per_day: float | None = Field(
        default=None, ge=0, description="US dollars that all runs of 24 hours may cost"
    )
    runs_per_issue: int | None = Field(
        default=None, ge=0, description="Runs of one issue in 24 hours"
    )
    runs_per_day: int | None = Field(default=None, ge=0, description="Runs in 24 hours")
    iterations: int | None = Field(default=None, ge=1, description="Passes of the loop in a run")
    minutes: int | None = Field(default=None, ge=1, description="Wall time of a run, in minutes")
    files: int | None = Field(default=None, ge=1, description="Files that a change may touch")
    lines: int | None = Field(
        default=None, ge=1, description="Lines that a change may add and remove"
    )


class ModelChoices(BaseModel):
    """Models by role, each one of those that the operator lets repositories choose."""

    model_config = _STRICT
    coder: _Models | None = Field(
        default=None,
        description="Model of the coders, as `vendor:model`, or several with commas between; only "
        "of those that the operator allows (`ACP_REPOSITORY_MODELS`)",
    )
    tester: _Models | None = Field(default=None, description="And the tester's")
    reviewer: _Models | None = Field(default=None, description="And the reviewer's")

    def chosen(self) -> dict[str, str]:
        """What is said, by role."""
        return {role: str(model) for role, model in self if model is not None}


class ProjectConfig(BaseModel):
    """One project of a repository that holds several. What is left out is found out."""

    model_config = _STRICT
    path: str = Field(
        min_length=1,
        max_length=200,
        pattern=_FOLDER,
        description="The project's folder; a change runs the tests of the projects that it touches",
    )
    setup: tuple[_Line, ...] = Field(
        default=(), max_length=50, description="As `setup`, run in the project's folder"
    )
    test: str = Field(default="", max_length=2000, description="As `test`")
    lint: str = Field(default="", max_length=2000, description="As `lint`")
    report: str = Field(
        default="", max_length=200, pattern=_REPORT, description="As `report`, in the same folder"
    )


class RepoConfig(BaseModel):
    """Settings of one repository. What is left out stays as the operator has set it."""

    model_config = _STRICT
    enabled: bool = Field(default=True, description="`false` switches the bot off here")
    hold: HoldMode | None = Field(
        default=None,
        description="When a proven change waits for `/acp push`: `never`, for tasks with text of "
        "`outsiders`, or `always`",
    )
    people: tuple[_Login, ...] | None = Field(
        default=None, max_length=200, description="Only these logins may give commands"
    )
    base: str = Field(
        default="", max_length=200, description="Branch to work from, if not the default one"
    )
    draft: bool = Field(default=False, description="`true` opens every pull request as a draft")
    unproven: Literal["comment", "draft"] | None = Field(
        default=None,
        description="What becomes of a change without complete evidence: a `comment`, or a "
        "`draft` where the operator allows it",
    )
    reviewers: tuple[_Login, ...] = Field(
        default=(), max_length=15, description="Logins that are asked for a review"
    )
    labels: tuple[_Label, ...] = Field(
        default=(), max_length=20, description="Labels of our pull requests"
    )
    protected: tuple[_Glob, ...] = Field(
        default=(), max_length=100, description="Further paths that no change may touch, as globs"
    )
    limits: RunLimits = Field(default=RunLimits(), description="Bounds of the runs")
    models: ModelChoices = Field(default=ModelChoices(), description="Models by role")
    setup: tuple[_Line, ...] = Field(
        default=(),
        max_length=50,
        description="Lines for a shell that install what the tests need, instead of what the "
        "files of the repository say; only package registries can be reached",
    )
    test: str = Field(default="", max_length=2000, description="Command that runs the tests")
    lint: str = Field(default="", max_length=2000, description="Command that checks the style")
    report: str = Field(
        default="",
        max_length=200,
        pattern=_REPORT,
        description="Files in which the command of the tests says what each test did, as JUnit's "
        "XML: a glob such as `reports/**/*.xml`",
    )
    projects: tuple[ProjectConfig, ...] = Field(
        default=(), max_length=50, description="The projects of a repository that holds several"
    )
