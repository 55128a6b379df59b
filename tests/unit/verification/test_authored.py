"""The tester's test in another language than Python: what it must show on the base."""

from __future__ import annotations

import pytest

from pipeline.agents.prompts import opening
from pipeline.verification.kinds import Kind
from pipeline.verification.report import TestResult, TestRun
from pipeline.verification.reproduction import check
from pipeline.verification.vacuous import vacuous_text

PATH = "test/acp.test.js"
SOURCE = b"test('adds', () => assert.strictEqual(add(1, 2), 3));\n"


def red(outcome: str = "failed", *, assertion: bool = True, exception: str = "") -> TestRun:
    key = f"{PATH}::adds" if outcome == "failed" else PATH
    result = TestResult(key, outcome, "why", assertion=assertion, exception=exception)  # type: ignore[arg-type]
    return TestRun("node --test", 1, "exit", {key: result}, "", 0.1)


def complaint(run: TestRun, kind: Kind = Kind.BUG, source: bytes = SOURCE) -> str:
    return check(run, {PATH: source}, ["calc.js"], kind).complaint


@pytest.mark.parametrize("kind", [Kind.BUG, Kind.FEATURE])
def test_an_assertion_that_fails_is_a_proof(kind: Kind) -> None:
    assert complaint(red(), kind) == ""


@pytest.mark.parametrize("kind", [Kind.BUG, Kind.FEATURE])
@pytest.mark.parametrize(
    "run",
    [red(assertion=False, exception="TypeError"), red("error", assertion=False)],
    ids=["a call of nothing", "a file that does not load"],
)
def test_what_is_only_missing_is_none_as_no_body_can_be_emptied(run: TestRun, kind: Kind) -> None:
    said = complaint(run, kind)
    assert "must fail by an assertion on the unchanged code" in said
    assert "let the test see that first" in said
    assert "pytest" not in said


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("test('adds', () => expect(add(1, 2)).toBe(3));", ""),
        ("func TestAdd(t *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\tt.Errorf()\n\t}\n}", ""),
        ("it { is_expected.to eq 3 }", ""),
        ("test('adds', () => { add(1, 2); });", "the test asserts nothing"),
    ],
)
def test_a_test_that_asserts_nothing_goes_back(source: str, said: str) -> None:
    assert vacuous_text(source) == said
    assert complaint(red(), source=source.encode()) == said


VALUES = {
    "listing": "calc.js",
    "task": "Fix it",
    "path": PATH,
    "signatures": "",
    "nothing_to_change": "",
    "rulings": "",
}


def test_the_tester_is_told_that_the_test_is_not_for_pytest() -> None:
    plain = opening("tester", runner="", **VALUES)
    told = opening("tester", runner="It is run by a runner.", **VALUES)
    assert "pytest" not in plain
    more = told.replace(plain.strip(), "").strip()
    assert more.startswith("It is no test for pytest. It is run by a runner.")
