"""Reports in JUnit's XML: what writers of it make, and what somebody hostile might."""

from __future__ import annotations

import pytest

from pipeline.verification.junit import DamagedReport, read
from pipeline.verification.report import TestResult

VITEST = """<?xml version="1.0" encoding="UTF-8" ?>
<testsuites name="vitest tests" tests="2" failures="1" errors="0" time="0.6">
  <testsuite name="test/calc.test.ts" tests="2" failures="1" errors="0" skipped="0" time="0.005">
    <testcase classname="test/calc.test.ts" name="calc &gt; adds" time="0.004">
      <failure message="expected -1 to be 3" type="AssertionError">
AssertionError: expected -1 to be 3
 at test/calc.test.ts:5:21
      </failure>
    </testcase>
    <testcase classname="test/calc.test.ts" name="one" time="0.001"></testcase>
  </testsuite>
</testsuites>"""
JEST = """<testsuites><testsuite name="calc"><testcase classname="calc adds" name="calc adds">
<failure>Error: expect(received).toBe(expected)

Expected: 3</failure></testcase><testcase classname="calc calls" name="calc calls">
<failure>TypeError: nope is not a function
    at Object.nope (calc.test.js:4:1)</failure></testcase></testsuite></testsuites>"""
MOCHA = """<testsuite name="Mocha Tests" tests="2" failures="0" errors="2" skipped="0">
<testcase classname="calc" name="adds" time="0.001"><failure>1 == 2

      + expected - actual

AssertionError [ERR_ASSERTION]: 1 == 2</failure></testcase>
<testcase classname="calc" name="calls"><failure>nope is not defined
ReferenceError: nope is not defined</failure></testcase></testsuite>"""
SUREFIRE = """<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="demo.CalcTest">
<properties><property name="java.version" value="17"/></properties>
<testcase name="adds" classname="demo.CalcTest" time="0.01"><failure message="expected: &lt;3&gt;"
type="org.opentest4j.AssertionFailedError"><![CDATA[org.opentest4j.AssertionFailedError: no]]>
</failure><system-out>hello</system-out></testcase>
<testcase name="breaks" classname="demo.CalcTest" time="1,000.5"><error message="x"
type="java.lang.NullPointerException">at</error></testcase>
<testcase name="flaky" classname="demo.CalcTest"><flakyFailure type="x">y</flakyFailure></testcase>
<testcase name="later" classname="demo.CalcTest"><skipped message="no"/></testcase>
</testsuite>"""
PHPUNIT = """<testsuites><testsuite name="demo"><testsuite name="CalcTest"
file="/w/tests/CalcTest.php">
<testcase name="testAdds" file="/w/tests/CalcTest.php" class="CalcTest" classname="CalcTest"
time="0.1"><failure type="PHPUnit\\Framework\\ExpectationFailedException">no</failure></testcase>
</testsuite></testsuite></testsuites>"""
GTEST = """<testsuites><testsuite name="Calc"><testcase name="Adds" status="run" classname="Calc"/>
<testcase name="DISABLED_Subs" status="notrun" classname="Calc"/></testsuite>
<testsuite name="broken"><error message="cannot load"/></testsuite></testsuites>"""
XFAIL = """<testsuites><testsuite name="pytest"><testcase classname="tests.test_a" name="test_x">
<skipped type="pytest.xfail" message=""/></testcase></testsuite></testsuites>"""
WRITTEN = {
    "vitest": (
        VITEST,
        {"test/calc.test.ts::calc > adds": "failed!", "test/calc.test.ts::one": "passed"},
    ),
    "jest": (JEST, {"calc adds::calc adds": "failed!", "calc calls::calc calls": "failed"}),
    "mocha": (MOCHA, {"calc::adds": "failed!", "calc::calls": "failed"}),
    "surefire": (
        SUREFIRE,
        {
            "demo.CalcTest::adds": "failed!",
            "demo.CalcTest::breaks": "error",
            "demo.CalcTest::flaky": "passed",
            "demo.CalcTest::later": "skipped",
        },
    ),
    "phpunit": (PHPUNIT, {"tests/CalcTest.php::CalcTest::testAdds": "failed!"}),
    "googletest": (
        GTEST,
        {"Calc::Adds": "passed", "Calc::DISABLED_Subs": "skipped", "broken": "error"},
    ),
    "pytest": (XFAIL, {"tests.test_a::test_x": "xfailed"}),
}


def told(results: dict[str, TestResult]) -> dict[str, str]:
    """The outcomes by id; "!" where it was an assertion."""
    return {key: one.outcome + "!" * one.assertion for key, one in results.items()}


@pytest.mark.parametrize(("text", "outcomes"), WRITTEN.values(), ids=WRITTEN)
def test_what_runners_write_is_read(text: str, outcomes: dict[str, str]) -> None:
    assert told(read(text.encode(), "/w")) == outcomes


def test_times_and_short_messages_are_kept() -> None:
    results = read(SUREFIRE.encode())
    assert results["demo.CalcTest::breaks"].seconds == pytest.approx(1000.5)
    assert results["demo.CalcTest::breaks"].exception == "NullPointerException"
    assert "expected: <3>" in results["demo.CalcTest::adds"].message
    long = f'<testsuite><testcase name="x"><failure>{"y" * 9000}</failure></testcase></testsuite>'
    assert len(read(long.encode())["?::x"].message) == 2000


def test_ids_of_a_project_in_a_folder_are_told_from_the_top() -> None:
    results = read(VITEST.encode(), "/w", "apps/web")
    assert set(results) == {
        "apps/web/test/calc.test.ts::calc > adds",
        "apps/web/test/calc.test.ts::one",
    }


def one(inside: str) -> bytes:
    return f"<testsuites><testsuite>{inside}</testsuite></testsuites>".encode()


def test_of_two_results_of_one_id_the_worse_counts() -> None:
    twice = (
        '<testcase classname="a" name="x"><failure/></testcase><testcase classname="a" name="x"/>'
    )
    assert told(read(one(twice))) == {"a::x": "failed!"}
    both = '<testcase classname="a" name="x"><skipped/><error/></testcase>'
    assert told(read(one(both))) == {"a::x": "error"}


def test_names_hold_no_controls_and_no_line_breaks() -> None:
    name = "x&#10;&#10;Not verified: 0&#10;&#9;&lt;b&gt;&amp;#27;[31m"
    (key,) = read(one(f'<testcase classname="a" name="{name}"/>'))
    assert key == "a::x  Not verified: 0 \t<b>&#27;[31m"


def test_endless_names_stay_apart() -> None:
    cases = "".join(f'<testcase classname="a" name="{"x" * 5000}{n}"/>' for n in range(3))
    keys = list(read(one(cases)))
    assert len(keys) == 3
    assert max(map(len, keys)) < 600


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    '<testsuites><testsuite><testcase name="&c;"/></testsuite></testsuites>'
)
OUTSIDE = (
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    '<testsuites><testsuite><testcase name="&a;"/></testsuite></testsuites>'
)
DAMAGED = {
    "nothing": (b"", "not well-formed"),
    "no XML": (b"all tests passed", "not well-formed"),
    "half of it": (VITEST.encode()[:300], "not well-formed"),
    "two documents": (b"<testsuites/><testsuites/>", "not well-formed"),
    "something else": (b"<html><body/></html>", "it begins with <html>"),
    "an entity bomb": (LAUGHS.encode(), "declares what no report needs"),
    "a file of the host": (OUTSIDE.encode(), "declares what no report needs"),
    "an unknown encoding": (b'<?xml version="1.0" encoding="klingon"?><testsuites/>', "Lookup"),
    "a wrong encoding": (b'<testsuites name="\xff\xfe"/>', "not well-formed"),
    "a terminal's control": (b'<testsuites name="\x1b[31m"/>', "not well-formed"),
    "a time that is none": (one('<testcase name="x" time="soon"/>'), "ValueError"),
    "no number": (one('<testcase name="x" time="nan"/>'), "ValueError"),
    "nesting": (b"<testsuites>" + b"<testsuite>" * 90_000, "nested too deep"),
}


@pytest.mark.parametrize(("data", "why"), DAMAGED.values(), ids=DAMAGED)
def test_a_report_that_cannot_be_read_says_why(data: bytes, why: str) -> None:
    with pytest.raises(DamagedReport, match=why):
        read(data)


def test_more_tests_than_any_project_has_are_too_many() -> None:
    cases = b"".join(b'<testcase name="%d"/>' % number for number in range(50_001))
    with pytest.raises(DamagedReport, match="more than 50,000 tests"):
        read(b"<testsuite>" + cases + b"</testsuite>")


def test_other_encodings_are_read() -> None:
    text = '<?xml version="1.0" encoding="utf-16"?><testsuite><testcase name="ä"/></testsuite>'
    assert set(read(text.encode("utf-16"))) == {"?::ä"}
