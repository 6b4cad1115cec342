// sluice-bench check-code and check-report, as Node.js runs them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { all, clear, commands, loadCheck, names, silent, well } from './check_setup.mjs';
import { load, sourceFolder } from './setup.mjs';

const { judge } = await load('diagnose.js');
const { buildReport } = await loadCheck('report.js');
const folder = mkdtempSync(join(tmpdir(), 'sluice-check-'));
after(() => rmSync(folder, { recursive: true }));

/** Runs a command as sluice-bench does. */
async function run(command, args, input = '') {
	const child = spawn(process.execPath, [resolve(commands, `${command}.mjs`), '--sluice=x', '--obstacle=y', `--client=${sourceFolder}`, ...args],
		{ env: { ...process.env, NODE_NO_WARNINGS: '1' } });
	let [out, err] = ['', ''];
	child.stdout.on('data', (data) => { out += data; });
	child.stderr.on('data', (data) => { err += data; });
	child.stdin.on('error', () => {});
	child.stdin.end(input);
	const [status] = await once(child, 'close');
	assert.match(out + err, /^[\n\x20-\x7e]*$/);
	return { status, out, err };
}

function make(facts, measured = {}, change = {}) {
	const report = buildReport({ facts, verdict: judge(facts), measured, posted: [], limit: 65536, patient: false, seconds: 8,
		http: 'h2', made: new Date('2026-11-27T03:40:00Z') });
	return { ...report, ...change };
}

function write(report) {
	const path = join(folder, 'report.json');
	writeFileSync(path, JSON.stringify(report));
	return path;
}

const good = make(clear, Object.fromEntries(names.map((name) => [name, well()])));

test('a code becomes a verdict, however it is typed', async () => {
	const { status, out, err } = await run('check_code', [` ${good.code.toLowerCase().replaceAll('-', ' ')}`]);
	assert.deepEqual([status, err], [0, '']);
	assert.match(out, /^All transports work\.\nOn this path the client uses WebSocket; a message takes 34 ms to 61 ms\.\n/);
	assert.match(out, /\n  poll       works      \(round trip 34 ms to 61 ms\)\n/);
});

test('the code of a path through which nothing gets', async () => {
	const { status, out } = await run('check_code', [make(all(silent)).code]);
	assert.equal(status, 0);
	assert.match(out, /^No transport works here\.\n\n  websocket  refused +refused or changed on the way\n  sse        swallowed +no answer in time\n/);
});

for (const [what, args, status, words] of [
	['a wrong character', [good.code.replace(/.$/, (last) => last === '0' ? '1' : '0')], 1, /wrong character/],
	['what is no code', ['\u001b[2J\u00fc'], 1, /"\\u\{1b\}" is not a character of a code/],
	['no code', [], 2, /give exactly one CODE/],
	['two codes', ['a', 'b'], 2, /give exactly one CODE/],
	['an option that is none', ['--nothing', 'a'], 2, /--nothing/],
])
	test(`check-code: ${what} ends with status ${status}`, async () => {
		const { status: got, out, err } = await run('check_code', args);
		assert.deepEqual([got, out], [status, '']);
		assert.match(err, /^sluice-bench check-code: /);
		assert.match(err, words);
	});

test('a report becomes text: verdict, what to ask for, a table', async () => {
	const report = make({ ...clear, websocket: { ms: 3000, ended: 4, seen: 'plain_get' } },
		Object.fromEntries(names.slice(1).map((name) => [name, well()])));
	for (const { status, out, err } of [await run('check_report', [write(report)]), await run('check_report', ['-'], JSON.stringify(report))]) {
		assert.deepEqual([status, err], [0, '']);
		assert.match(out, /^The connection on 27 November 2026, 03:40 UTC\nCode .{14}\n\nWebSocket cannot work here: /);
		assert.match(out, /\n {2}- Let WebSocket pass to push\.example/);
		assert.match(out, /\n {2}sse +works +12 ms +20 ms +41 ms +43 ms +4 +64 KB +64 KB\n/);
	}
});

test('what a stranger wrote into a report acts upon no terminal', async () => {
	const { status, out } = await run('check_report', [write({ ...good, verdict: 'r\u00e9sum\u00e9 \ud83d\ude00' })]);
	assert.equal(status, 0);
	assert.match(out, /r\\u\{e9\}sum\\u\{e9\} \\u\{1f600\}/);
});

for (const [what, input, words] of [
	['a newer version', JSON.stringify({ ...good, version: 2 }), /version 2; this program reads version 1/],
	['a member that is not known', JSON.stringify({ ...good, '\u001b[2J': 1 }), /\\u\{1b\}\[2J: there is no such member/],
	['another code', JSON.stringify({ ...good, secure: false }), /not the code of this report/],
	['too much', `${JSON.stringify(good)}${' '.repeat(20000)}`, /more than 16384 bytes/],
	['no JSON', '{', /not JSON/],
	['nothing', '', /not JSON/],
])
	test(`check-report: ${what} ends with status 1`, async () => {
		const { status, out, err } = await run('check_report', ['-'], input);
		assert.deepEqual([status, out], [1, '']);
		assert.match(err, /^sluice-bench check-report: -: /);
		assert.match(err, words);
	});

test('check-report: a file that is not there, and none', async () => {
	const { status, err } = await run('check_report', [join(folder, 'nothing')]);
	assert.equal(status, 1);
	assert.match(err, /ENOENT/);
	assert.equal((await run('check_report', [])).status, 2);
});

test('--help says what each is for', async () => {
	for (const command of ['check_code', 'check_report']) {
		const { status, out } = await run(command, ['--help']);
		assert.equal(status, 0);
		assert.match(out, /^Usage: sluice-bench check-/);
	}
});
