"""Small projects in other languages than Python, and what is done to them.

`calc` has the same bug in each: add() subtracts. A row is what the coder leaves, further files of
the base, the end of the run, and the rule that stops it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tests.e2e.evidence.bugs import Edit
from tests.e2e.evidence.harness import Coder

ISSUE = "add() is wrong\n\nadd(1, 2) must give 3."
COMPLETED = "completed"
FAILED = "failed - tests failed"
NO_CODE = "failed - coder did not return code"
UNTRUSTED = "failed - not verified"


@dataclass(frozen=True)
class Stack:
    """A project, the tester's test of the bug, and edits of it.

    `known` is a test of the bug that a base may hold already: path and text.
    """

    files: Mapping[str, str]
    test: str
    product: str
    fix: Edit
    wrong: Edit
    breaks: Edit
    known: tuple[str, str]

    @property
    def code(self) -> str:
        return self.files[self.product]


@dataclass(frozen=True)
class Row:
    """What the coder leaves, the end, and the rule that stops the patch."""

    coder: Coder
    end: str
    rule: str = ""


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
KNOWN_JS = ("test/known.test.js", ADDS_JS.replace("'adds'", "'knows'"))
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
    known=KNOWN_JS,
    **EDITS_JS,
)
JUNIT = "node --test --test-reporter=junit --test-reporter-destination=reports/junit.xml"
MAKE = Stack(
    {
        ".github/acp.yml": "test: make test\nreport: reports/**/*.xml\n",
        "Makefile": f".PHONY: test\ntest:\n\t@mkdir -p reports\n\t{JUNIT}\n",
        "calc.js": CALC_JS,
        "test/one.test.js": ONE_JS,
    },
    ADDS_JS,
    "calc.js",
    known=KNOWN_JS,
    **EDITS_JS,
)
ADDS_GO = (
    'package calc\n\nimport "testing"\n\nfunc TestAdd(t *testing.T) {\n'
    '\tif Add(1, 2) != 3 || Add(2, 2) != 4 {\n\t\tt.Errorf("got %d", Add(1, 2))\n\t}\n}\n'
)
GO = Stack(
    {
        "go.mod": "module example.org/calc\n\ngo 1.19\n",
        "calc.go": "package calc\n\nfunc Add(a, b int) int { return a - b }\n\n"
        "func One() int { return 1 }\n\nfunc Zero() int { return 0 }\n",
        "other/other.go": 'package other\n\nimport "example.org/calc"\n\n'
        "func Nothing() int { return calc.Zero() }\n",
        "other/other_test.go": 'package other\n\nimport "testing"\n\n'
        'func TestNothing(t *testing.T) {\n\tif Nothing() != 0 {\n\t\tt.Error("x")\n\t}\n}\n',
        "calc_test.go": 'package calc\n\nimport "testing"\n\nfunc TestOne(t *testing.T) {\n'
        '\tif One() != 1 {\n\t\tt.Error("not one")\n\t}\n}\n',
    },
    ADDS_GO,
    "calc.go",
    fix=("calc.go", "a - b", "a + b"),
    wrong=("calc.go", "a - b", "3"),
    breaks=("calc.go", "return 1", "return 2"),
    known=("known_test.go", ADDS_GO.replace("TestAdd", "TestKnown")),
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
    "    const ids = ['test/known.test.js::knows', 'test/acp_add.test.js::adds'];\n"
    "    const rows = ids.map((nodeid) => JSON.stringify({ ...green, nodeid }) + '\\n');\n"
    "    fs.writeFileSync(name, rows.join(''));\n  }\n});\n"
)
# Says in the runner's own words that every test of the file passes, and ends before one runs.
SAYS_PASS_JS = """
const { DefaultSerializer } = require('node:v8');
const fs = require('node:fs');
const file = process.argv[1];
for (const [, name] of fs.readFileSync(file, 'utf8').matchAll(/test\\('([^']*)'/g)) {
  const details = { duration_ms: 1 };
  const data = { name, nesting: 0, testNumber: 1, line: 5, column: 1, file, details };
  for (const type of ['test:start', 'test:pass']) {
    const made = new DefaultSerializer();
    made.writeHeader();
    made.writeValue({ type, data });
    const body = made.releaseBuffer();
    const head = Buffer.from([255, 15, 0, 0, 0, 0]);
    head.writeUInt32BE(body.length, 2);
    fs.writeSync(1, Buffer.concat([head, body]));
  }
}
process.exit(0);
"""
GREEN_XML = (
    '<testsuites><testcase name="one" classname="test"/>'
    '<testcase name="adds" classname="test"/></testsuites>\n'
)
WRITES_XML = (
    "const fs = require('node:fs');\nprocess.on('exit', () => {\n"
    f"  fs.writeFileSync('reports/more.xml', '{GREEN_XML.strip()}');\n}});\n"
)
# The same in the only file of the report, which is then no longer a plain file, or agrees no more.
LINKS_XML = (
    "require('node:child_process').spawnSync('sh', ['-c', "
    f"`mkdir -p reports; echo '{GREEN_XML.strip()}' > g; ln -sf ../g reports/more.xml`]);\n"
)
REWRITES_XML = (
    "const fs = require('node:fs');\nprocess.on('exit', () => {\n"
    "  fs.rmSync('reports/junit.xml', { force: true });\n"
    f"  fs.writeFileSync('reports/junit.xml', '{GREEN_XML.strip()}');\n}});\n"
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


def true(stack: Stack) -> Row:
    return Row(Coder([stack.fix]), COMPLETED)


def wrong(stack: Stack) -> Row:
    return Row(Coder([stack.wrong]), FAILED, "still_red")


def breaking(stack: Stack) -> Row:
    return Row(Coder([stack.fix, stack.breaks]), FAILED, "regression")


OWN_JS = ADDS_JS.replace("'adds'", "'mine'")
STACKS: Mapping[str, Stack] = {"node": NODE, "make": MAKE, "go": GO}
ROWS: Mapping[str, Mapping[str, Row]] = {
    "node": {
        "the true fix": true(NODE),
        "a wrong fix": wrong(NODE),
        "a fix that breaks another": breaking(NODE),
        "no change": Row(Coder(), NO_CODE),
        "a fix with a test of its own": Row(
            Coder([NODE.fix], {"test/own.test.js": OWN_JS}), COMPLETED
        ),
    },
    "make": {"the true fix": true(MAKE), "a wrong fix": wrong(MAKE)},
    "go": {"the true fix": true(GO)},
}


def beside(stack: Stack, start: str, skipped: str) -> Row:
    """The base has the failing test; beside the fix it is skipped, by `skipped` for its `start`."""
    path, text = stack.known
    return Row(Coder([stack.fix], {path: text.replace(start, skipped)}), FAILED, "altered")


SKIPS_GO = ("if Add(1, 2)", 't.Skip("x")\n\tif Add(1, 2)')
SKIPS_JS = ("test('knows'", "test.skip('knows'")
ATTACKS: Mapping[str, Mapping[str, Row]] = {
    "node": {
        "the failing test is deleted": Row(
            Coder(files={NODE.known[0]: None, "NEWS": "x\n"}), FAILED, "still_red"
        ),
        "beside the fix it is deleted": Row(
            Coder([NODE.fix], {NODE.known[0]: None}), FAILED, "altered"
        ),
        "beside the fix it is skipped": beside(NODE, *SKIPS_JS),
        "an own test fails": Row(
            Coder([NODE.fix], {"test/own.test.js": OWN_JS.replace("2), 3", "2), 4")}),
            FAILED,
            "own_red",
        ),
        "the product exits": Row(behind(NODE, EXITS_JS), FAILED, "still_red"),
        "the product exits where another test runs": Row(
            behind(NODE, f"if (process.argv[1].includes('one')) {EXITS_JS}", NODE.fix),
            FAILED,
            "vanished",
        ),
        "asserting is switched off": Row(behind(NODE, ASSERTS_NOTHING), FAILED, "still_red"),
        "testing is switched off": Row(behind(NODE, TESTS_NOTHING), FAILED, "still_red"),
        "the product says that tests pass": Row(behind(NODE, SAYS_PASS_JS), UNTRUSTED, "blind"),
        "the report is written over": Row(behind(NODE, FORGES_JS), UNTRUSTED, "untrusted_run"),
        "the command is another": Row(
            Coder(files={"package.json": json.dumps({"scripts": {"test": "true"}})}),
            FAILED,
            "still_red",
        ),
    },
    "make": {
        "a fix that breaks another": breaking(MAKE),
        "beside the fix the failing test is skipped": beside(MAKE, *SKIPS_JS),
        "the command is another": Row(
            Coder(files={"Makefile": "test:\n\ttrue\n"}), FAILED, "still_red"
        ),
        "the report is planted, and the product exits": Row(
            Coder([(MAKE.product, CALC_JS, CALC_JS + EXITS_JS)], {"reports/all.xml": GREEN_XML}),
            FAILED,
            "still_red",
        ),
        "the report gets a file more": Row(behind(MAKE, WRITES_XML), FAILED, "still_red"),
        "the report is a link": Row(behind(MAKE, LINKS_XML), UNTRUSTED, "untrusted_run"),
        "the report is rewritten": Row(behind(MAKE, REWRITES_XML), UNTRUSTED, "untrusted_run"),
        "the product exits": Row(behind(MAKE, EXITS_JS), FAILED, "still_red"),
    },
    "go": {
        "a wrong fix": wrong(GO),
        "a fix that breaks another": breaking(GO),
        "beside the fix the failing test is skipped": beside(GO, *SKIPS_GO),
        "the product exits": Row(
            behind(GO, EXITS_GO, imports_go("os")), UNTRUSTED, "untrusted_run"
        ),
        "the product exits and says that tests pass": Row(
            behind(GO, SAYS_PASS_GO, imports_go("fmt", "os")), UNTRUSTED, "untrusted_run"
        ),
        "another package does not compile": Row(
            Coder([GO.fix, ("calc.go", "Zero", "Nought")]), FAILED, "regression"
        ),
        "the product does not compile": Row(
            Coder([("calc.go", "a - b", "a + c")]), FAILED, "still_red"
        ),
    },
}
