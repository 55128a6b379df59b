"""A repository's own settings, `.github/acp.yml`: they may only narrow what the operator allows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, TypeVar

import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ValidationError
from typing_extensions import override

from bot.domain.branches import valid
from bot.domain.policy import CONFIG, HOLD_MODES, Rules
from bot.domain.repo_keys import ModelChoices, ProjectConfig, RepoConfig, RunLimits
from bot.errors import UserError
from pipeline.environment.plan import Recipe

PATH = CONFIG
_LARGEST = 32_768
_DEEPEST = 8
_N = TypeVar("_N", int, float)
_MENDS = {
    "model_type": "must be a mapping: settings, each on its line as `name: value`",
    "tuple_type": "must be a list: `[one, two]`",
    "int_type": "must be a whole number",
    "bool_type": "must be `true` or `false`",
    "float_type": "must be a number",
    "string_type": "must be a text",
    "string_pattern_mismatch": "is no login: write it without `@`",
    "missing": "is missing: a project needs it",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `line` counts from 1, 0 where no line can be named; `field` is dotted."""

    line: int
    field: str
    text: str

    @override
    def __str__(self) -> str:
        where = [f"line {self.line}"] if self.line else []
        where += [f"`{self.field}`"] if self.field else []
        return f"{', '.join(where)}: {self.text}" if where else self.text


class WrongConfig(UserError):
    """The settings cannot be used; `problems` say where and how to mend them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{PATH} is wrong: " + "; ".join(map(str, problems)))
        self.problems = tuple(problems)


def read(data: bytes) -> RepoConfig:
    """The settings of a file. Raises WrongConfig."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise WrongConfig([Problem(0, "", "the file is not UTF-8 text")]) from None
    if len(data) > _LARGEST:
        raise WrongConfig([Problem(0, "", f"the file is larger than {_LARGEST:,} bytes")])
    node, plain = _parsed(text)
    try:
        config = RepoConfig.model_validate_json(plain)
    except ValidationError as error:
        raise WrongConfig([_problem(node, one) for one in error.errors()]) from None
    if config.base and not valid(config.base):
        raise WrongConfig([Problem(_line(node, ("base",)), "base", "no branch can be named so")])
    if config.projects and (config.setup or config.test or config.lint or config.report):
        text = "stands beside `setup`, `test`, `lint` or `report`: give each project its own"
        raise WrongConfig([Problem(_line(node, ("projects",)), "projects", text)])
    return config


def recipes(config: RepoConfig) -> tuple[Recipe, ...]:
    """How the repository's projects are set up and tested; none where nothing is said."""
    if config.projects:
        return tuple(_recipe(one.path, one) for one in config.projects)
    own = _recipe(".", config)
    return () if own == Recipe() else (own,)


def _recipe(path: str, said: RepoConfig | ProjectConfig) -> Recipe:
    return Recipe(path, said.setup, said.test, said.lint, said.report)


def narrow(rules: Rules, config: RepoConfig) -> Rules:
    """The rules of a repository: never more than the operator's.

    Raises WrongConfig for a model that the operator does not let repositories choose.
    """
    limits = config.limits
    return replace(
        rules,
        enabled=rules.enabled and config.enabled,
        hold=max(rules.hold, config.hold or rules.hold, key=HOLD_MODES.index),
        usd_per_run=_least(rules.usd_per_run, limits.usd_per_run),
        usd_per_day=_least(rules.usd_per_day, limits.usd_per_day),
        runs_per_issue=_least(rules.runs_per_issue, limits.runs_per_issue),
        runs_per_day=_least(rules.runs_per_day, limits.runs_per_day),
        max_iterations=_least(rules.max_iterations, limits.iterations),
        max_minutes=_least(rules.max_minutes, limits.minutes),
        max_files=_least(rules.max_files, limits.files),
        max_lines=_least(rules.max_lines, limits.lines),
        drafts=rules.drafts and config.unproven != "comment",
        always_draft=rules.always_draft or config.draft,
        people=_fewer(rules.people, config.people),
        protected=tuple(dict.fromkeys((*rules.protected, *config.protected))),
        reviewers=config.reviewers or rules.reviewers,
        labels=config.labels or rules.labels,
        base_branch=config.base or rules.base_branch,
        recipes=recipes(config) or rules.recipes,
        models=_allowed(rules, config.models),
    )


def _allowed(rules: Rules, asked: ModelChoices) -> dict[str, str]:
    """The models that a repository chooses for itself, by role. Raises WrongConfig."""
    chosen = asked.chosen()
    refused = {
        role: name.strip()
        for role, models in chosen.items()
        for name in models.split(",")
        if name.strip() not in rules.open_models
    }
    if refused:
        there = ", ".join(sorted(rules.open_models)) or "none"
        text = "is no model that the operator lets repositories choose; there are: "
        raise WrongConfig(
            [Problem(0, f"models.{role}", f"{m} {text}{there}") for role, m in refused.items()]
        )
    return chosen


def too_wide(rules: Rules, config: RepoConfig) -> tuple[str, ...]:
    """Sentences on settings that ask for more than the operator allows, and so have no effect."""
    held = {
        "usd_per_run": rules.usd_per_run,
        "usd_per_day": rules.usd_per_day,
        "runs_per_issue": rules.runs_per_issue,
        "runs_per_day": rules.runs_per_day,
        "iterations": rules.max_iterations,
        "minutes": rules.max_minutes,
        "files": rules.max_files,
        "lines": rules.max_lines,
    }
    asked = {name: getattr(config.limits, name) for name in held}
    found = [
        f"`limits.{name}: {asked[name]:g}` is more than the operator allows: {most:g} holds."
        for name, most in held.items()
        if asked[name] is not None and asked[name] > most
    ]
    if config.hold and HOLD_MODES.index(config.hold) < HOLD_MODES.index(rules.hold):
        found.append(f"`hold: {config.hold}` is less than the operator asks for: {rules.hold}.")
    if config.unproven == "draft" and not rules.drafts:
        found.append("`unproven: draft` is not allowed by the operator: a comment is written.")
    return tuple(found)


def schema_text() -> str:
    """The published JSON schema, as docs/reference/acp.schema.json holds it."""
    schema = RepoConfig.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": PATH}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def fields() -> Iterator[tuple[str, str]]:
    """Every setting and what it means, as the reference lists them."""
    tables: dict[str, type[BaseModel]] = {
        "limits": RunLimits,
        "models": ModelChoices,
        "projects": ProjectConfig,
    }
    for name, field in RepoConfig.model_fields.items():
        if name in tables:
            for inner, limit in tables[name].model_fields.items():
                yield f"{name}.{inner}", limit.description or ""
        else:
            yield name, field.description or ""


def _parsed(text: str) -> tuple[Any, str]:
    """The YAML's node tree, which knows the lines, and its content as JSON."""
    try:
        _check_shape(text)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if doubled := _doubled(node):
            raise WrongConfig([doubled])
        plain = loader.construct_document(node) if node is not None else None
        return node, json.dumps({} if plain is None else plain, default=str)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise WrongConfig([Problem(line, "", f"this is not YAML: {error.problem}")]) from None
    except (yaml.YAMLError, ValueError, TypeError):
        raise WrongConfig(
            [Problem(0, "", "this is not YAML that settings can be read from")]
        ) from None


def _check_shape(text: str) -> None:
    """Refuse what makes a small file large or deep, before anything is built from it."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise WrongConfig(
                [Problem(line, "", "aliases (`*name`) are not allowed: write it out")]
            )
        if depth > _DEEPEST:
            raise WrongConfig([Problem(line, "", "is nested too deep for settings")])


def _doubled(node: Any) -> Problem | None:
    """YAML lets the later of two equal keys win without a word."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if str(key.value) in seen:
                text = "stands here a second time: keep one of them"
                return Problem(key.start_mark.line + 1, str(key.value), text)
            seen.add(str(key.value))
            if doubled := _doubled(value):
                return doubled
    return None


def _line(node: Any, path: Sequence[str | int]) -> int:
    """The line of the deepest part of `path` that the file has."""
    line = node.start_mark.line + 1 if node is not None and path else 0
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == step]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line


def _problem(node: Any, error: Any) -> Problem:
    path = error["loc"]
    field = ".".join(map(str, path))
    if error["type"] == "extra_forbidden":
        known = [name.split(".")[-1] for name, _ in fields()] + ["limits", "models", "projects"]
        close = get_close_matches(str(path[-1]), known, n=1)
        text = f"is not a setting; did you mean `{close[0]}`?" if close else "is not a setting"
    else:
        fallback = error["msg"].replace("Input should be", "must be")
        text = _MENDS.get(error["type"], fallback)
        if path[-1:] == ("path",) and error["type"] == "string_pattern_mismatch":
            text = "is no folder of the repository: write it as `apps/web`"
        if path[-1:] == ("report",) and error["type"] == "string_pattern_mismatch":
            text = "is no glob below the project's folder: write it as `reports/**/*.xml`"
        if path[:1] == ("models",) and error["type"] == "string_pattern_mismatch":
            text = "is no model: write it as `vendor:model`"
    return Problem(_line(node, path), field, text)


def _least(most: _N, asked: _N | None) -> _N:
    return most if asked is None else min(most, asked)


def _fewer(allowed: frozenset[str] | None, named: tuple[str, ...] | None) -> frozenset[str] | None:
    if named is None:
        return allowed
    people = frozenset(login.lower() for login in named)
    return people if allowed is None else people & allowed
