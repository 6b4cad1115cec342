// format=raw: clients that know nothing of this gateway, unmodified.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { launch } from './browser.mjs';
import { Gateway, until } from './gateway.mjs';

const curl = promisify(execFile).bind(null, 'curl');
const polyfill = createRequire(import.meta.url).resolve('event-source-polyfill');
let browser, gateway, page, foreign;

/** Listens on a loopback port that the system chooses; returns it. */
async function listen(server) {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return server.address().port;
}

/** A page of another origin, that of a site that has the polyfill. */
function makeForeignPage() {
	return createServer((request, response) => {
		const isScript = request.url === '/polyfill.js';
		response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
		response.end(isScript ? readFileSync(polyfill) :
			'<!doctype html><title>Foreign</title><script src="/polyfill.js"></script>');
	});
}

before(async () => {
	foreign = makeForeignPage();
	const origin = `http://127.0.0.1:${await listen(foreign)}`;
	gateway = await new Gateway('--allow-origin', origin, '--allow-credentials').start();
	browser = await launch();
	page = await browser.newPage();
	await page.goto(gateway.url);
});

after(async () => {
	await browser?.close();
	await gateway?.stop();
	foreign?.close();
});

function raw(path, channel, more) {
	return gateway.address(path, { channels: channel, format: 'raw', ...more });
}

test('the browser\'s WebSocket: a frame is a payload, both ways', async () => {
	const got = await page.evaluate(async (url) => {
		const socket = new WebSocket(url.replace('http', 'ws'));
		socket.binaryType = 'arraybuffer';
		await new Promise((resolve) => socket.onopen = resolve);
		const frames = [];
		const all = new Promise((resolve) => socket.onmessage = ({ data }) =>
			frames.push(data) === 3 && resolve());
		socket.send('one\ntwo ü');
		socket.send(new Uint8Array([0, 255, 7]));
		socket.send('');
		await all;
		socket.close();
		return frames.map((frame) => typeof frame === 'string' ? frame : [...new Uint8Array(frame)]);
	}, raw('ws', 'raw.browser.ws'));
	assert.deepEqual(got, ['one\ntwo ü', [0, 255, 7], '']);
});

test('the browser\'s EventSource: data is the payload', async () => {
	await page.evaluate((url) => {
		window.events = [];
		window.source = new EventSource(url);
		window.source.onmessage = ({ data, lastEventId }) => window.events.push({ data, lastEventId });
		return new Promise((resolve) => window.source.onopen = resolve);
	}, raw('sse', 'raw.browser.sse'));
	const id = await gateway.publish('raw.browser.sse', 'two\nlines');
	const json = await gateway.publish('raw.browser.sse', '{"n": 1}', 'application/json');
	const binary = await gateway.publish('raw.browser.sse', new Uint8Array([0, 255]),
		'application/octet-stream');
	const events = await until('three events', () => page.evaluate(() => {
		return window.events.length === 3 && window.events;
	}));
	await page.evaluate(() => window.source.close());
	assert.deepEqual(events, [
		{ data: 'two\nlines', lastEventId: id },
		{ data: '{"n": 1}', lastEventId: json },
		{ data: 'AP8=', lastEventId: binary },
	]);
});

test('the ws package: frames both ways, and a close that is answered', async () => {
	const socket = new WebSocket(raw('ws', 'raw.ws').replace('http', 'ws'));
	await once(socket, 'open');
	const frames = [];
	socket.on('message', (data, isBinary) => frames.push(isBinary ? data : String(data)));
	socket.send('text');
	socket.send(Buffer.from([1, 2, 3]));
	await gateway.publish('raw.ws', 'over HTTP');
	await until('three frames', () => frames.length === 3);
	assert.ok(frames.includes('text') && frames.includes('over HTTP'));
	assert.ok(frames.some((frame) => Buffer.isBuffer(frame) && frame.equals(Buffer.from([1, 2, 3]))));
	socket.close(1000);
	const [code] = await once(socket, 'close');
	assert.equal(code, 1000);
});

test('the eventsource package: comes back by itself where it was', async () => {
	const events = [];
	const source = new EventSource(raw('sse', 'raw.eventsource'));
	source.onmessage = ({ data }) => events.push(data);
	await new Promise((resolve) => source.addEventListener('open', resolve, { once: true }));
	await gateway.publish('raw.eventsource', 'before');
	await until('the first', () => events.length === 1);
	await gateway.stop();
	await gateway.start();
	await gateway.publish('raw.eventsource', 'after');
	await until('the second', () => events.length === 2);
	source.close();
	assert.deepEqual(events, ['before', 'after']);
});

/** A way to the gateway that can be cut. */
class Cable {
	#sockets = new Set();
	#isCut = false;

	async lay(target) {
		this.server = net.createServer((client) => {
			if (this.#isCut)
				return client.destroy();
			const other = net.connect(target.port, target.hostname);
			for (const [one, two] of [[client, other], [other, client]]) {
				this.#sockets.add(one);
				one.on('error', () => {}).on('close', () => two.destroy());
				one.pipe(two);
			}
		});
		this.port = await listen(this.server);
		return this;
	}

	cut() {
		this.#isCut = true;
		this.#sockets.forEach((socket) => socket.destroy());
		this.#sockets.clear();
	}

	mend() {
		this.#isCut = false;
	}

	remove() {
		this.cut();
		this.server.close();
	}
}

for (const [name, parameter] of [['its own name', undefined], ['last_event_id', 'last_event_id']])
	test(`event-source-polyfill in a page of another origin resumes by ${name}`, async () => {
		const cable = await new Cable().lay(new URL(gateway.url));
		const other = await browser.newPage();
		try {
			const channel = `raw.polyfill.${name.replaceAll(' ', '.')}`;
			await other.goto(`http://127.0.0.1:${foreign.address().port}/`);
			await other.evaluate(([url, lastEventIdQueryParameterName]) => {
				window.events = [];
				window.source = new window.EventSourcePolyfill(url, {
					lastEventIdQueryParameterName,
					withCredentials: true,
					headers: { 'Cache-Control': 'no-cache', 'X-Requested-With': 'XMLHttpRequest',
						Authorization: 'Bearer x', 'Last-Event-ID': '' },
				});
				window.source.onmessage = ({ data }) => window.events.push(data);
			}, [raw('sse', channel).replace(new URL(gateway.url).port, cable.port), parameter]);
			const has = (count) => until(`${count} events`,
				() => other.evaluate((wanted) => window.events.length >= wanted, count));
			await until('open', () => other.evaluate(() => window.source.readyState === 1));
			await gateway.publish(channel, 'before');
			await has(1);
			cable.cut();
			await gateway.publish(channel, 'meanwhile');
			cable.mend();
			await has(2);
			await gateway.publish(channel, 'after');
			await has(3);
			assert.deepEqual(await other.evaluate(() => window.events), ['before', 'meanwhile', 'after']);
		} finally {
			await other.close();
			cable.remove();
		}
	});

test('curl -N: a payload a line', async () => {
	const child = spawn('curl', ['-sSN', raw('stream', 'raw.curl', { since: 0 })]);
	const lines = [];
	createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
	await gateway.publish('raw.curl', 'first');
	await until('a line', () => lines.length === 1);
	await gateway.publish('raw.curl', '[2]', 'application/json');
	await until('another', () => lines.length === 2);
	const gone = once(child, 'exit');
	child.kill();
	await gone;
	assert.deepEqual(lines, ['first', '[2]']);
});

test('curl on poll: one message is the body, its cursor a header, none is 204', async () => {
	const id = await gateway.publish('raw.poll', 'hello');
	const poll = (since) => curl(['-sSi', raw('poll', 'raw.poll', { since, wait: 0 })]);
	const { stdout: first } = await poll('0');
	assert.match(first, /^HTTP\/1\.1 200 OK\r\n/);
	assert.match(first, /\r\nContent-Type: text\/plain/);
	assert.ok(first.includes(`\r\nSluice-Cursor: ${id}\r\n`));
	assert.ok(first.endsWith('\r\n\r\nhello'));
	const { stdout: second } = await poll(id);
	assert.match(second, /^HTTP\/1\.1 204 No Content\r\n/);
});
