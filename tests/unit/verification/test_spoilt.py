"""The control of a proof in JavaScript: the same test, with asserts that nothing passes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.verification.spoilt import spoilt

BODY = "test('adds', () => { %s });\n"
IMPORTS = {
    "required": (
        "a.test.cjs",
        "const { test } = require('node:test');\n"
        "const assert = require('node:assert');\n" + BODY % "assert.strictEqual(1, 1)",
    ),
    "imported": (
        "a.test.mjs",
        "import test from 'node:test';\n"
        "import assert from 'node:assert/strict';\n" + BODY % "assert(true)",
    ),
    "by name": (
        "a.test.mjs",
        "import test from 'node:test';\n"
        'import { ok, strict } from "assert";\n' + BODY % "strict.equal(1, 1)",
    ),
    "by the old name": (
        "a.test.js",
        "const test = require('node:test');\n"
        "const { throws } = require('assert');\n" + BODY % "throws(() => nothing())",
    ),
    "waiting": (
        "a.test.mjs",
        "import test from 'node:test';\n"
        "import assert from 'node:assert';\n"
        "test('adds', async () => { await assert.rejects(Promise.reject(new Error())); });\n",
    ),
}


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not here")
@pytest.mark.parametrize(("name", "source"), IMPORTS.values(), ids=IMPORTS)
def test_what_passes_fails_with_wrong_expectations(name: str, source: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(source)
    assert ran(tmp_path / name).returncode == 0
    for path, data in spoilt(name, source).items():
        (tmp_path / path).write_bytes(data)
    after = ran(tmp_path / name)
    assert after.returncode == 1
    assert "a wrong expectation" in after.stdout


def ran(path: Path) -> subprocess.CompletedProcess[str]:
    words = ["node", "--test", "--test-reporter=tap", path.name]
    return subprocess.run(words, cwd=path.parent, capture_output=True, text=True, check=False)


def test_what_asserts_by_something_else_is_left_alone() -> None:
    assert spoilt("a.test.js", "import { expect } from 'vitest';\n") == {}


def test_the_asserts_lie_beside_the_test() -> None:
    paths = set(spoilt("web/test/a.test.js", "require('assert')"))
    assert paths == {"web/test/a.test.js", "web/test/acp_wrong_expectations.cjs"}
