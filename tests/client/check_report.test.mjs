// The report of a check: pure, by tables of what the probes may see and what was measured.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { all, clear, head, live, loadCheck, names, ours, silent, socket, streams, theirs, well } from './check_setup.mjs';
import { load } from './setup.mjs';

const { judge } = await load('diagnose.js');
const { buildReport, withoutAddresses } = await loadCheck('report.js');
const { computeClean, formulas } = await loadCheck('clean.js');
const { FormError, readReport } = await loadCheck('form.js');
const { clip, hideAddresses, round } = await loadCheck('text.js');
const { writeText } = await loadCheck('write.js');

const everything = (fields) => Object.fromEntries(names.map((name) => [name, well(fields)]));
const found = (facts, measured = {}, fields = {}) => {
	const plain = withoutAddresses(facts);
	return { facts: plain, verdict: judge(plain), measured, posted: [], limit: 65536, patient: false, seconds: 6.24,
		http: 'h2', made: new Date('2026-11-27T03:40:00.123Z'), ...fields };
};
const build = (...args) => buildReport(found(...args));
const encode = (value) => new TextEncoder().encode(JSON.stringify(value));

/* ---- words and advice ---- */

const old = ours({ stale: true });
const oldHeld = { ...old, hold: 2000 };
const badOrigin = ours({ status: 403, good: false, code: 'bad_origin', message: 'the gateway does not allow pages of http://a.example' });
const { mark: _, ...lagging } = live;
const { open: __, ...held } = lagging;
const Ws = 'works works works works';
for (const [what, facts, classes, asks] of [
	['nothing in the way', clear, `works ${Ws}`, []],
	['Upgrade removed', socket({ ended: 4, seen: 'plain_get' }), `refused ${Ws}`, [/^Let WebSocket pass to push\.example: the proxy removes the header Upgrade .*nginx/]],
	['asked in HTTP/1.0', { ...socket({ ended: 4, seen: 'plain_get' }), head: head([], 'HTTP/1.0') }, `refused ${Ws}`, [/Upgrade \(it uses HTTP\/1\.0\)/]],
	['an upgrade that is refused', socket({ ended: 4, status: 403, seen: 'nothing', plain: ours({ status: 426, good: false }) }), `refused ${Ws}`, [/the proxy refuses the upgrade with status 403\.$/]],
	['an upgrade into a hole', socket({ seen: 'nothing', plain: ours({ status: 426, good: false }) }), `swallowed ${Ws}`, [/something drops the upgrade request/]],
	['an answer to it that is changed', socket({ ended: 4, seen: 'upgraded_no_frame' }), `refused ${Ws}`, [/\(status 101\) does not arrive/]],
	['half-open', socket({ handshake: 4, open: 5, seen: 'upgraded_no_frame' }), `swallowed ${Ws}`, [/the upgrade passes \(status 101\), but the data after it does not/]],
	['cut at once', socket({ handshake: 4, ended: 6, seen: 'upgraded' }), `cut ${Ws}`, [/the upgrade passes/]],
	['small frames only', socket({ handshake: 4, open: 5, small: 7, seen: 'upgraded' }), `swallowed ${Ws}`, [/^Let large WebSocket frames pass/]],
	['foreign bytes', socket({ handshake: 4, foreign: true, ended: 5, seen: 'upgraded' }), `refused ${Ws}`, [/^Do not change WebSocket data of push\.example/]],
	['CONNECT refused', socket({ ended: 4, status: 403, connect: true, seen: 'nothing' }), `refused ${Ws}`, [/allow CONNECT to push\.example; it answers 403/]],
	['upgrades by luck', { ...clear, websocket: { ...clear.websocket, before: { ms: 4, ended: 4, status: 502 } } }, `flaky ${Ws}`, [/^Find out why requests .* sometimes fail/]],
	['a browser without WebSocket', socket({ missing: 'browser' }), `missing ${Ws}`, [/^Use a browser with WebSocket/]],
	['a browser without streams', { ...clear, stream: { ms: 0, missing: 'browser' } }, 'works works missing works works', [/^Use a current browser/]],
	['frames that come late', socket({ handshake: 4, open: 1804, small: 1805, large: 1806 }), `slow ${Ws}`, []],
	['streams held', streams({ open: undefined, mark: undefined, silent: true }), 'works buffered buffered works works', [/^Turn off response buffering for \/sse and \/stream of push\.example/]],
	['streams held, head and all', { ...clear, sse: silent, stream: silent }, 'works buffered buffered works works', [/^Turn off response buffering/]],
	['event streams held by compression', { ...clear, sse: { ...held, encoding: 'gzip', silent: true } }, 'works compressed works works works', [/^Do not compress \/sse of push\.example/]],
	['lag by one', streams({ mark: undefined }), 'works buffered buffered works works', [/buffering/]],
	['heaps', streams({ open: 206, mark: 207 }), 'works buffered buffered works works', [/buffering/]],
	['streams that are cut', streams({ mark: undefined, cut: true, ended: 90 }), 'works cut cut works works', [/^Do not close long connections .* closed after 90 ms\.$/]],
	['streams refused', { ...clear, sse: theirs(503), stream: theirs(503) }, 'works refused refused works works', [/^Let GET \/sse and \/stream of push\.example pass: .* status 503/]],
	['messages late', streams({ mark: 1906 }), 'works slow slow works works', []],
	['nothing beside a stream', streams({ echo: silent }), 'works swallowed swallowed works works', [/^Allow more connections to push\.example at a time/]],
	['held polls cut', { ...clear, longpoll: { ...theirs(504), ms: 1500, hold: 2000 } }, 'works works works cut works', [/^Wait at least 60 s .* take 2 s become status 504/]],
	['held polls that never come', { ...clear, longpoll: { ...silent, hold: 2000, told: silent } }, 'works works works swallowed works', [/^Wait at least 60 s .* do not arrive/]],
	['a cache', { ...clear, repeat: old, longpoll: oldHeld, post: ours() }, 'works works works cached cached', [/^Do not cache answers of push\.example: they carry Cache-Control: no-store/]],
	['no POST', { ...streams({ echo: theirs(403) }), echo: theirs(405) }, 'works refused refused refused refused', [/^Let POST requests pass to push\.example: a proxy answers them with status 405/]],
	['large POSTs refused', { ...clear, echo: theirs(413) }, 'works refused refused refused refused', [/^Let POST requests of 4 KB and more pass/]],
	['connections that take 5 s', { ...all(silent), websocket: { ms: 3000 }, poll: ours({ ms: 5012 }), longpoll: ours({ ms: 5012, hold: 2000 }) }, 'slow slow slow slow slow', [/^Find out why new connections to push\.example take 5 s/]],
	['connections that took 5 s before', { ...all(silent), delay: 5012, websocket: { ms: 3000 }, poll: ours(), longpoll: ours({ hold: 2000 }) }, 'slow slow slow slow slow', [/^Find out why new connections/]],
	['a captive portal', all(theirs(200)), 'refused refused refused refused refused', [/captive portal/]],
	['a login', all(theirs(407)), 'refused refused refused refused refused', [/^Let requests to push\.example pass without a login, .* status 407\)/]],
	['nobody there', all({ ms: 3 }), 'refused refused refused refused refused', [/^Let HTTP and HTTPS to push\.example pass: connections/]],
	['all of it a hole', { ...all(silent), websocket: { ms: 3000 } }, 'swallowed swallowed swallowed swallowed swallowed', [/requests get no answer/]],
	['the gateway refuses the origin', { ...all(badOrigin), websocket: { ms: 3, ended: 3, seen: 'nothing' } }, 'refused refused refused refused refused', [/^Tell the operator of push\.example, not of the network: the gateway does not allow pages of http:\/\/a\.example\.$/]],
	['answers changed', { ...clear, gateway: ours({ good: false }), poll: ours({ good: false }), longpoll: ours({ good: false, hold: 2000 }) }, 'works works works refused refused', [/^Do not change answers of push\.example/]],
	['no mark', { ...clear, gateway: ours({ ours: false }), poll: ours({ ours: false }), longpoll: { ...ours({ ours: false }), hold: 2000 }, stream: { ...live, ours: false } }, 'works works refused refused refused', [/^Let the response header Sluice of push\.example pass/]],
	['Last-Event-ID removed', { ...clear, head: ours({ value: { version: 'HTTP/1.1', headers: [['Host', 'push.example']] } }) }, `works ${Ws}`, [/^Let the request header Last-Event-ID pass/]],
	['idle cuts', { ...clear, idle: { websocket: { cut: 10020, watched: 10020 }, sse: { watched: 60100 } } }, `cut ${Ws}`, [/^Keep idle connections to push\.example open for 60 s or more: they are closed after 10 s/]],
])
	test(`a report: ${what}`, () => {
		const report = build(facts);
		assert.equal(names.map((name) => report.transports[name].class).join(' '), classes, report.verdict);
		assert.equal(report.advice.length, asks.length, report.advice.join('\n'));
		asks.forEach((words, i) => assert.match(report.advice[i], words));
		assert.equal(new Set(report.advice).size, report.advice.length);
		for (const { state, class: word, why, ...marks } of Object.values(report.transports)) {
			assert.ok(state === 'works' || why);
			assert.ok(['refused', 'swallowed', 'missing'].includes(word) ? state !== 'works' : true);
			for (const mark of ['buffered', 'cached', 'compressed', 'cut'])
				assert.ok(word !== mark || marks[mark]);
		}
		assert.equal(report.choice, names.find((name) => report.transports[name].state !== 'dead') ?? null);
		assert.deepEqual(readReport(encode(report)), report);
		assert.doesNotMatch(writeText(report, 'https://push.example/'), /undefined|NaN|null|Infinity/);
	});

/* ---- what was measured ---- */

test('figures: the middle, nine of ten, the largest, the quickest', () => {
	const trips = Array.from({ length: 20 }, (_, i) => i + 1);
	const report = build(clear, { ...everything(), websocket: well({ trips, sent: 20 }) }, { posted: [3.14, 9] });
	const { round_trip: trip, connect_ms: connect, largest_up: up } = report.transports.websocket;
	assert.deepEqual([trip, connect, up], [{ count: 20, p50_ms: 10, p90_ms: 18 }, 12.3, 65536]);
	assert.deepEqual([report.base_ms, report.latency_ms, report.seconds, report.made, report.secure, report.http],
		[3.1, 10, 6.2, '2026-11-27T03:40:00Z', true, 'h2']);
	assert.match(report.verdict, /^All transports work\. On this path the client uses WebSocket; a message takes about 10 ms\.$/);
});

for (const [what, name, fields, state, word, words] of [
	['a socket that was cut', 'websocket', { ends: [{ lived: 5012, size: 65536, opened: true }] }, 'degraded', 'cut', /something on the path closed a WebSocket after 5 s, while a message of 64 KB was on its way/],
	['a socket that the gateway ended', 'websocket', { ends: [{ lived: 5012, size: 64, opened: true, bye: 'draining' }] }, 'works', 'works', /^$/],
	['a socket that carries nothing any more', 'websocket', { mute: 4100 }, 'degraded', 'cut', /after 4\.1 s a WebSocket carried no more data/],
	['a connection that failed', 'sse', { ends: [{ lived: 3, size: 64, opened: false }] }, 'degraded', 'flaky', /1 of 2 connections failed/],
	['messages that are lost', 'stream', { lost: 3, sent: 20 }, 'degraded', 'flaky', /3 of 20 messages did not arrive/],
	['no message', 'sse', { trips: [], first: null, sent: 20, late: 20 }, 'degraded', 'swallowed', /none of 20 messages arrived/],
	['no message, where few connections pass', 'sse', { trips: [], first: null, sent: 20, late: 20, crowded: true }, 'works', 'works', /^$/],
	['messages that do not come in time', 'sse', { trips: [900], sent: 20, late: 19 }, 'degraded', 'slow', /19 of 20 messages had not arrived/],
	['messages that come late', 'longpoll', { trips: [900, 901, 902] }, 'works', 'slow', /messages take 901 ms to arrive/],
	['polls that take as long as they do', 'poll', { trips: [900, 901, 902] }, 'works', 'works', /^$/],
	['polls that fail', 'poll', { ends: [{ lived: 900, size: 64, opened: true }], answers: { good: 9, bad: 1, stale: 0 } }, 'degraded', 'flaky', /1 of 10 polls failed/],
])
	test(`a longer look: ${what}`, () => {
		const report = build(clear, { ...everything(), [name]: well(fields) });
		const one = report.transports[name];
		assert.deepEqual([one.state, one.class], [state, word]);
		assert.match(one.why, words);
		if (state === 'degraded')
			assert.match(report.verdict, /^All transports connect\. .*measured for longer: /);
		readReport(encode(report));
	});

test('a socket that dies young again and again is not what the client comes to use', () => {
	const ends = [1, 2, 3].map(() => ({ lived: 900, size: 64, opened: true }));
	assert.equal(build(clear, { ...everything(), websocket: well({ ends }) }).choice, 'sse');
	assert.equal(build(socket({}), {}).choice, 'sse');
	assert.equal(build({ ...all(silent), websocket: clear.websocket }, { websocket: well({ ends }) }).choice, 'websocket');
});

test('a large message that comes to some transports only is asked for', () => {
	const { advice } = build(clear, { ...everything(), sse: well({ down: 4096 }) });
	assert.equal(advice.length, 1);
	assert.match(advice[0], /^Let messages of 64 KB pass from push\.example/);
	assert.deepEqual(build(clear, everything({ down: 4096 }), { limit: 4096 }).advice, []);
});

test('silence: watched, cut, and dead without an end', () => {
	const idle = { websocket: { watched: 60100.26 }, sse: { cut: 30000, watched: 30004 }, stream: { silent: true, watched: 64000 } };
	const { transports } = build({ ...clear, idle }, everything(), { patient: true });
	assert.deepEqual(names.map((name) => transports[name].silence), [{ watched_ms: 60100.3, cut_ms: null },
		{ watched_ms: 30004, cut_ms: 30000 }, { watched_ms: 64000, cut_ms: 64000 }, null, null]);
	assert.deepEqual([transports.websocket.cut, transports.sse.cut, transports.stream.cut], [false, true, true]);
});

test('why the gateway lent no channel is said where nothing gets through', () => {
	const refused = 'three checks of this address are running';
	assert.match(build(all(silent), {}, { refused }).verdict, /The gateway also gave the check no channel: three checks/);
	assert.doesNotMatch(build(clear, everything(), { refused }).verdict, /channel/);
});

/* ---- what must not be in it ---- */

test('of what proxies add, Via has its value, and no address is kept', () => {
	const facts = { ...clear, head: head([['via', '1.1 squid.corp (10.1.2.3:3128), 1.1 [2001:db8::7]:80'], ['X-Forwarded-For', '192.0.2.7, 10.0.0.9'],
		['Forwarded', 'for=192.0.2.60'], ['x-real-ip', '2001:db8::1'], ['Cookie', null], ['X-Forwarded-For', '192.0.2.8'], ['X-Forwarded-Proto', 'https']]) };
	const report = build(facts, everything());
	assert.deepEqual(report.proxies, ['Via: 1.1 squid.corp ([address]), 1.1 [address]', 'Forwarded', 'X-Forwarded-For', 'X-Forwarded-Proto', 'X-Real-IP']);
	assert.match(report.verdict, /Proxies on the path add headers/);
	assert.doesNotMatch(JSON.stringify(report), /192\.0\.2|10\.1\.2|10\.0\.0|2001:db8/i);
	readReport(encode(report));
});

test('addresses are hidden, but for the gateway\'s own, and times are not taken for them', () => {
	assert.equal(hideAddresses('a 192.0.2.7:80 b 2001:db8::1 c ::1 d 1:2:3:4:5:6:7:8 e'), 'a [address] b [address] c [address] d [address] e');
	assert.equal(hideAddresses('127.0.0.1:8080 and 127.0.0.1:8081', '127.0.0.1:8080'), '127.0.0.1:8080 and [address]');
	assert.equal(hideAddresses('at 12:30:45 a:b version 1.1.2'), 'at 12:30:45 a:b version 1.1.2');
});

test('text is within its limits, and without what changes a screen', () => {
	assert.equal(clip('a\u001b[31m\u202eb\u0085\n c', 50), 'a [31m b  c'.replace('  ', '  '));
	assert.equal(clip('x'.repeat(700), 600), `${'x'.repeat(597)}...`);
	assert.equal([...clip('\ud83d\ude00'.repeat(20), 10)].length, 10);
	assert.equal(clip('a\ud83d b', 10), 'a b');
	assert.deepEqual([null, undefined, NaN, -1, 1e9, 1.26].map(round), [null, null, null, 0, 600000, 1.3]);
});

test('a report at all its limits has its form, and fits', () => {
	const why = 'ü'.repeat(900);
	const facts = { ...clear, head: head(Array.from({ length: 30 }, (_, i) => ['Via', `1.1 ${'p'.repeat(300)}${i}`])) };
	const given = found(facts, everything());
	for (const one of Object.values(given.verdict.transports))
		Object.assign(one, { state: 'degraded', why });
	given.verdict.verdict = 'ä'.repeat(5000);
	const report = buildReport(given);
	assert.equal(readReport(encode(report)).transports.sse.why.length, 600);
	assert.equal(report.verdict.length, 2000);
	assert.ok(encode(report).length < 16384);
});

/* ---- the form ---- */

test('each member of a report is wanted, and no other', () => {
	const report = build(clear, everything());
	const walk = (value, path) => {
		for (const name of Object.keys(value)) {
			const without = structuredClone(report);
			const parent = path.reduce((at, step) => at[step], without);
			delete parent[name];
			assert.throws(() => readReport(encode(without)), (error) => error instanceof FormError && error.message.startsWith([...path, name].join('.')), name);
			if (value[name] && typeof value[name] === 'object' && !Array.isArray(value[name]))
				walk(value[name], [...path, name]);
		}
		const more = structuredClone(report);
		path.reduce((at, step) => at[step], more).more = 1;
		assert.throws(() => readReport(encode(more)), /more: there is no such member/);
	};
	walk(report, []);
});

for (const [what, change, words] of [
	['a newer version', { version: 2 }, /version 2; this program reads version 1/],
	['no version', { version: 'one' }, /^version: use one of 1$/],
	['a time that is none', { made: '2026-13-27T03:40:00Z' }, /^made: there is no such time/],
	['a local time', { made: '2026-11-27T03:40:00' }, /^made: use a time as/],
	['the code of another report', { secure: false }, /^code: .* is not the code of this report; it would be/],
	['a code that is none', { code: '0000-0000-0001' }, /^code: this code has a wrong character/],
	['a number as text', { seconds: '6' }, /^seconds: use a number from 0 to 300/],
	['too long', { seconds: 300.1 }, /^seconds/],
	['a control character', { verdict: 'a\u001b[2J' }, /^verdict: use a text of at most 2000 characters without control/],
	['a direction', { advice: ['a\u202eb'] }, /^advice: use a text/],
	['too much advice', { advice: Array(11).fill('a') }, /^advice: use a list of at most 10/],
	['an HTTP that is none', { http: 'HTTP/1.1' }, /^http: use at most 16/],
	['a transport that is none', { choice: 'smoke' }, /^choice: use one of websocket, sse, stream, longpoll, poll, null/],
	['a list for an object', { transports: [] }, /^transports: use an object/],
])
	test(`no report: ${what}`, () => {
		const report = { ...build(clear, everything()), ...change };
		assert.throws(() => readReport(encode(report)), (error) => error instanceof FormError && words.test(error.message));
	});

test('no report: what is no JSON, no UTF-8, or too large', () => {
	for (const [bytes, words] of [[[], /not JSON/], [[0x22, 0xff, 0x22], /not JSON in UTF-8/], [new Uint8Array(16385), /more than 16384 bytes/],
		[new TextEncoder().encode('null'), /use an object/], [new TextEncoder().encode('[]'), /use an object/]])
		assert.throws(() => readReport(Uint8Array.from(bytes)), words);
});

/* ---- a clean path ---- */

test('a clean path: one round trip, up to two for a held poll, half an interval for a short one', () => {
	assert.deepEqual(computeClean(40), { websocket: 40, sse: 40, stream: 40, longpoll: 40, poll: 560 });
	assert.deepEqual(computeClean(600, { interval: 2000 }), { websocket: 600, sse: 600, stream: 600, longpoll: 900, poll: 1900 });
	assert.deepEqual(Object.values(computeClean(null)), [null, null, null, null, null]);
	assert.deepEqual(Object.keys(formulas), names);
});
