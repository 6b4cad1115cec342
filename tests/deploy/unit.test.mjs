// The systemd unit: how exposed it leaves the gateway, and that its filter of system calls has all that the
// gateway calls while it does what the unit lets it do.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Program, until } from './program.mjs';

const EXPOSURE_MAX = 1.1; // of 10, by systemd 252
const text = readFileSync(resolve(process.env.SLUICE_DOC, 'sluice.service.in'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'sluice-unit-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** True where the tool is there. Else the test is skipped, or fails where none may be missing. */
function has(t, tool) {
	if (spawnSync('which', [tool]).status === 0)
		return true;
	assert.ok(!process.env.SLUICE_REQUIRE_TOOLS, `${tool} is missing`);
	t.skip(`${tool} is missing`);
	return false;
}

/** The unit as it is installed, of a program that is there. */
function writeUnit() {
	const path = join(folder, 'sluice.service');
	writeFileSync(path, text.replaceAll('@sysconfdir@', '/etc').replaceAll('@bindir@/sluice', resolve(process.env.SLUICE)));
	return path;
}

const analyze = (...args) => execFileSync('systemd-analyze', ['--no-pager', ...args], { encoding: 'utf8' });

/** @param {string} name @returns {string[]} its system calls, those of groups in it too */
function expand(name) {
	if (!name.startsWith('@'))
		return [name];
	const words = analyze('syscall-filter', name).split('\n').slice(1).map((line) => line.trim());
	return words.filter((word) => word && !word.startsWith('#')).flatMap(expand);
}

/** What the unit allows: the lists in their order. What `@default` has is always allowed. */
function readFilter() {
	const allowed = new Set(expand('@default'));
	for (const [, list] of text.matchAll(/^SystemCallFilter=(.*)$/gm)) {
		const takes = list.startsWith('~');
		for (const call of list.replace('~', '').split(' ').flatMap(expand))
			takes ? allowed.delete(call) : allowed.add(call);
	}
	return allowed;
}

test('systemd understands the unit', (t) => {
	if (!has(t, 'systemd-analyze'))
		return;
	const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', writeUnit()], { encoding: 'utf8' });
	assert.equal(status, 0, stderr);
	assert.doesNotMatch(stderr, /Unknown|ignoring|Failed to parse/i);
});

test(`the unit leaves the gateway no more exposed than ${EXPOSURE_MAX}`, (t) => {
	if (!has(t, 'systemd-analyze'))
		return;
	const said = analyze('security', '--offline=true', writeUnit());
	const [, exposure] = /Overall exposure level for sluice\.service: ([\d.]+)/.exec(said);
	assert.ok(Number(exposure) <= EXPOSURE_MAX, said);
});

test('the filter of the unit has no system call that the gateway has no use for', (t) => {
	if (!has(t, 'systemd-analyze'))
		return;
	const allowed = readFilter();
	for (const call of ['io_setup', 'io_submit', 'io_uring_setup', 'chown', 'setuid', 'setgroups', 'mlockall', 'keyctl',
		'ptrace', 'mount', 'bpf', 'sched_setaffinity', 'init_module', 'reboot', 'chroot', 'perf_event_open'])
		assert.ok(!allowed.has(call), call);
});

/** A request, of which the answer's status counts. */
function ask(port, path, { method = 'GET', headers = {}, body = '' } = {}) {
	return new Promise((done, fail) => {
		request({ host: '127.0.0.1', port, path, method, headers: { Connection: 'close', ...headers } }, (answer) => {
			answer.resume().on('end', () => done(answer.statusCode));
		}).on('error', fail).end(body);
	});
}

/** Sends a request and waits until `expected` has come. */
function speak(socket, path, headers, expected) {
	return new Promise((done, fail) => {
		let said = '';
		socket.setEncoding('latin1').on('error', fail).on('close', () => fail(new Error(said))).on('data', (more) => {
			said += more;
			if (said.includes(expected))
				done(socket.removeAllListeners('close').on('error', () => {}));
		});
		socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
	});
}

const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
	'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n';

/** A gateway of all that writes, listens and starts something, traced from its first call on. */
async function startTraced() {
	const key = join(folder, 'key.pem'), certificate = join(folder, 'certificate.pem');
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
		'-subj', '/CN=localhost', '-keyout', key, '-out', certificate], { stdio: 'ignore' });
	mkdirSync(join(folder, 'reports'));
	writeFileSync(join(folder, 'token.key'), 'k'.repeat(64));
	// -D: the gateway is the child, and gets the signals.
	return new Program('strace', ['-D', '-f', '-qq', '-e', 'signal=none', '-o', join(folder, 'calls'),
		process.env.SLUICE, '--listen', '127.0.0.1:0', '--listen', `unix:${join(folder, 'socket')}`, '--tls-listen', '127.0.0.1:0',
		'--admin-listen', '127.0.0.1:0', '--tls-cert', certificate, '--tls-key', key, '--token-key', join(folder, 'token.key'),
		'--anonymous-subscribe', '*', '--anonymous-publish', '*', '--secret', join(folder, 'secret'), '--demo', '--drain', '1',
		'--revocations', join(folder, 'revocations'), '--check-reports', join(folder, 'reports'), '--deflate',
		'--web', process.env.SLUICE_WEB]);
}

async function useAll(program) {
	const [port] = await program.untilSaid(/listening http:\/\/127\.0\.0\.1:(\d+)\/\n/);
	const [tlsPort] = await program.untilSaid(/listening https:\/\/127\.0\.0\.1:(\d+)\//);
	const [admin] = await program.untilSaid(/listening http:\/\/127\.0\.0\.1:(\d+)\/ \(admin\)/);
	const sockets = await Promise.all([
		speak(connect(port, '127.0.0.1'), '/ws?channels=a', upgrade, '"type":"open"'),
		speak(connect(port, '127.0.0.1'), '/sse?channels=a', '', '"type":"open"'),
		speak(connect(join(folder, 'socket')), '/stream?channels=a', '', '"type":"open"'),
		speak(connectTls({ port: tlsPort, host: '127.0.0.1', rejectUnauthorized: false }), '/sse?channels=a', '', '"type":"open"'),
	]);
	const json = { 'Content-Type': 'application/json' };
	assert.equal(await ask(port, '/publish?channel=a', { method: 'POST', headers: json, body: '"' + 'x'.repeat(30000) + '"' }), 200);
	for (const path of ['/', '/check', '/poll?channels=a&wait=0&since=0', '/demo/api/obstacle'])
		assert.equal(await ask(port, path), 200, path);
	for (const path of ['/stats', '/metrics'])
		assert.equal(await ask(admin, path), 200, path);
	assert.equal(await ask(admin, '/admin/disconnect', { method: 'POST', body: '{"subject":"ann"}' }), 200);
	await until(() => {
		try {
			return readFileSync(join(folder, 'revocations'), 'utf8').includes('ann') ? '' : 'the revocation to be written';
		} catch (error) {
			return error.message;
		}
	});
	return sockets;
}

test('the filter of the unit has all that the gateway calls', async (t) => {
	if (!has(t, 'systemd-analyze') || !has(t, 'strace'))
		return;
	const program = await startTraced();
	const sockets = await useAll(program);
	program.kill('SIGHUP');
	await program.untilSaid(/reload\.done/);
	await program.stop();
	sockets.forEach((socket) => socket.destroy());
	const calls = new Set([...readFileSync(join(folder, 'calls'), 'utf8').matchAll(/^\d+ +([a-z]\w*)\(/gm)].map(([, call]) => call));
	const allowed = readFilter();
	assert.ok(calls.size > 40 && calls.has('epoll_wait') && calls.has('rename'), [...calls].join(' '));
	assert.deepEqual([...calls].filter((call) => !allowed.has(call)), []);
});

// What no test runs into is there as a name: the C library's function of a call is named like it.
test('the gateway imports no function of a system call that the unit refuses', (t) => {
	if (!has(t, 'systemd-analyze') || !has(t, 'nm'))
		return;
	const known = new Set(['@known', '@default', '@system-service', '@privileged', '@resources', '@aio'].flatMap(expand));
	const allowed = readFilter();
	const imported = execFileSync('nm', ['-D', '--undefined-only', process.env.SLUICE], { encoding: 'utf8' });
	const names = [...imported.matchAll(/ U (\w+)/g)].map(([, name]) => name).filter((name) => known.has(name));
	assert.ok(names.includes('socket'), names.join(' '));
	// The C library sets limits by prlimit64; execv is a function of its own, which calls execve.
	assert.deepEqual(names.filter((name) => !allowed.has(name) && !['setrlimit', 'execv'].includes(name)), []);
});
