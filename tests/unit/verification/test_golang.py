"""What `go test -json` writes is read without running it; a module's test files give the places."""

from __future__ import annotations

import json

import pytest

from pipeline.verification.golang import Sources, read

SOURCES = Sources(
    "example.org/demo",
    "svc",
    {
        "svc": {"svc/top_test.go": "package demo\n\nfunc TestTop(t *testing.T) {}\n"},
        "svc/calc": {
            "svc/calc/add_test.go": "package calc\n\nfunc TestAdd(t *testing.T) {}\n",
            "svc/calc/other_test.go": "package calc\n\nfunc ExampleOne() {}\n",
        },
    },
)
PLANTED = "Test_ab12"
CALC, TOP = "example.org/demo/calc", "example.org/demo"


def event(action: str, package: str = CALC, test: str = "", **more: object) -> str:
    known = {"Action": action, "Package": package, **({"Test": test} if test else {}), **more}
    return json.dumps(known) + "\n"


def said(test: str, text: str) -> str:
    return event("output", test=test, Output=text)


GUARD = event("fail", test=PLANTED, Elapsed=0)
FAILED = event("fail")


def told(text: str, code: int = 1, stderr: str = "") -> dict[str, str]:
    log, _ = read(text.encode(), SOURCES, PLANTED, code, stderr)
    return {key: one.outcome + "!" * one.assertion for key, one in log.results.items()}


def test_each_test_stands_in_its_file() -> None:
    text = (
        event("run", test="TestAdd")
        + event("pass", test="TestAdd/one", Elapsed=0.5)
        + event("pass", test="TestAdd")
        + event("skip", test="ExampleOne")
        + event("pass", TOP, "TestTop")
        + event("pass", "example.com/else", "TestElse")
        + GUARD
        + FAILED
    )
    assert told(text) == {
        "svc/calc/add_test.go::TestAdd/one": "passed",
        "svc/calc/add_test.go::TestAdd": "passed",
        "svc/calc/other_test.go::ExampleOne": "skipped",
        "svc/top_test.go::TestTop": "passed",
        "example.com/else::TestElse": "passed",
    }


def test_a_failure_is_an_assertion_and_a_panic_is_none() -> None:
    text = (
        said("TestAdd", "=== RUN   TestAdd\n")
        + said("TestAdd", "    add_test.go:4: got \x1b[31m-1\n--- FAIL: TestAdd (0.00s)\n")
        + event("fail", test="TestAdd")
        + said("ExampleOne", "panic: nil map\n")
        + event("fail", test="ExampleOne")
        + GUARD
    )
    log, people = read(text.encode(), SOURCES, PLANTED, 1, "")
    add = log.results["svc/calc/add_test.go::TestAdd"]
    assert (add.message, add.assertion) == ("add_test.go:4: got -1", True)
    panic = log.results["svc/calc/other_test.go::ExampleOne"]
    assert (panic.assertion, panic.exception) == (False, "panic")
    assert "svc/calc/add_test.go::TestAdd (failed)\nadd_test.go:4: got -1" in people


@pytest.mark.parametrize(
    "line", [f"FAIL\t{CALC} [build failed]\n", event("fail"), event("fail", FailedBuild=CALC)]
)
def test_a_package_that_does_not_compile_is_an_error_of_its_folder(line: str) -> None:
    stderr = "# example.org/demo/calc\ncalc.go:3: undefined: c\n"
    log, _ = read(line.encode(), SOURCES, PLANTED, 2, stderr)
    assert {key: one.outcome for key, one in log.results.items()} == {"svc/calc": "error"}
    assert "undefined: c" in log.results["svc/calc"].message
    assert log.canary == "failed"
    assert 2 in log.red_codes


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        (event("pass", test="TestAdd") + GUARD, "failed"),
        (event("pass", test="TestAdd"), None),
        (event("pass", test="TestAdd") + GUARD.replace("fail", "pass"), "passed"),
        (event("pass", test="TestAdd") + GUARD + event("pass", TOP, "TestTop"), None),
        ("", None),
    ],
    ids=["failed", "not there", "passed", "not in every package", "nothing"],
)
def test_the_planted_test_must_fail_in_each_package(text: str, guard: str | None) -> None:
    log, _ = read(text.encode(), SOURCES, PLANTED, 1, "")
    assert log.canary == guard


def test_of_two_results_of_one_test_the_worse_counts() -> None:
    text = event("pass", test="TestAdd") + event("fail", test="TestAdd") + GUARD
    assert told(text) == {"svc/calc/add_test.go::TestAdd": "failed!"}


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"Action": "pass"}',
        event("pass", test="TestAdd", Elapsed="nan").strip(),
        event("output", test="TestAdd").strip(),
        "PASS anyway",
        "{" * 100_000,
        '{"a":' + "[" * 100_000,
    ],
)
def test_a_line_that_go_does_not_write_damages_the_report(line: str) -> None:
    log, _ = read(f"{line}\n".encode(), SOURCES, PLANTED, 0, "")
    assert log.damaged == ("line 1: " + log.damaged.rpartition(" ")[2])


@pytest.mark.parametrize("line", ["ok  \tx\t0.1s", "?   \tx\t[no test files]", "FAIL", "# x", ""])
def test_lines_for_people_are_passed_over(line: str) -> None:
    log, _ = read(f"{line}\n".encode(), SOURCES, PLANTED, 0, "")
    assert log.damaged == ""
