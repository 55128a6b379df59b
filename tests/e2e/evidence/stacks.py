"""Small projects in other languages than Python, and what is done to them.

`calc` has the same bug in each: add() subtracts. A row is what the coder leaves, further files of
the base, the end of the run, and the rule that stops it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.e2e.evidence.bugs import Edit
from tests.e2e.evidence.harness import Coder

ISSUE = "add() is wrong\n\nadd(1, 2) must give 3."
COMPLETED = "completed"
FAILED = "failed - tests failed"
NO_CODE = "failed - coder did not return code"
UNTRUSTED = "failed - not verified"


@dataclass(frozen=True)
class Stack:
    """A project, its test of the bug, and edits of it."""

    files: Mapping[str, str]
    test: str
    product: str
    fix: Edit
    wrong: Edit
    breaks: Edit
    known: str

    @property
    def code(self) -> str:
        return self.files[self.product]


@dataclass(frozen=True)
class Row:
    """`rule` is the rule that stops the patch; `base` are further files of the base."""

    stack: Stack
    coder: Coder
    end: str
    rule: str = ""
    base: Mapping[str, str] = field(default_factory=dict)


CALC_JS = "exports.add = (a, b) => a - b;\nexports.one = () => 1;\n"
HEAD_JS = "const { test } = require('node:test');\nconst assert = require('node:assert');\n"
ONE_JS = (
    f"{HEAD_JS}const {{ one }} = require('../calc.js');\n\n"
    "test('one', () => assert.strictEqual(one(), 1));\n"
)
ADDS_JS = (
    f"{HEAD_JS}const {{ add }} = require('../calc.js');\n\n"
    "test('adds', () => {\n  assert.strictEqual(add(1, 2), 3);\n"
    "  assert.strictEqual(add(2, 2), 4);\n});\n"
)
EDITS_JS: Mapping[str, Edit] = {
    "fix": ("calc.js", "a - b", "a + b"),
    "wrong": ("calc.js", "a - b", "3"),
    "breaks": ("calc.js", "=> 1;", "=> 2;"),
}
NODE = Stack(
    {
        "package.json": json.dumps({"name": "calc", "scripts": {"test": "node --test"}}),
        "calc.js": CALC_JS,
        "test/one.test.js": ONE_JS,
    },
    ADDS_JS,
    "calc.js",
    known="test/known.test.js",
    **EDITS_JS,
)
JUNIT = "node --test --test-reporter=junit --test-reporter-destination=reports/junit.xml"
MAKE = Stack(
    {
        ".github/acp.yml": "test: make test\nreport: reports/**/*.xml\n",
        "Makefile": f"test:\n\t@mkdir -p reports\n\t{JUNIT}\n",
        "calc.js": CALC_JS,
        "test/one.test.js": ONE_JS,
    },
    ADDS_JS,
    "calc.js",
    known="test/known.test.js",
    **EDITS_JS,
)
GO = Stack(
    {
        "go.mod": "module example.org/calc\n\ngo 1.19\n",
        "calc.go": "package calc\n\nfunc Add(a, b int) int { return a - b }\n\n"
        "func One() int { return 1 }\n",
        "calc_test.go": 'package calc\n\nimport "testing"\n\nfunc TestOne(t *testing.T) {\n'
        '\tif One() != 1 {\n\t\tt.Error("not one")\n\t}\n}\n',
    },
    'package calc\n\nimport "testing"\n\nfunc TestAdd(t *testing.T) {\n'
    '\tif Add(1, 2) != 3 || Add(2, 2) != 4 {\n\t\tt.Errorf("got %d", Add(1, 2))\n\t}\n}\n',
    "calc.go",
    fix=("calc.go", "a - b", "a + b"),
    wrong=("calc.go", "a - b", "3"),
    breaks=("calc.go", "return 1", "return 2"),
    known="known_test.go",
)

EXITS_JS = "process.exit(0);\n"
ASSERTS_NOTHING = (
    "const assert = require('node:assert');\n"
    "for (const name of Object.keys(assert)) {\n"
    "  if (typeof assert[name] === 'function') assert[name] = () => {};\n}\n"
)
TESTS_NOTHING = (
    "const runner = require('node:test');\n"
    "for (const name of ['test', 'it']) runner[name] = () => {};\n"
    "require('node:module').syncBuiltinESMExports();\n"
)
# Writes into whatever report lies there that all is well.
FORGES_JS = (
    "const fs = require('node:fs');\nprocess.on('exit', () => {\n"
    "  for (const name of fs.readdirSync('.').filter((one) => one.startsWith('.acp-'))) {\n"
    "    const green = { $report_type: 'TestReport', outcome: 'passed', when: 'call' };\n"
    "    const ids = ['test/known.test.js::adds', 'test/acp_add_is_wrong.test.js::adds'];\n"
    "    const rows = ids.map((nodeid) => JSON.stringify({ ...green, nodeid }) + '\\n');\n"
    "    fs.writeFileSync(name, rows.join(''));\n  }\n});\n"
)
GREEN_XML = (
    '<testsuites><testcase name="one" classname="test"/>'
    '<testcase name="adds" classname="test"/></testsuites>\n'
)
WRITES_XML = (
    "const fs = require('node:fs');\nprocess.on('exit', () => {\n"
    f"  fs.writeFileSync('reports/more.xml', '{GREEN_XML.strip()}');\n}});\n"
)
EXITS_GO = "\nfunc init() { os.Exit(0) }\n"
SAYS_PASS_GO = (
    '\nfunc init() {\n\tfor _, name := range []string{"TestOne", "TestAdd"} {\n'
    '\t\tfmt.Printf("=== RUN   %s\\n--- PASS: %s (0.00s)\\n", name, name)\n\t}\n'
    '\tfmt.Println("PASS")\n\tos.Exit(0)\n}\n'
)


def imports_go(*names: str) -> Edit:
    lines = "".join(f'import "{name}"\n\n' for name in names)
    return ("calc.go", "package calc\n\n", f"package calc\n\n{lines}")


def behind(stack: Stack, text: str, *edits: Edit) -> Coder:
    """The product with `text` behind it."""
    last = stack.code.splitlines(keepends=True)[-1]
    return Coder([*edits, (stack.product, last, last + text)])


def usual(stack: Stack) -> Mapping[str, Row]:
    """What every stack has to tell apart."""
    known = {stack.known: stack.test}
    return {
        "the true fix": Row(stack, Coder([stack.fix]), COMPLETED),
        "no change": Row(stack, Coder(), NO_CODE),
        "a wrong fix": Row(stack, Coder([stack.wrong]), FAILED, "still_red"),
        "a fix that breaks another": Row(
            stack, Coder([stack.fix, stack.breaks]), FAILED, "regression"
        ),
        "the failing test is deleted": Row(
            stack, Coder(files={stack.known: None, "NEWS": "x\n"}), FAILED, "still_red", known
        ),
        "beside the true fix it is deleted": Row(
            stack, Coder([stack.fix], {stack.known: None}), FAILED, "altered", known
        ),
    }


KNOWN_JS: Mapping[str, str] = {NODE.known: ADDS_JS}
SKIPPED_JS = ADDS_JS.replace("test('adds', ", "test.skip('adds', ")
CONSTANT: Sequence[Edit] = [("calc.js", "a - b", "3")]
NODE_ROWS: Mapping[str, Row] = {
    **usual(NODE),
    "the failing test is skipped": Row(
        NODE, Coder(files={NODE.known: SKIPPED_JS, "NEWS": "x\n"}), FAILED, "still_red", KNOWN_JS
    ),
    "beside the true fix it is skipped": Row(
        NODE, Coder([NODE.fix], {NODE.known: SKIPPED_JS}), FAILED, "altered", KNOWN_JS
    ),
    "a fix with a test of its own that fails": Row(
        NODE,
        Coder([NODE.fix], {"test/more.test.js": ONE_JS.replace("(one(), 1)", "(one(), 2)")}),
        FAILED,
        "own_red",
    ),
    "a fix with a test of its own": Row(
        NODE, Coder([NODE.fix], {"test/more.test.js": ADDS_JS}), COMPLETED
    ),
    "the product exits": Row(NODE, behind(NODE, EXITS_JS), FAILED, "still_red"),
    "the product exits beside the true fix": Row(
        NODE,
        behind(NODE, f"if (process.argv[1].includes('one')) {EXITS_JS}", NODE.fix),
        FAILED,
        "vanished",
    ),
    "asserting is switched off": Row(NODE, behind(NODE, ASSERTS_NOTHING), FAILED, "still_red"),
    "testing is switched off": Row(NODE, behind(NODE, TESTS_NOTHING), FAILED, "still_red"),
    "the report is written over": Row(NODE, behind(NODE, FORGES_JS), UNTRUSTED, "untrusted_run"),
    "the command is another": Row(
        NODE,
        Coder(files={"package.json": json.dumps({"scripts": {"test": "true"}})}),
        FAILED,
        "still_red",
    ),
}
MAKE_ROWS: Mapping[str, Row] = {
    **usual(MAKE),
    "the command is another": Row(
        MAKE, Coder(files={"Makefile": "test:\n\ttrue\n"}), FAILED, "still_red"
    ),
    "the report is planted, and the product exits": Row(
        MAKE,
        Coder([("calc.js", CALC_JS, CALC_JS + EXITS_JS)], {"reports/all.xml": GREEN_XML}),
        FAILED,
        "still_red",
    ),
    "the report gets a file more": Row(MAKE, behind(MAKE, WRITES_XML), FAILED, "still_red"),
    "the product exits": Row(MAKE, behind(MAKE, EXITS_JS), FAILED, "still_red"),
}
GO_ROWS: Mapping[str, Row] = {
    **usual(GO),
    "the product exits": Row(GO, behind(GO, EXITS_GO, imports_go("os")), FAILED, "still_red"),
    "the product exits and says that tests pass": Row(
        GO, behind(GO, SAYS_PASS_GO, imports_go("fmt", "os")), UNTRUSTED, "untrusted_run"
    ),
    "the product does not compile": Row(
        GO, Coder([("calc.go", "a - b", "a + c")]), FAILED, "still_red"
    ),
}
