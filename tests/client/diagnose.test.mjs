// The verdict: pure, by a table of what the probes may see; and the probes, against a real
// gateway behind a real obstacle.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { Gateway, RealObstacle, listen, load, until } from './setup.mjs';

const { diagnose, judge, writeReport } = await load('diagnose.js');
const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
const letters = { works: 'W', degraded: '~', dead: 'X' };
const statesOf = ({ transports }) => names.map((name) => letters[transports[name].state]).join('');

/* ---- the table ---- */

const ours = (fields) => ({ ms: 5, status: 200, ours: true, good: true, type: 'application/json', ...fields });
const theirs = (status, type = 'text/html') => ({ ms: 7, status, ours: false, good: false, type });
const silent = { ms: 3000, silent: true };
const gone = { ms: 3, error: 'ECONNRESET' };
const live = ours({ type: 'text/event-stream', open: 6, mark: 156 });
const { mark: _, ...lagging } = live;
const { open: __, ...held } = lagging;
const lines = [['Host', 'push.example'], ['Last-Event-ID', 'probe']];
const head = (headers = lines, version = 'HTTP/1.1') => ours({ value: { method: 'GET', version, headers, more: 0 } });
const clear = { url: 'http://push.example/', gateway: ours(), head: head(),
	websocket: { ms: 20, handshake: 4, open: 5, small: 8, large: 9 }, sse: live, stream: live,
	poll: ours(), longpoll: { ...ours({ ms: 2004 }), hold: 2000 }, echo: ours() };
const socket = (fields) => ({ ...clear, websocket: { ms: 3000, ...fields } });
const all = (answer) => ({ ...clear, gateway: answer, head: answer, sse: answer, stream: answer, poll: answer,
	longpoll: { ...answer, hold: 2000 }, echo: answer, websocket: { ms: 3000, ended: 4 } });
const streams = (stream) => ({ ...clear, sse: stream, stream });

for (const [what, facts, states, words] of [
	['nothing in the way', clear, 'WWWWW', /^Nothing is in the way of any transport\.$/],
	['Upgrade removed', socket({ ended: 4, seen: 'plain_get' }), 'XWWWW', /^A proxy between you and the gateway removes the Upgrade header \(it answered in 4 ms and the gateway saw an ordinary request\): WebSocket cannot work here\. Server-Sent Events, HTTP streaming, long-polling and short polling work here\.$/],
	['refused with a status', socket({ ended: 4, status: 403, seen: 'nothing', plain: ours({ status: 426, good: false }) }), 'XWWWW', /refuses the upgrade with status 403 \(in 4 ms and the gateway saw nothing of it\): WebSocket cannot/],
	['refused, by whom a browser cannot see', socket({ ended: 4, seen: 'nothing', plain: ours({ status: 426, good: false }) }), 'XWWWW', /refuses the upgrade \(in 4 ms and the gateway saw nothing/],
	['the path itself blocked', socket({ ended: 4, seen: 'nothing', plain: theirs(403) }), 'XWWWW', /path for WebSocket is blocked, with an upgrade or without \(a proxy answers .* status 403\)/],
	['refused by the gateway', socket({ ended: 4, seen: 'nothing', plain: ours({ status: 403, good: false, message: 'this Origin is not allowed' }) }), 'XWWWW', /The gateway itself refuses it \(this Origin is not allowed\)/],
	['an upgrade into a hole', socket({ seen: 'nothing', plain: ours({ status: 426, good: false }) }), 'XWWWW', /swallows the upgrade \(nothing came in 3 s and the gateway saw nothing of it\)/],
	['a wrong accept', socket({ ended: 4, seen: 'upgraded_no_frame' }), 'XWWWW', /accepted the upgrade and its answer did not arrive intact/],
	['half-open, up dead', socket({ handshake: 4, open: 5, seen: 'upgraded_no_frame' }), 'XWWWW', /nothing of what you send \(the gateway saw the upgrade and no frame\)/],
	['half-open, down dead', socket({ handshake: 4, seen: 'upgraded' }), 'XWWWW', /nothing from the gateway: WebSocket/],
	['both dead', socket({ handshake: 4, seen: 'upgraded_no_frame' }), 'XWWWW', /nothing from the gateway, nor to it/],
	['a false gateway', socket({ handshake: 4, seen: 'nothing' }), 'XWWWW', /answers the upgrade in its place/],
	['foreign bytes', socket({ handshake: 4, foreign: true, ended: 5, seen: 'upgraded' }), 'XWWWW', /bytes of its own into the socket/],
	['cut at once', socket({ handshake: 4, ended: 6, seen: 'upgraded' }), 'XWWWW', /ends the connection \(after 6 ms\)/],
	['small frames only', socket({ handshake: 4, open: 5, small: 7, seen: 'upgraded' }), 'XWWWW', /lets small WebSocket frames pass, but none of 4 KB: WebSocket cannot work here/],
	['upgrades by luck', { ...clear, websocket: { ...clear.websocket, before: { ms: 4, ended: 4, status: 502 } } }, '~WWWW', /WebSocket works with a flaw: upgrades fail now and then: .* refuses the upgrade with status 502/],
	['CONNECT refused', socket({ ended: 4, status: 403, connect: true, seen: 'nothing' }), 'XWWWW', /CONNECT was answered with status 403/],
	['no WebSocket', socket({ missing: true }), 'XWWWW', /This program has no WebSocket/],
	['streams held', streams(held), 'WXXWW', /holds streams back \(their head arrives, what they carry does not\): Server-Sent Events and HTTP streaming cannot work here/],
	['a stream held by compression', { ...clear, sse: { ...held, encoding: 'gzip' } }, 'WXWWW', /compresses streams \(gzip\) and thereby holds them back \(their head arrives, what they carry does not\): Server-Sent Events cannot/],
	['streams held, head and all', streams(silent), 'WXXWW', /holds streams back until they end, or swallows them \(nothing arrives within 3 s\)/],
	['event streams held', { ...clear, sse: held }, 'WXWWW', /Server-Sent Events cannot work here\. WebSocket, HTTP streaming, long-polling and short polling work here\.$/],
	['lag by one', streams(lagging), 'WXXWW', /delays streams by one: each message arrives with the next/],
	['heaps that are late', streams({ ...live, open: 2001, mark: 2002 }), 'WXXWW', /in heaps, up to 2 s late: Server-Sent Events and HTTP streaming cannot/],
	['heaps that are soon', { ...clear, sse: { ...live, open: 206, mark: 207 }, stream: { ...live, open: 198, mark: 202 } }, 'W~~WW', /^Server-Sent Events and HTTP streaming work with a flaw: .* in heaps, up to 200 ms late/],
	['a stream that is cut', { ...clear, sse: { ...lagging, cut: true, ended: 90 } }, 'WXWWW', /Streams are cut after 90 ms: Server-Sent Events cannot/],
	['nothing beside a stream', { ...clear, sse: { ...live, echo: silent }, stream: silent }, 'WXXWW', /^While a stream is open, nothing else gets through .* Server-Sent Events and HTTP streaming cannot/],
	['a request beside a stream that is lost by chance', { ...clear, sse: { ...live, echo: silent }, stream: { ...live, echo: ours() } }, 'WXWWW', /^Requests fail now and then, and a stream wants another one beside it \(nothing is answered within 3 s\): Server-Sent Events cannot/],
	['answers that are changed, streams too', { ...clear, gateway: ours({ good: false }), poll: ours({ good: false }), longpoll: ours({ good: false, hold: 2000 }), echo: ours({ good: false }),
		sse: { ...live, echo: ours({ good: false }) }, stream: ours({ good: false, foreign: true }), websocket: { ms: 4, ended: 4, seen: 'plain_get' } }, 'XXXXX', /changes its answers on their way, .*: Server-Sent Events, HTTP streaming, long-polling and short polling cannot work here\. No transport is left\.$/],
	['no POST beside a stream', { ...streams({ ...live, echo: theirs(403) }), echo: theirs(403) }, 'WXX~~', /^Publishing by POST does not get through \(.*403\), without which streams are of no use/],
	['large POSTs only', { ...streams({ ...live, echo: ours() }), echo: theirs(413) }, 'W~~~~', /must be small: 4 KB do not get through \(.*413\)/],
	['POSTs by luck', { ...clear, echo: ours({ before: gone }) }, 'W~~~~', /publishing by POST fails now and then \(the connection is reset/],
	['a stream whose successor is refused', streams({ ...live, echo: ours(), next: theirs(502) }), 'WXXWW', /one always fails \(.*502\)/],
	['a stream whose successor is late', streams({ ...live, echo: ours(), next: silent }), 'WWWWW', /^Nothing is in the way/],
	['foreign bytes in a stream', { ...clear, stream: { ...held, foreign: true } }, 'WWXWW', /HTTP streaming cannot work here/],
	['streams refused', streams(theirs(503)), 'WXXWW', /answers in the gateway's place with status 503: Server-Sent Events and HTTP streaming/],
	['held polls cut', { ...clear, longpoll: { ...theirs(504), ms: 1500, hold: 2000 } }, 'WWWXW', /An answer that is held for 2 s does not arrive \(.*504\): long-polling cannot work here/],
	['held polls answered early', { ...clear, longpoll: { ...ours(), hold: 2000 } }, 'WWW~W', /answered early, as by a cache/],
	['held polls that come when there is a message', { ...clear, longpoll: { ...silent, hold: 2000, told: ours() } }, 'WWW~W', /Long-polling works with a flaw: an answer that is held for 2 s does not arrive \(nothing is answered within 3 s\), one that is given at once, for a message, does/],
	['held polls that never come', { ...clear, longpoll: { ...silent, hold: 2000, told: silent } }, 'WWWXW', /An answer that is held for 2 s does not arrive/],
	['connections that take 5 s', { ...all(silent), websocket: { ms: 3000 }, poll: ours({ ms: 5012 }), longpoll: ours({ ms: 5012, hold: 2000 }) }, 'XXX~~', /^A new connection is answered after 5 s only.*: WebSocket, Server-Sent Events and HTTP streaming cannot work here\. Long-polling and short polling work with a flaw/],
	['a slow way', { ...clear, gateway: ours({ ms: 510 }), head: { ...head(), ms: 520 }, poll: ours({ ms: 505 }) }, 'WWWWW', /^Nothing is in the way of any transport\. The way is slow: the quickest answer took 505 ms\.$/],
	['polls changed', { ...clear, poll: ours({ good: false }), longpoll: { ...ours({ good: false }), hold: 2000 } }, 'WWWXX', /changes its answers on their way, .*: long-polling and short polling cannot work here/],
	['no POST', { ...clear, echo: theirs(405) }, 'W~~~~', /publishing by POST does not get through \(.*405\), receiving does/],
	['a captive portal', all(theirs(200)), 'XXXXX', /^Nothing of the gateway gets through: somebody between answers with something else \(status 200, text\/html\), as a captive portal does\.$/],
	['a login', all(theirs(407)), 'XXXXX', /^Nothing of the gateway gets through: a proxy wants a login first \(status 407\)\.$/],
	['nobody there', all(gone), 'XXXXX', /^Nothing of the gateway gets through: the connection is reset without an answer\.$/],
	['an unknown certificate', all({ ms: 3, error: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), 'XXXXX', /the certificate is none that is trusted here, as where TLS is intercepted/],
	['nothing that a page may read', all({ ms: 3 }), 'XXXXX', /^Nothing of the gateway gets through: no answer comes that this page may read/],
	['all of it a hole', all(silent), 'XXXXX', /^Nothing of the gateway gets through: nothing is answered within 3 s\.$/],
	['answers without the mark', { ...clear, gateway: ours({ ours: false }), stream: { ...live, ours: false }, sse: { ...live, ours: false },
		poll: ours({ ours: false }), longpoll: { ...ours({ ours: false, ms: 2001 }), hold: 2000 } }, 'W~XXX', /removes the header Sluice/],
	['idle cuts', { ...clear, idle: { websocket: { cut: 10020, watched: 10020 }, sse: { cut: 30100, watched: 30100 },
		stream: { watched: 60100 }, longpoll: { cut: 50004, status: 504, watched: 50004 } } }, '~WWWW',
		/WebSocket works with a flaw: a socket is cut after 10 s of silence.*Long-polling works; a held poll is cut after 50 s with status 504/],
	['a poll that is cut early', { ...clear, idle: { longpoll: { cut: 10004, status: 504, watched: 10004 } } }, 'WWW~W', /cut after 10 s with status 504/],
	['luck', { ...clear, poll: ours({ before: theirs(502) }), sse: { ...live, before: gone } }, 'W~WW~', /Server-Sent Events work with a flaw: requests fail now and then \(the connection is reset without an answer\)/],
	['a 426, and what the gateway saw cannot be read', socket({ ended: 4, status: 426 }), 'XWWWW', /removes the Upgrade header .* says that it got an ordinary request/],
	['proxies that name themselves', { ...clear, head: head([...lines, ['Via', '1.1 squid'], ['X-Forwarded-For', '10.0.0.1']]) }, 'WWWWW', /show in what they add to requests \(Via: 1\.1 squid; X-Forwarded-For: 10\.0\.0\.1\)/],
	['HTTP/1.0, another Host', { ...clear, head: head([['Host', 'inside'], lines[1]], 'HTTP/1.0') }, 'WWWWW', /in HTTP\/1\.0, which knows no upgrade\. A proxy changes the Host of requests to inside\./],
	['headers removed', { ...clear, token: true, head: head([lines[0]]) }, 'WWWWW', /removes Last-Event-ID and Authorization from requests/],
])
	test(`verdict: ${what}`, () => {
		const verdict = judge(facts);
		assert.equal(statesOf(verdict), states, verdict.verdict);
		assert.match(verdict.verdict, words);
		for (const { state, why } of Object.values(verdict.transports))
			assert.ok(state === 'works' || why, 'what does not work is said why');
		assert.ok(verdict.evidence.length >= 8 && verdict.evidence.every(({ what, saw, ms }) => what && saw && ms >= 0));
		assert.ok(!/undefined|NaN|null/.test(writeReport(facts.url, verdict)), writeReport(facts.url, verdict));
	});

/* ---- the probes ---- */

let gateway;
/** Each request has a connection of its own, so that each meets the fault. */
const fetchAlone = (url, init) => fetch(url, { ...init, headers: { ...init.headers, Connection: 'close' } });

before(async () => {
	gateway = await new Gateway().start();
});

after(() => gateway?.stop());

for (const [faults, states, words] of [
	[[], 'WWWWW', /^Nothing is in the way/],
	[['strip-upgrade'], 'XWWWW', /removes the Upgrade header \(it answered in \d+ ms and the gateway saw an ordinary request\)/],
	[['refuse=403@transport=websocket'], 'XWWWW', /status 403/],
	[['hole@transport=websocket'], 'XWWWW', /blocked, with an upgrade or without|swallows/],
	[['half-up'], 'XWWWW', /nothing of what you send/],
	[['half-down'], 'XWWWW', /nothing from the gateway:/],
	[['wrong-accept'], 'XWWWW', /did not arrive intact/],
	[['inject-bytes@transport=websocket'], 'XWWWW', /bytes of its own into the socket/],
	[['max-frame=4K'], 'XWWWW', /none of 4 KB: WebSocket/],
	[['cut-bytes=8K,hole@transport=websocket'], 'XWWWW', /none of 4 KB: WebSocket/],
	[['drip=64,100ms'], 'X~~~~', /none of 4 KB: WebSocket.*the way is slow: 4 KB that were sent/],
	[['half-up', 'buffer-type=text/event-stream'], 'XXWWW', /Server-Sent Events cannot work here/],
	[['buffer-end'], 'WXXWW', /holds streams back/],
	[['lag-one'], 'WXXWW', /each message arrives with the next/],
	[['buffer-time=2s'], 'WXXWW', /in heaps/],
	[['flush-every=2s'], 'WXXWW', /in heaps/],
	[['buffer-time=600ms'], 'W~~WW', /in heaps/],
	[['hole@transport=longpoll'], 'WWWXW', /held for 2 s does not arrive/],
	[['strip-upgrade', 'buffer-end', 'timeout=1s,504'], 'XXX~W', /Long-polling works with a flaw: an answer that is held for 2 s does not arrive \(.*504\)/],
	[['strip-upgrade', 'retry=14'], 'XWW~W', /held for 2 s does not arrive .*, one that is given at once, for a message, does/],
	[['forbid-post'], 'WXX~~', /Publishing by POST does not get through/],
	[['inject-html'], 'WXXXX', /changes its answers on their way/],
	[['inject-bytes'], 'XXXXX', /bytes of its own into the socket.*changes its answers on their way.*No transport is left/],
	[['gzip-headerless'], 'WXXXX', /changes its answers on their way/],
	[['drop-response-header=Sluice'], 'WXXXX', /removes the header Sluice/],
	[['connect-delay=5s'], 'XXX~~', /^A new connection is answered after [5-9](\.\d)? s only/],
	[['max-connections=1'], 'WXXWW', /^While a stream is open, nothing else gets through/],
	[['max-connections=2'], 'WWWWW', /^Nothing is in the way/],
	[['captive'], 'XXXXX', /^Nothing of the gateway gets through: somebody between .* captive portal/],
	[['retry=2'], 'WWWWW', /^Nothing is in the way/],
	[['fail-every=3,502'], /^.XX[W~][W~]$/, /fails? now and then/],
	[['fail-every=2,rst'], /^.XX[W~][W~]$/, /fails? now and then/],
	[['rewrite-host=localhost'], 'WWWWW', /changes the Host of requests to localhost/],
	[['drop-header=Last-Event-ID'], 'WWWWW', /removes Last-Event-ID/],
])
	test(`behind ${faults.join(' and ') || 'no fault'}`, async () => {
		const obstacle = await new RealObstacle().start(gateway.port, faults);
		try {
			const verdict = await diagnose(obstacle.url, { WebSocket, fetch: fetchAlone });
			assert.match(verdict.verdict, words);
			assert.match(statesOf(verdict), new RegExp(states), verdict.verdict);
		} finally {
			await obstacle.stop();
		}
	});

test('nobody there', async () => {
	const obstacle = await new RealObstacle().start(gateway.port);
	await obstacle.stop();
	assert.equal(statesOf(await diagnose(obstacle.url, { WebSocket })), 'XXXXX');
});

test('without a WebSocket the rest is probed', async () => {
	const { verdict, transports } = await diagnose(gateway.url, { WebSocket: null });
	assert.match(verdict, /^This program has no WebSocket: WebSocket cannot work here/);
	assert.equal(transports.sse.state, 'works');
});

test('what is asked for goes with every request: parameters, and the token as a header', async () => {
	const asked = [];
	await diagnose(gateway.url, { WebSocket, token: 'secret', params: { demo: 'some-name' }, fetch: (url, init) => {
		asked.push([new URL(url), init.headers]);
		return fetch(url, init);
	} });
	assert.ok(asked.length >= 6);
	for (const [url, headers] of asked) {
		assert.equal(url.searchParams.get('demo'), 'some-name');
		assert.equal(headers.Authorization, 'Bearer secret');
	}
});

test('with patience: after which silence connections are cut', async () => {
	const obstacle = await new RealObstacle().start(gateway.port, ['cut-idle=4s']);
	try {
		const verdict = await diagnose(obstacle.url, { WebSocket, patient: true });
		assert.equal(statesOf(verdict), '~~~~W', verdict.verdict);
		for (const name of names.slice(0, 4))
			assert.match(verdict.transports[name].why, /is cut after (3\.[5-9]|4(\.\d)?) s/);
	} finally {
		await obstacle.stop();
	}
});

/* ---- the client's own words ---- */

for (const [faults, says] of [
	[['strip-upgrade'], /websocket: the upgrade was taken out of the request on its way/],
	[['half-up'], /websocket: .*what is sent over the socket does not arrive/],
	[['half-down'], /websocket: .*nothing of the gateway came after it/],
	[['refuse=403@transport=websocket'], /websocket: the upgrade did not reach the gateway/],
	[['strip-upgrade', 'buffer-end'], /websocket: .*; sse: the stream did not begin within 3 s; stream: the stream did not begin within 3 s/],
	[['strip-upgrade', 'lag-one'], /sse: the stream is held back on its way; stream: /],
])
	test(`the client behind ${faults.join(' and ')} goes where the verdict says, for the same reason`, async () => {
		const obstacle = await new RealObstacle().start(gateway.port, faults);
		// A gate that a busy machine was too slow for is tried again at once.
		const sluice = listen(obstacle.url, { channels: ['test.words'], timings: { promote: [300, 300, 300, 300] } });
		try {
			const verdict = await diagnose(obstacle.url, { WebSocket });
			const good = names.find((name) => verdict.transports[name].state === 'works');
			await until('the client to be where it belongs', () => sluice.transport === good);
			const { errors, transports } = sluice.log;
			const said = [transports.at(-1).why, ...errors.map(({ transport, message }) => `${transport}: ${message}`)];
			await until(`${says}`, () => [sluice.log.transports.at(-1).why,
				sluice.log.errors.map(({ transport, message }) => `${transport}: ${message}`).join('; ')].some((words) => says.test(words)))
				.catch((error) => assert.fail(`${error.message}: ${said.join(' | ')}`));
		} finally {
			sluice.close();
			await obstacle.stop();
		}
	});
