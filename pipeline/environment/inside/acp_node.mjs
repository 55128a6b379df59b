// Reports on `node --test` as pytest-reportlog does: one line of JSON for each test, one at the end.
// Runs in the runner's own process, which loads nothing of the tree. The tree's root is in ACP_TREE.
import { isAbsolute, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const tree = process.env.ACP_TREE;
const longest = 2000;
const place = /\(?((?:file:\/\/)?\/[^():]+):(\d+):\d+\)?$/;

function within(file) {
  const path = relative(tree, resolve(file.startsWith('file:') ? fileURLToPath(file) : file));
  return path && !path.startsWith('..') && !isAbsolute(path) ? path : '';
}

function framesOf(stack) {
  const found = [];
  for (const line of String(stack ?? '').split('\n')) {
    const match = place.exec(line.trim());
    const path = match && within(match[1]);
    if (path && !path.includes('node_modules/')) found.unshift([path, Number(match[2])]);
  }
  return found;
}

function longrepr(name, error) {
  const cause = error?.cause instanceof Error ? error.cause : error;
  const message = String(cause?.message ?? cause ?? name).slice(0, longest);
  const said = cause?.name ? `${cause.name}: ${message}` : message;
  const lines = said.split('\n').filter((line) => line.trim()).map((line) => `E   ${line}`);
  const frames = framesOf(cause?.stack);
  const data = frames.map(([path, lineno], n) => ({
    data: { reprfileloc: { path, lineno }, lines: n === frames.length - 1 ? lines : [] },
  }));
  return { reprcrash: { message: said }, reprtraceback: { reprentries: data } };
}

// One file's tests as they are told: parents start before their children and end after them.
class Told {
  names = [];
  asserted = [];
  tests = 0;
  stderr = '';

  start({ name, nesting }) {
    this.names.length = nesting;
    this.names[nesting] = name;
  }

  // Whether a failure is one of assertions: of a parent, whether those of its children are.
  assertion({ nesting, details }) {
    const below = this.asserted[nesting + 1] ?? [];
    this.asserted.length = nesting + 1;
    const cause = details.error?.cause;
    const own =
      details.error?.failureType === 'subtestsFailed'
        ? below.length > 0 && below.every(Boolean)
        : cause?.code === 'ERR_ASSERTION' || /Assert|Expect/.test(cause?.name ?? '');
    (this.asserted[nesting] ??= []).push(own);
    return own;
  }

  end(type, data, file) {
    const whole = data.nesting === 0 && resolve(data.name) === data.file;
    if (whole) return this.file(type, data, file);
    this.tests += 1;
    const assertion = type === 'test:fail' && this.assertion(data);
    const below = data.details.error?.failureType === 'subtestsFailed';
    if (data.details.type === 'suite' && (type === 'test:pass' || below)) return null;
    const failed = type === 'test:fail' && !data.todo;
    const passed = type === 'test:pass' && !data.todo && data.skip === undefined;
    const cause = data.details.error?.cause;
    return {
      $report_type: 'TestReport',
      nodeid: `${file}::${[...this.names.slice(0, data.nesting), data.name].join(' > ')}`,
      outcome: failed ? 'failed' : passed ? 'passed' : 'skipped',
      ...(data.todo && type === 'test:fail' ? { wasxfail: '' } : {}),
      when: 'call',
      duration: (data.details.duration_ms ?? 0) / 1000,
      longrepr: failed ? longrepr(data.name, data.details.error) : null,
      user_properties: [
        ['acp_assertion', assertion],
        ['acp_exception', String(cause?.name ?? '')],
        ['acp_facts', { node: process.version }],
      ],
    };
  }

  // The file itself is told of only where it tells of no test, or breaks.
  file(type, data, file) {
    if (type === 'test:pass') {
      const outcome = { outcome: 'passed', when: 'call', duration: 0, longrepr: null };
      return this.tests ? null : { $report_type: 'TestReport', nodeid: file, ...outcome };
    }
    const raised = /^(\w*Error)\b.*$/m.exec(this.stderr)?.[0] ?? '';
    const said = this.stderr || String(data.details.error?.message ?? '');
    const lines = `${said.slice(-longest)}\nE   ${raised || 'Error'}`;
    return { $report_type: 'CollectReport', nodeid: file, outcome: 'failed', longrepr: lines };
  }
}

export default async function* report(source) {
  const files = new Map();
  let failed = false;
  for await (const { type, data } of source) {
    if (!data?.file) continue;
    if (!files.has(data.file)) files.set(data.file, new Told());
    const told = files.get(data.file);
    if (type === 'test:start') told.start(data);
    if (type === 'test:stderr') told.stderr = (told.stderr + data.message).slice(-2 * longest);
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    failed ||= type === 'test:fail' && !data.todo;
    const record = told.end(type, data, within(data.file) || data.file);
    if (record) yield `${JSON.stringify(record)}\n`;
  }
  yield `${JSON.stringify({ $report_type: 'SessionFinish', exitstatus: failed ? 1 : 0 })}\n`;
}
