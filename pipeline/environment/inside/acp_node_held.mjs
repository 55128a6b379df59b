// Loaded before each test file of `node --test`: what tests assert with cannot be exchanged by the
// code under test, which runs in the same process. Further functions may be added.
import { createRequire, syncBuiltinESMExports } from 'node:module';

const require = createRequire(import.meta.url);

function hold(owner) {
  for (const name of Object.getOwnPropertyNames(owner)) {
    const found = Object.getOwnPropertyDescriptor(owner, name);
    if (found.configurable && typeof found.value === 'function') {
      Object.defineProperty(owner, name, { ...found, writable: false, configurable: false });
    }
  }
}

if (process.env.NODE_TEST_CONTEXT) {
  const assert = require('node:assert');
  for (const owner of [assert, assert.strict, require('node:test')]) hold(owner);
  hold(assert.AssertionError.prototype);
  syncBuiltinESMExports();
}
