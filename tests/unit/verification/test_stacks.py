"""How suites that are not pytest's are run, and what is taken from what they tell."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from pipeline.environment import Environment, find_environment
from pipeline.environment.environment import combined
from pipeline.facts import described, environment_of
from pipeline.sandbox.base import Limits, Session
from pipeline.verification.kept import identity
from pipeline.verification.report import TestRun
from pipeline.verification.runner import Selection, canary_name
from pipeline.verification.runs import Runs
from pipeline.verification.stacks import Asked, Way, is_for_pytest, remarks, run_suite
from pipeline.workspace.workspace import Workspace
from tests.unit.environment.providing import written
from tests.unit.verification.judging import strongest

HEAD = "import { test, describe, it } from 'node:test';\nimport assert from 'node:assert';\n"
NODE = {
    "test/a.test.mjs": HEAD
    + """test('passes', () => {});
describe('group', () => {
  it('fails', () => assert.equal(1, 2));
  it('calls nothing', () => nothing());
  it.skip('is skipped', () => {});
  it.todo('is to come');
  it('is to come and fails', { todo: true }, () => assert.fail());
});
test('parent', async (t) => { await t.test('child', () => assert.ok(false)); });
test('mixed', async (t) => {
  await t.test('one', () => assert.ok(false));
  await t.test('other', () => { throw new Error('no'); });
});
test('line\\nbreak \\u001b[31m', () => {});
test('twice', () => {});
test('twice', () => assert.ok(false));
""",
    "test/broken.test.mjs": "import { nothing } from '../absent.mjs';\n",
    "test/script.test.mjs": "console.log('no test here');\n",
    "test/early.test.mjs": HEAD + "test('one', () => {});\ntest('two', () => process.exit(0));\n",
}
TOLD = {
    "test/a.test.mjs::passes": "passed",
    "test/a.test.mjs::group > fails": "failed!",
    "test/a.test.mjs::group > calls nothing": "failed",
    "test/a.test.mjs::group > is skipped": "skipped",
    "test/a.test.mjs::group > is to come": "skipped",
    "test/a.test.mjs::group > is to come and fails": "xfailed",
    "test/a.test.mjs::parent": "failed!",
    "test/a.test.mjs::parent > child": "failed!",
    "test/a.test.mjs::mixed": "failed",
    "test/a.test.mjs::mixed > one": "failed!",
    "test/a.test.mjs::mixed > other": "failed",
    "test/a.test.mjs::line break ": "passed",
    "test/a.test.mjs::twice": "failed!",
    "test/broken.test.mjs": "error",
    # What ends before it has told of a test is seen as no more than a script.
    "test/script.test.mjs": "passed",
    "test/early.test.mjs": "passed",
}
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not here")
SHELL = ("sh", "-c")


def environment(tree: Path, line: str, *report: str, folder: str = ".") -> Environment:
    found = find_environment(str(tree))
    return replace(found, test=(*SHELL, line), report=report, folder=folder)


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A directory that a sandbox's user may enter."""
    tmp_path.chmod(0o711)
    for name in ("ids", "new"):
        (tmp_path / name).mkdir()
    return tmp_path


@asynccontextmanager
async def opened(
    tree: Path, known: Environment, files: Mapping[str, str]
) -> AsyncIterator[Session]:
    written(tree, {"README": "", **files})
    session = await (await strongest()).open(known.spec(tree))
    try:
        yield session
    finally:
        await session.close()


async def ran(
    room: Path, known: Environment, files: Mapping[str, str], selection: Selection | None = None
) -> TestRun:
    async with opened(room / "tree", known, files) as session:
        asked = Asked(selection, canary_name(), Limits(wall_s=60.0), before={"a::old"})
        run = await run_suite(session, known, Way.of(known), asked)
        left = {entry.path for entry in await session.entries() if "acp-" in entry.path}
        assert not left
        return run


def told(run: TestRun) -> dict[str, str]:
    return {key: one.outcome + "!" * one.assertion for key, one in run.results.items()}


@needs_node
async def test_nodes_runner_tells_of_each_test(room: Path) -> None:
    run = await ran(room, environment(room, "node --test", "node"), NODE)
    assert run.problem == ""
    assert told(run) == TOLD
    failed = run.results["test/a.test.mjs::group > fails"]
    assert failed.exception == "AssertionError"
    assert failed.frames[-1].path == "test/a.test.mjs"
    assert "1 == 2" in failed.traceback(["test/a.test.mjs"])
    assert "ERR_MODULE_NOT_FOUND" in run.results["test/broken.test.mjs"].message
    assert run.command == "node --test"


@needs_node
async def test_chosen_files_are_run_alone_in_their_folder(room: Path) -> None:
    files = {f"web/{name}": text for name, text in NODE.items()}
    line = "node --test --test-concurrency=1 test/"
    known = environment(room, line, "node", folder="web")
    keys = ["web/test/a.test.mjs::passes"]
    run = await ran(room, known, files, Selection.of_ids(keys))
    assert run.problem == ""
    assert {key.partition("::")[0] for key in run.results} == {"web/test/a.test.mjs"}
    assert run.command == "cd web && node --test --test-concurrency=1 test/a.test.mjs"


@needs_node
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("node --test --test-name-pattern=passes", "does not agree"),
        ("node --test absent/", "did not finish|did not run|left no report"),
    ],
)
async def test_a_run_without_the_planted_failure_is_not_trusted(
    line: str, why: str, room: Path
) -> None:
    files = {"test/a.test.mjs": HEAD + "test('passes', () => {});\n"}
    run = await ran(room, environment(room, line, "node"), files)
    assert re.search(why, run.problem), run.problem


GREEN = (
    '<testsuite><testcase classname="a" name="old"/><testcase classname="a" name="x"/></testsuite>'
)
RED = GREEN.replace('"x"/>', '"x"><failure/></testcase>')


def puts(text: str, path: str = "out/a.xml") -> str:
    return f"mkdir -p out; echo '{text}' > {path}"


def writes(text: str, code: int = 0) -> str:
    return f"{puts(text)}; exit {code}"


async def test_a_command_that_writes_a_report_tells_of_each_test(room: Path) -> None:
    known = environment(room, writes(RED, 1), "junit", "out/*.xml")
    run = await ran(room, known, {})
    assert (run.problem, told(run)) == ("", {"a::old": "passed", "a::x": "failed!"})


UNTRUSTED = {
    "no report": ("true", "left no report"),
    "a report elsewhere": (puts(GREEN, "b.xml"), "left no report"),
    "a damaged one": (writes("<testsuite>"), "out/a.xml is damaged: it is not well-formed"),
    "one damaged among many": (
        f"{puts('no', 'out/b.xml')}; {puts(GREEN)}",
        "out/b.xml is damaged",
    ),
    "green, but the command failed": (
        writes(GREEN, 1),
        "says that no test failed, but the command ended with exit code 1",
    ),
    "red, but the command did not fail": (
        writes(RED),
        "says that 1 test.s. failed, such as a::x, but the command ended with exit code 0",
    ),
    "a link": (f"{puts(GREEN, 'g')}; ln -s ../g out/a.xml", "is a link"),
    "a link to a folder": (f"mkdir o; ln -s o out; {writes(GREEN)}", "left no report"),
    "too much": (
        "mkdir out; for n in a b c; do dd if=/dev/zero of=out/$n.xml bs=1M count=22; done",
        "too large",
    ),
    "a time without end": (f"{puts(GREEN)}; sleep 60", "did not end within"),
}


@pytest.mark.parametrize(("line", "why"), UNTRUSTED.values(), ids=UNTRUSTED)
async def test_a_report_that_cannot_be_believed_is_none(line: str, why: str, room: Path) -> None:
    known = environment(room, line, "junit", "out/*.xml")
    async with opened(room / "tree", known, {}) as session:
        asked = Asked(None, "", Limits(wall_s=1.0 if "sleep" in line else 60.0))
        run = await run_suite(session, known, Way.of(known), asked)
    assert re.search(why, run.problem), run.problem


async def test_what_lies_there_before_the_run_is_no_report(room: Path) -> None:
    known = environment(room, "true", "junit", "out/*.xml")
    run = await ran(room, known, {"out/a.xml": GREEN})
    assert "left no report" in run.problem


async def test_a_glob_may_also_mean_files_that_are_no_reports(room: Path) -> None:
    known = environment(room, f"grep -q project pom.xml; {puts(GREEN)}", "junit", "**/*.xml")
    run = await ran(room, known, {"pom.xml": "<project/>\n", "data/a.xml": "<x"})
    assert (run.problem, set(told(run))) == ("", {"a::old", "a::x"})
    wrong = environment(room, f"echo no > pom.xml; {puts(GREEN)}", "junit", "**/*.xml")
    run = await ran(room / "ids", wrong, {"pom.xml": "<project/>\n"})
    assert "pom.xml is damaged" in run.problem


async def test_of_a_whole_command_what_is_asked_for_is_kept(room: Path) -> None:
    known = environment(room, writes(RED, 1), "junit", "out/*.xml")
    chosen = await ran(room / "ids", known, {}, Selection.of_ids(["a::old"]))
    assert told(chosen) == {"a::old": "passed"}
    new = await ran(room / "new", known, {}, Selection(("spec/acp_spec.rb",)))
    assert told(new) == {"a::x": "failed!"}


async def test_a_report_that_names_the_file_tells_which_tests_are_its_own(room: Path) -> None:
    text = GREEN.replace('classname="a" name="x"', 'classname="demo.AcpTest" name="x"')
    text = text.replace("</testsuite>", '<testcase classname="b" name="random 4711"/></testsuite>')
    known = environment(room, writes(text), "junit", "out/*.xml")
    run = await ran(room, known, {}, Selection(("src/test/java/demo/AcpTest.java",)))
    assert told(run) == {"demo.AcpTest::x": "passed"}


@pytest.mark.parametrize("kind", ["node", "go", "junit"])
async def test_a_file_of_python_is_run_by_pytest_whatever_the_project_has(
    kind: str, room: Path
) -> None:
    known = environment(room, "false", kind, "x")
    files = {"tests/test_acp.py": "def test_it():\n    assert 1 == 2\n"}
    run = await ran(room, known, files, Selection(("tests/test_acp.py",)))
    assert told(run) == {"tests/test_acp.py::test_it": "failed!"}
    assert is_for_pytest(["a.py"])
    assert not is_for_pytest([])


def test_what_a_reader_must_know_is_said(room: Path) -> None:
    plain = environment(room, "make test")
    assert remarks(plain, []) == ["single tests: make test tells of none, so it counts as one"]
    (said,) = remarks(replace(plain, report=("go",)), ["a_test.go::TestA"])
    assert said == "which tests run which lines: make test does not tell"
    _, said = remarks(replace(plain, report=("junit", "out/*.xml")), [])
    assert "the repository's own runner that says what its tests did" in said
    _, said = remarks(replace(plain, report=("node",)), ["a.js::x", "b.js", "c.js"])
    assert said.startswith("single tests of 2 file(s) that tell of none, such as b.js")
    assert remarks(find_environment(str(room)), ["a"]) == []


def test_a_replay_and_a_kept_run_know_what_tells_of_single_tests(tmp_path: Path) -> None:
    plain = environment(tmp_path, "make test")
    told_of = replace(plain, report=("junit", "out/*.xml"))
    facts = json.loads(json.dumps(described(told_of)))
    assert environment_of({"environment": facts}).report == told_of.report
    assert identity(told_of) != identity(plain)


def test_what_names_no_file_is_repeated_where_the_whole_command_is(tmp_path: Path) -> None:
    web = environment(tmp_path, "node --test", "node", folder="web")
    api = environment(tmp_path, "make test", "junit", "out/*.xml", folder="api")
    runs = Runs(cast("Workspace", None), combined((web, api)), Limits(), canary_name)
    assert runs.can_repeat("api/demo.CalcTest::adds", ())
    assert runs.can_repeat("web/a.test.js::adds", ["web/a.test.js"])
    assert not runs.can_repeat("web/a.test.js::adds", ())


@needs_node
async def test_projects_of_two_stacks_are_told_apart(room: Path) -> None:
    web = environment(room, "node --test", "node", folder="web")
    api = environment(room, writes(RED, 1), "junit", "out/*.xml", folder="api")
    both = combined((web, api))
    assert [part.report for part in both.parts] == [("node",), ("junit", "out/*.xml")]
    assert both.report == ()
    files = {"web/a.test.mjs": HEAD + "test('x', () => {});\n", "api/x": ""}
    run = await ran(room, both.parts[1], files)
    assert set(run.results) == {"api/a::old", "api/a::x"}
    assert json.loads(json.dumps(run.to_json()))["problem"] == ""
