// The check against a real gateway, behind real obstacles: what it finds, that it is a report, and
// what it asks the gateway for.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { loadCheck, names } from './check_setup.mjs';
import { Gateway, RealObstacle } from './setup.mjs';

const { decodeCode, runCheck, writeText } = await loadCheck('check.js');
const { readReport } = await loadCheck('form.js');

const letters = { works: 'W', degraded: '~', dead: 'X' };
const statesOf = ({ transports }) => names.map((name) => letters[transports[name].state]).join('');
const classesOf = ({ transports }) => names.map((name) => transports[name].class).join(' ');

/** Runs a check behind an obstacle; everything that it asks for and tells is kept. The gateway is one
 * of its own: an address gets few channels at a time. */
async function check(faults, options = {}) {
	const gateway = await new Gateway().start();
	const obstacle = await new RealObstacle().start(gateway.port, faults);
	const [asked, told] = [[], []];
	try {
		const report = await runCheck(obstacle.url, { WebSocket, onProgress: (progress) => told.push(progress), ...options,
			fetch: (url, init) => {
				asked.push({ method: init?.method ?? 'GET', url: new URL(url), init });
				return fetch(url, init);
			} });
		assert.deepEqual(readReport(new TextEncoder().encode(JSON.stringify(report))), report);
		for (const [name, one] of Object.entries(decodeCode(report.code).transports))
			assert.equal(one.class, report.transports[name].class);
		assert.doesNotMatch(writeText(report, obstacle.url), /undefined|NaN|null/);
		return { report, asked, told };
	} finally {
		await obstacle.stop();
		await gateway.stop();
	}
}

/** What is alive was measured: on a busy machine less of it. */
function checkFigures({ transports }, but = []) {
	for (const name of names.filter((one) => transports[one].state !== 'dead' && !but.includes(one))) {
		const { round_trip: trip, connect_ms: connect, first_ms: first, largest_down: down } = transports[name];
		assert.ok(trip && trip.count > 0 && trip.p50_ms <= trip.p90_ms, name);
		assert.ok(connect !== null && first !== null && down >= 64, name);
	}
}

describe('behind', { concurrency: 4 }, () => {
	for (const [faults, states, classes, choice, advice] of [
		[[], 'WWWWW', /^works works works works works$/, 'websocket', 0],
		[['strip-upgrade'], 'XWWWW', /^refused works/, 'sse', /removes the header Upgrade/],
		[['strip-upgrade', 'buffer-end'], 'XXXWW', /^refused buffered buffered works works$/, 'longpoll', /response buffering/],
		[['cut-age=4s@transport=websocket'], '[~W]WWWW', /works works works works$/, 'websocket', undefined],
		[['cut-age=4s,hole@transport=websocket'], '[~W]WWWW', /works works works works$/, 'websocket', undefined],
		[['forbid-post'], 'WXX~~', /^works refused refused refused refused$/, 'websocket', /POST requests pass/],
		[['max-connections=3'], '[W~][W~][W~][W~][W~]', /./, 'websocket', undefined],
		[['cache-replay=1'], 'WWW~~', /cached cached$/, 'websocket', /Do not cache/],
		[['captive'], 'XXXXX', /^refused refused refused refused refused$/, null, /captive portal/],
		[['hole'], 'XXXXX', /^swallowed swallowed swallowed swallowed swallowed$/, null, /no answer/],
		[['drop-response-header=Sluice'], 'WXXXX', /^works refused refused refused refused$/, 'websocket', /header Sluice/],
	])
		test(faults.join(' and ') || 'no fault', async () => {
			const { report } = await check(faults);
			assert.match(statesOf(report), new RegExp(`^${states}$`), report.verdict);
			assert.match(classesOf(report), classes);
			assert.equal(report.choice, choice);
			if (advice === 0)
				assert.deepEqual(report.advice, []);
			else if (advice)
				assert.match(report.advice.join('\n'), advice);
			checkFigures(report, faults.some((fault) => /^max-conn|^hole|age/.test(fault)) ? names : []);
			assert.equal(report.latency_ms, choice && report.transports[choice].round_trip ? report.transports[choice].round_trip.p50_ms : null);
		});
});

describe('its requests', { concurrency: 3 }, () => {
	test('listen and publish on one channel that the gateway lends, within its limits', async () => {
		const { report, asked, told } = await check([]);
		const channels = new Set(asked.flatMap(({ url }) => url.searchParams.get('channels') ?? url.searchParams.get('channel') ?? []));
		assert.equal(channels.size, 2);
		assert.match([...channels][0], /^diagnose\.\w+$/, 'what the diagnosis asks on');
		assert.match([...channels][1], /^~[\w-]{22,}$/);
		assert.ok(asked.every(({ url }) => url.pathname !== '/publish' || url.searchParams.get('channel')[0] === '~'));
		const lent = asked.filter(({ url }) => url.pathname === '/check/channel');
		assert.deepEqual(lent.map(({ method }) => method), ['POST']);
		const published = asked.filter(({ url }) => url.pathname === '/publish').map(({ init }) => init.body.length);
		assert.ok(published.length >= 4 && published.length < 100);
		assert.ok(published.reduce((sum, size) => sum + size) < 1048576 / 2);
		assert.deepEqual([...new Set(published)].filter((size) => ![10, 64, 4096, 65536].includes(size)), []);
		assert.equal(report.transports.sse.largest_down, 65536);
		assert.equal(told.at(-1).reports, false);
	});

	test('the channel comes by GET where POST does not pass', async () => {
		const { asked } = await check(['forbid-post']);
		assert.deepEqual(asked.filter(({ url }) => url.pathname === '/check/channel').map(({ method }) => method), ['POST', 'GET']);
		const polled = asked.findLast(({ url }) => url.pathname === '/poll');
		assert.equal(polled.url.searchParams.get('channels')[0], '~');
	});

	test('leave room on the lent channel where a proxy learns late that a client left', async () => {
		const { report } = await check(['linger=60s']);
		assert.equal(statesOf(report), 'WWWWW', report.verdict);
		assert.deepEqual(report.advice, []);
		checkFigures(report);
	});

	test('are all of the lent channel where the gateway allows no other', async () => {
		const gateway = await new Gateway().start();
		const listened = [];
		try {
			const report = await runCheck(gateway.url, { WebSocket, fetch: (url, init) => {
				const channel = new URL(url).searchParams.get('channels') ?? '~';
				if (channel[0] !== '~')
					return Response.json({ error: { code: 'token_missing', message: 'a token is needed' } },
						{ status: 401, headers: { Sluice: '1' } });
				listened.push(channel);
				return fetch(url, init);
			} });
			assert.equal(statesOf(report), 'WWWWW', report.verdict);
			checkFigures(report);
			assert.ok(listened.length > 10);
		} finally {
			await gateway.stop();
		}
	});

	test('where no channel is lent, an ordinary one does', async () => {
		const other = await new Gateway().start('--no-check');
		try {
			const urls = [];
			const report = await runCheck(other.url, { WebSocket, fetch: (url, init) => {
				urls.push(new URL(url));
				return fetch(url, init);
			} });
			assert.equal(statesOf(report), 'WWWWW', report.verdict);
			checkFigures(report);
			assert.ok(urls.some(({ searchParams }) => /^diagnose\./.test(searchParams.get('channels'))));
		} finally {
			await other.stop();
		}
	});

	test('a gateway that takes small messages only is not blamed on the path', async () => {
		const other = await new Gateway().start('--max-message', '8192');
		try {
			const report = await runCheck(other.url, { WebSocket });
			assert.deepEqual([report.transports.sse.largest_down, report.transports.sse.largest_up, report.advice], [4096, 4096, []]);
		} finally {
			await other.stop();
		}
	});
});

describe('a browser that lacks something', { concurrency: 4 }, () => {
	test('WebSocket', async () => {
		const { report } = await check([], { WebSocket: null });
		assert.equal(statesOf(report), 'XWWWW');
		assert.equal(classesOf(report), 'missing works works works works');
		assert.equal(report.choice, 'sse');
		assert.match(report.verdict, /^WebSocket cannot work here: this program has no WebSocket/);
		assert.match(report.advice.join(), /^Use a browser with WebSocket/);
	});

	test('fetch that streams: events come by EventSource', async () => {
		const { report } = await check([], { EventSource, streams: false });
		assert.equal(classesOf(report), 'works works missing works works');
		assert.ok(report.transports.sse.round_trip.count > 0);
		assert.equal(report.transports.sse.largest_down, 65536);
	});

	test('fetch that streams, and EventSource', async () => {
		const { report } = await check([], { EventSource: null, streams: false });
		assert.equal(classesOf(report), 'works missing missing works works');
		assert.match(report.verdict, /Server-Sent Events and HTTP streaming cannot work here: this program cannot read an answer before it ends/);
	});
});

test('progress rises from 0 to 1, by steps in their order, and ends with what was found', async () => {
	const { report, told } = await check(['strip-upgrade']);
	const steps = told.map(({ step }) => step).filter((step, i, all) => step !== all[i - 1]);
	assert.deepEqual(steps, ['channel', 'paths', 'round trips', 'payloads', 'done']);
	told.forEach(({ done }, i) => assert.ok(done >= (told[i - 1]?.done ?? 0) && done <= 1));
	assert.equal(told.at(-1).done, 1);
	assert.deepEqual(told.at(-1).transports, report.transports);
	assert.ok(told.at(-1).evidence.length > 8);
	const early = told.find(({ step }) => step === 'round trips');
	assert.equal(early.transports.websocket.state, 'dead');
});

test('a check that is ended rejects with the reason, and leaves nothing open', async () => {
	const gateway = await new Gateway().start();
	const abort = new AbortController();
	const sockets = [];
	class Kept extends WebSocket {
		constructor(...args) {
			super(...args);
			sockets.push(this);
		}
	}
	const running = runCheck(gateway.url, { WebSocket: Kept, signal: abort.signal,
		onProgress: ({ step }) => step === 'round trips' && abort.abort(new Error('enough')) });
	await assert.rejects(running, /enough/);
	await assert.rejects(runCheck(gateway.url, { signal: AbortSignal.abort(new Error('never')) }), /never/);
	for (let tries = 0; tries < 500; tries++) {
		const { transports } = await gateway.getStats();
		if (names.every((name) => transports[name].connections === 0) && sockets.every(({ readyState }) => readyState === 3))
			return gateway.stop();
		await new Promise((done) => setTimeout(done, 20));
	}
	await gateway.stop();
	assert.fail('connections are left');
});

test('with patience: after which silence connections are cut', async () => {
	const { report, told } = await check(['cut-idle=5s'], { patient: true });
	for (const name of names.slice(0, 4)) {
		const { silence, cut, state } = report.transports[name];
		assert.ok(silence && silence.cut_ms > 4000 && silence.cut_ms <= silence.watched_ms, name);
		assert.ok(cut && state === 'degraded', name);
	}
	assert.match(report.advice.join(), /Keep idle connections to .* open for 60 s or more: they are closed after/);
	assert.equal(report.patient, true);
	assert.ok(told.some(({ step }) => step === 'silence'));
});
