"""`.github/acp.yml`: what it says, what is wrong with it, and that it only narrows."""

import json
from contextlib import suppress
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.policy import HOLD_MODES, PROTECTED, Rules
from bot.domain.repo_config import (
    WrongConfig,
    fields,
    narrow,
    read,
    recipes,
    schema_text,
    too_wide,
)
from bot.domain.repo_keys import RepoConfig, RunLimits
from pipeline.environment.plan import Recipe

REFERENCE = Path(__file__).parents[4] / "docs/reference"
GOOD = b"""\
hold: always
people: [Wanda]
base: develop
reviewers:
  - rita
labels: [bot]
protected: ["db/migrations/**"]
unproven: comment
limits:
  usd_per_run: 1.5
  runs_per_day: 5
"""


def test_a_file_is_read() -> None:
    assert read(GOOD) == RepoConfig(
        hold="always",
        people=("Wanda",),
        base="develop",
        reviewers=("rita",),
        labels=("bot",),
        protected=("db/migrations/**",),
        unproven="comment",
        limits=RunLimits(usd_per_run=1.5, runs_per_day=5),
    )


@pytest.mark.parametrize("text", [b"", b"# nothing yet\n", b"---\n", b"{}"])
def test_an_empty_file_changes_nothing(text: bytes) -> None:
    assert narrow(Rules(), read(text)) == Rules()


def test_how_the_tests_are_set_up_and_run_can_be_said() -> None:
    config = read(b"setup: [uv pip install -e .]\ntest: pytest -q\nlint: ruff check")
    said = Recipe(".", ("uv pip install -e .",), "pytest -q", "ruff check")
    assert narrow(Rules(), config).recipes == (said,)
    assert recipes(read(b"hold: always")) == ()


def test_each_project_of_a_repository_can_say_it_for_itself() -> None:
    config = read(b"projects:\n  - path: api\n  - path: apps/web\n    setup: [npm ci]\n")
    assert recipes(config) == (Recipe("api"), Recipe("apps/web", ("npm ci",)))


@pytest.mark.parametrize("glob", ["reports/**/*.xml", ".out/a.xml", "*.xml", "**/TEST-*.xml"])
def test_a_project_names_the_report_of_its_tests(glob: str) -> None:
    own = read(f"test: make test\nreport: '{glob}'".encode())
    assert recipes(own) == (Recipe(test="make test", report=glob),)
    parts = read(f"projects: [{{path: web, report: '{glob}'}}]".encode())
    assert recipes(parts) == (Recipe("web", report=glob),)


def test_the_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        read(GOOD).hold = "never"


BILLION = b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
WRONG = {
    b"hold: sometimes": "line 1, `hold`: must be 'never', 'outsiders' or 'always'",
    b"\nlimts:\n  minutes: 3": "line 2, `limts`: is not a setting; did you mean `limits`?",
    b"limits:\n  minute: 3": "line 2, `limits.minute`: is not a setting; did you mean `minutes`?",
    b"xyzzy: 1": "line 1, `xyzzy`: is not a setting",
    b"limits:\n  minutes: 5\n  usd_per_run: -1": (
        "line 3, `limits.usd_per_run`: must be greater than 0"
    ),
    b"limits: {iterations: yes}": "line 1, `limits.iterations`: must be a whole number",
    b"limits: {minutes: 5.5}": "line 1, `limits.minutes`: must be a whole number",
    b"limits: {usd_per_run: .inf}": "line 1, `limits.usd_per_run`: must be a finite number",
    b"limits: 3": (
        "line 1, `limits`: must be a mapping: settings, each on its line as `name: value`"
    ),
    b"people: wanda": "line 1, `people`: must be a list: `[one, two]`",
    b"people:\n  - wanda\n  - '@rita'": "line 3, `people.1`: is no login: write it without `@`",
    b"enabled: 1": "line 1, `enabled`: must be `true` or `false`",
    b"base: a..b": "line 1, `base`: no branch can be named so",
    b"base: 3": "line 1, `base`: must be a text",
    b"- a": "must be a mapping: settings, each on its line as `name: value`",
    b"a: [": "line 1: this is not YAML: expected the node content, but found '<stream end>'",
    b"draft: true\ndraft: false": ("line 2, `draft`: stands here a second time: keep one of them"),
    BILLION: "line 2: aliases (`*name`) are not allowed: write it out",
    b"a: 1\n---\nb: 2": "line 2: this is not YAML: but found another document",
    b"a: !!python/object:os.system x": (
        "line 1: this is not YAML: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/object:os.system'"
    ),
    b"\xff": "the file is not UTF-8 text",
    b"\0": "this is not YAML that settings can be read from",
    b"[" * 30_000: "line 1: is nested too deep for settings",
    b"x: " + b"9" * 6000: "this is not YAML that settings can be read from",
    b"!!binary eA==: 1": "this is not YAML that settings can be read from",
    b"projects: [{test: pytest}]": "line 1, `projects.0.path`: is missing: a project needs it",
    b"projects:\n  - path: ../elsewhere": (
        "line 2, `projects.0.path`: is no folder of the repository: write it as `apps/web`"
    ),
    b"projects: [{path: /etc}]": (
        "line 1, `projects.0.path`: is no folder of the repository: write it as `apps/web`"
    ),
    b"setup: [make deps]\nprojects: [{path: web}]": (
        "line 2, `projects`: stands beside `setup`, `test`, `lint` or `report`: "
        "give each project its own"
    ),
    b"report: ../elsewhere/*.xml": (
        "line 1, `report`: is no glob below the project's folder: write it as `reports/**/*.xml`"
    ),
    b"report: /tmp/*.xml": (
        "line 1, `report`: is no glob below the project's folder: write it as `reports/**/*.xml`"
    ),
    b"setup: make deps": "line 1, `setup`: must be a list: `[one, two]`",
    b"#" * 40_000: "the file is larger than 32,768 bytes",
}


@pytest.mark.parametrize(("data", "problem"), WRONG.items(), ids=WRONG.values())
def test_a_mistake_is_named_with_its_line_and_its_mend(data: bytes, problem: str) -> None:
    with pytest.raises(WrongConfig) as caught:
        read(data)
    assert [str(one) for one in caught.value.problems] == [problem]


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(WrongConfig) as caught:
        read(b"hold: x\nlimits:\n  minutes: 0\n")
    assert [one.line for one in caught.value.problems] == [1, 3]
    assert str(caught.value).startswith(".github/acp.yml is wrong: line 1, `hold`: must be")


@given(st.binary(max_size=300) | st.text(alphabet="hold: limits\n{}[]&*!-#'\"", max_size=80))
def test_any_file_is_settings_or_a_list_of_mistakes(data: bytes | str) -> None:
    with suppress(WrongConfig):
        read(data if isinstance(data, bytes) else data.encode())


LIMITS = st.builds(
    RunLimits,
    usd_per_run=st.none() | st.floats(0.1, 100),
    usd_per_day=st.none() | st.floats(0, 100),
    runs_per_issue=st.none() | st.integers(0, 100),
    runs_per_day=st.none() | st.integers(0, 100),
    iterations=st.none() | st.integers(1, 50),
    minutes=st.none() | st.integers(1, 500),
    files=st.none() | st.integers(1, 500),
    lines=st.none() | st.integers(1, 50_000),
)
CONFIGS = st.builds(
    RepoConfig,
    enabled=st.booleans(),
    hold=st.none() | st.sampled_from(HOLD_MODES),
    people=st.none() | st.just(("wanda", "Rita")),
    draft=st.booleans(),
    unproven=st.sampled_from([None, "comment", "draft"]),
    protected=st.just(()) | st.just(("x/**",)),
    limits=LIMITS,
)
RULES = st.builds(
    Rules,
    enabled=st.booleans(),
    hold=st.sampled_from(HOLD_MODES),
    drafts=st.booleans(),
    always_draft=st.booleans(),
    people=st.none() | st.just(frozenset({"wanda"})),
)


@given(RULES, CONFIGS)
def test_a_repository_only_narrows_what_the_operator_allows(
    rules: Rules, config: RepoConfig
) -> None:
    found = narrow(rules, config)
    for field in fields_of(Rules):
        before, after = getattr(rules, field.name), getattr(found, field.name)
        if isinstance(before, int | float) and not isinstance(before, bool):
            assert after <= before
    assert found.enabled <= rules.enabled
    assert found.drafts <= rules.drafts
    assert found.always_draft >= rules.always_draft
    assert HOLD_MODES.index(found.hold) >= HOLD_MODES.index(rules.hold)
    assert set(found.protected) >= set(PROTECTED)
    assert found.bots == rules.bots
    if rules.people is not None:
        assert found.people is not None
        assert found.people <= rules.people
    assert narrow(found, config) == found


def test_what_asks_for_too_much_is_said() -> None:
    config = read(b"hold: never\nunproven: draft\nlimits: {usd_per_run: 10, minutes: 5}")
    assert too_wide(Rules(), config) == (
        "`limits.usd_per_run: 10` is more than the operator allows: 3 holds.",
        "`hold: never` is less than the operator asks for: outsiders.",
        "`unproven: draft` is not allowed by the operator: a comment is written.",
    )
    assert too_wide(Rules(), RepoConfig()) == ()


def test_the_published_schema_is_this_one() -> None:
    published = (REFERENCE / "acp.schema.json").read_text("utf-8")
    assert published == schema_text(), (
        "write it anew: python -c 'from bot.domain.repo_config import schema_text; "
        'print(schema_text(), end="")\' > docs/reference/acp.schema.json'
    )


def test_the_schema_takes_what_we_take_and_refuses_what_we_refuse() -> None:
    schema = jsonschema_rs.validator_for(json.loads(schema_text()))
    good: Any = yaml.safe_load(GOOD)
    assert schema.is_valid(good)
    assert not schema.is_valid({**good, "hold": "sometimes"})
    assert not schema.is_valid({**good, "xyzzy": 1})


def test_a_repository_chooses_among_the_models_that_the_operator_lets_it() -> None:
    rules = Rules(open_models=frozenset({"openai:small", "google:small"}))
    asked = read(b"models: {coder: 'openai:small, google:small', reviewer: google:small}")
    assert narrow(rules, asked).models == {
        "coder": "openai:small, google:small",
        "reviewer": "google:small",
    }
    with pytest.raises(WrongConfig) as error:
        narrow(rules, read(b"models: {coder: openai:small, tester: 'openai:small,openai:huge'}"))
    assert str(error.value) == (
        ".github/acp.yml is wrong: `models.tester`: openai:huge is no model that the operator lets "
        "repositories choose; there are: google:small, openai:small"
    )
    with pytest.raises(WrongConfig, match="there are: none"):
        narrow(Rules(), asked)


@pytest.mark.parametrize("text", ["small", "'openai:'", "openai:a b", "openai:a,,x:b", "'x:y,'"])
def test_what_is_no_model_is_said_to_be_none(text: str) -> None:
    with pytest.raises(WrongConfig, match=r"line 2, `models\.coder`: is no model"):
        read(f"models:\n  coder: {text}\n".encode())


def test_the_reference_lists_every_setting() -> None:
    page = (REFERENCE / "repo-config.md").read_text("utf-8")
    for name, meaning in fields():
        assert f"| `{name}` | {meaning} |" in page


def test_the_example_of_the_reference_is_right() -> None:
    page = (REFERENCE / "repo-config.md").read_text("utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    assert read(example.encode()).limits.usd_per_run == 1.5
