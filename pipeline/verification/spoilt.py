"""Gives a test of Node's an `assert` that nothing passes: the control of a proof in JavaScript."""

from __future__ import annotations

import posixpath
import re

_ASSERT = re.compile(r"""(?P<quote>['"])(?:node:)?assert(?:/strict)?(?P=quote)""")
_NAME = "acp_wrong_expectations.cjs"
# The last line tells Node which names an import may ask for.
_MODULE = b"""\
const { AssertionError, ...known } = require('node:assert');
function fail() {
  throw new AssertionError({ message: 'a wrong expectation' });
}
for (const name of Object.keys(known)) fail[name] = fail;
module.exports = Object.assign(fail, { AssertionError });
0 && (module.exports = {
  AssertionError, deepEqual, deepStrictEqual, doesNotMatch, doesNotReject, doesNotThrow, equal,
  fail, ifError, match, notDeepEqual, notDeepStrictEqual, notEqual, notStrictEqual, ok, rejects,
  strict, strictEqual, throws,
});
"""


def spoilt(path: str, source: str) -> dict[str, bytes]:
    """Path -> bytes: the test, and what it asserts with; {} where it does so by something else."""
    text, count = _ASSERT.subn(f"'./{_NAME}'", source)
    if not count:
        return {}
    return {path: text.encode(), posixpath.join(posixpath.dirname(path), _NAME): _MODULE}
