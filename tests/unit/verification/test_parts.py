"""A repository that holds several projects: which suites a change runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.environment import Environment
from pipeline.environment.environment import combined
from pipeline.environment.plan import Recipe
from pipeline.environment.provision import Provisioner
from pipeline.environment.supply import Supply, supplied
from pipeline.facts import described, environment_of
from pipeline.verification.decide import decide
from pipeline.verification.kinds import Claim, Kind
from pipeline.verification.parts import Parts, together
from pipeline.verification.report import TestResult, TestRun
from pipeline.verification.runner import Selection
from tests.unit.environment.providing import Based, written
from tests.unit.verification.judging import CALC, TEST, TRUE_FIX, court, strongest


def project(folder: str) -> Environment:
    return Environment("python", folder, "launcher", "last", folder=folder)


def ran(key: str, problem: str = "", code: int = 1) -> TestRun:
    results = {key: TestResult(key, "passed")}
    return TestRun(key, code, "exit", results, key, 1.0, problem=problem)


class Suites:
    """Runs nothing, and writes down what it was asked to run."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def __call__(self, environment: Environment, selection: Selection) -> TestRun:
        self.asked.append((environment.folder, (*selection.paths, *selection.ids)))
        return ran(f"{environment.folder}/test.py::test")


API, WEB, WORKER = project("api"), project("apps/web"), project("apps")
ALL = [API, WEB, WORKER]


@pytest.mark.parametrize(
    ("changed", "folders"),
    [
        (["api/x.py"], ["api"]),
        (["apps/web/x.js"], ["apps/web"]),
        (["apps/webber/x.js"], ["apps"]),
        (["api/x.py", "apps/x.py"], ["api", "apps"]),
        (["README.md"], ["api", "apps/web", "apps"]),
    ],
)
def test_a_change_touches_the_projects_that_hold_its_paths(
    changed: list[str], folders: list[str]
) -> None:
    assert [one.folder for one in Parts(ALL).touched(changed)] == folders


async def test_of_a_change_only_the_touched_suites_run_and_the_others_stand() -> None:
    parts, suites = Parts(ALL), Suites()
    base = await parts.run([], Selection(), suites)
    assert [folder for folder, _ in suites.asked] == ["api", "apps/web", "apps"]
    suites.asked.clear()
    after = await parts.run(["api/x.py"], Selection(), suites)
    assert suites.asked == [("api", ())]
    assert after.results == base.results


async def test_without_a_run_on_the_base_every_suite_runs() -> None:
    parts, suites = Parts(ALL), Suites()
    await parts.run(["api/x.py"], Selection(), suites)
    assert len(suites.asked) == 3


async def test_each_project_runs_its_own_part_of_a_selection() -> None:
    parts, suites = Parts(ALL), Suites()
    await parts.run(["api/x.py"], Selection.of_ids(["api/t.py::a", "apps/web/t.py::b"]), suites)
    assert suites.asked == [
        ("api", ("api/t.py", "api/t.py::a")),
        ("apps/web", ("apps/web/t.py", "apps/web/t.py::b")),
    ]


def test_a_replay_knows_the_projects_as_they_were() -> None:
    made = [replace(one, inputs=("setup.py",), test=("make", "test")) for one in ALL]
    both = combined(tuple(made))
    told = json.loads(json.dumps(described(both)))
    again = environment_of({"environment": told})
    changed = ["api/setup.py", "apps/setup.py"]
    assert len(both.remarks(changed)) == 2
    assert again.remarks(changed) == both.remarks(changed)
    assert [(one.folder, one.test) for one in again.parts] == [(o.folder, o.test) for o in made]


def test_one_run_that_cannot_be_trusted_makes_all_of_them_so() -> None:
    both = together([ran("a"), ran("b", problem="no report", code=3)])
    assert both.problem == "no report"
    assert both.exit_code == 3
    assert set(both.results) == {"a", "b"}


@pytest.fixture
def room(tmp_path: Path) -> Path:
    tmp_path.chmod(0o711)
    return tmp_path


async def test_a_change_must_not_break_the_check_of_style(room: Path) -> None:
    source = written(room / "source", CALC)
    supply = Supply(Provisioner(room / "kept"), (Recipe(lint="! grep -rn WIDE calc"),))
    repository = Based(source.root)
    sandbox = await strongest()
    async with (
        supplied(supply, sandbox, repository, None, None) as environment,
        court(room, CALC, environment=environment) as it,
    ):
        assert (await it.verdict(TRUE_FIX)).passed
        text = TRUE_FIX["calc/__init__.py"] + "WIDE = 1\n"
        verdict = await it.verdict({"calc/__init__.py": text})
        assert verdict.reason == "tests failed"
        assert "! grep -rn WIDE calc" in verdict.feedback


async def test_two_projects_are_judged_together(room: Path) -> None:
    files = {f"api/{name}": text for name, text in CALC.items()}
    files |= {"web/Makefile": "test:\n\tgrep -q one page\n", "web/page": "one\n"}
    source = written(room / "source", files)
    fix = {"api/calc/__init__.py": CALC["calc/__init__.py"].replace("a - b", "a + b")}
    supply = Supply(Provisioner(room / "kept"), (Recipe("api"), Recipe("web")))
    sandbox = await strongest()
    repository = Based(source.root)
    async with supplied(supply, sandbox, repository, None, None) as environment:
        assert environment.label.startswith("api: Python ")
        async with court(room, files, environment=environment) as it:
            suite = await it.verifier.baseline()
            assert set(suite.results) == {"api/tests/test_one.py::test_one", "cd web && make test"}
            tests = await it.patch({"api/tests/test_acp_add.py": TEST})
            claim = Claim(Kind.BUG, "add() is wrong")
            evidence = await it.verifier.judge(await it.patch(fix), tests, claim)
            assert decide(evidence).passed, evidence.render()
            assert "their results on the base stand" in " ".join(evidence.not_verified)
            patch = await it.patch({**fix, "web/page": "two\n"})
            verdict = decide(await it.verifier.judge(patch, tests, claim))
            assert verdict.reason == "tests failed"
            assert "cd web && make test" in verdict.feedback
