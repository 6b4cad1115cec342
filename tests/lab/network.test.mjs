// What the lab's client and the probe send, and what they see of the answers.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { createBrowser, createProbe } from '../../bench/lab/network.mjs';

const LOGIN = `Basic ${Buffer.from('lab:sec:ret').toString('base64')}`;

/** @param {import('node:test').TestContext} t @param {net.Server} server @param {string} [host]
 * @returns {Promise<string>} its place */
async function listen(t, server, host = '127.0.0.1') {
	/** @type {Set<net.Socket>} */
	const sockets = new Set();
	server.on('connection', (socket) => sockets.add(socket));
	t.after(() => {
		sockets.forEach((socket) => socket.destroy());
		server.close();
	});
	await once(server.listen(0, host), 'listening');
	return `${host.includes(':') ? `[${host}]` : host}:${/** @type {net.AddressInfo} */ (server.address()).port}`;
}

/** @param {import('node:test').TestContext} t @param {(bytes: net.Socket) => void} begin
 * @returns {Promise<string>} where upgrades are accepted, and the socket handed on */
function acceptUpgrades(t, begin) {
	const server = http.createServer().on('upgrade', ({ headers }, socket) => {
		const accept = createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
		socket.on('error', () => {}).on('end', () => socket.end());
		socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
		begin(/** @type {net.Socket} */ (socket));
	});
	return listen(t, server);
}

/** @param {any} socket
 * @returns {Promise<{ messages: string[], failure?: any, code: number }>} when it is closed */
function watch(socket) {
	const seen = /** @type {any} */ ({ messages: [] });
	socket.onmessage = (/** @type {any} */ { data }) => seen.messages.push(data);
	socket.onerror = (/** @type {any} */ { status, connect, code }) => { seen.failure = { status, connect, code }; };
	return new Promise((done) => {
		socket.onclose = (/** @type {any} */ { code }) => done({ ...seen, code });
	});
}

/** A forward proxy that tunnels, when it gets the login.
 * @param {import('node:test').TestContext} t */
async function startProxy(t) {
	const asked = /** @type {(string | undefined)[]} */ ([]);
	const server = http.createServer(({ method, url, headers }, response) => {
		asked.push(`${method} ${url}`);
		response.writeHead(headers['proxy-authorization'] === LOGIN ? 200 : 407).end('of the proxy');
	});
	server.on('connect', ({ url, headers }, socket) => {
		asked.push(`CONNECT ${url} ${headers['user-agent'] ?? ''}`.trim());
		socket.on('error', () => {});
		if (headers['proxy-authorization'] !== LOGIN)
			return socket.end('HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n');
		const { hostname, port } = new URL(`http://${url}`);
		const onwards = net.connect(Number(port), hostname.replace(/[[\]]/g, ''), () => {
			socket.write('HTTP/1.1 200 OK\r\n\r\n');
			socket.pipe(onwards).pipe(socket);
		});
		onwards.on('error', () => socket.destroy());
		t.after(() => onwards.destroy());
	});
	return { asked, place: await listen(t, server) };
}

test('a message in several frames, with a ping between them, comes whole; then the close code', async (t) => {
	const place = await acceptUpgrades(t, (socket) => socket.write(Buffer.from([0x01, 1, 97, 0x89, 0, 0x80, 1, 98, 0x88, 2, 3, 0xf4])));
	const { WebSocket } = createProbe({});
	assert.deepEqual(await watch(new WebSocket(`ws://${place}/`)), { messages: ['ab'], code: 1012 });
});

for (const [what, bytes] of /** @type {[string, number[]][]} */ ([
	['text within a message', [0x01, 0, 0x81, 0]], ['a continuation of nothing', [0x80, 0]], ['no UTF-8', [0x81, 1, 0xff]],
	['half a close code', [0x88, 1, 3]], ['a masked frame', [0x81, 0x80, 1, 2, 3, 4]],
]))
	test(`${what} ends a socket with an error and 1006`, async (t) => {
		const place = await acceptUpgrades(t, (socket) => socket.write(Buffer.from(bytes)));
		const { WebSocket } = createBrowser({});
		const { code, failure, messages } = await watch(new WebSocket(`ws://${place}/`));
		assert.deepEqual([code, messages], [1006, []]);
		assert.match(failure.code, / /);
	});

test('who closes a socket gets the answer of the other side', async (t) => {
	const place = await acceptUpgrades(t, (socket) => socket.once('data', (/** @type {Buffer} */ bytes) => {
		assert.deepEqual([bytes[0], bytes[1]], [0x88, 0x82]);
		socket.end(Buffer.from([0x88, 2, 3, 0xe8]));
	}));
	const { WebSocket } = createBrowser({});
	const socket = new WebSocket(`ws://${place}/`);
	socket.onopen = () => socket.close();
	assert.equal((await watch(socket)).code, 1000);
});

test('the status of a refused upgrade is seen, and a wrong answer to its key', async (t) => {
	const refusing = await listen(t, http.createServer((_, response) => response.writeHead(451).end()).on('upgrade', (_, socket) =>
		socket.end('HTTP/1.1 451 No\r\nContent-Length: 0\r\n\r\n')));
	const wrong = await listen(t, http.createServer().on('upgrade', (_, socket) => socket.write(
		'HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n')));
	const { WebSocket } = createProbe({});
	assert.equal((await watch(new WebSocket(`ws://${refusing}/`))).failure.status, 451);
	assert.match((await watch(new WebSocket(`ws://${wrong}/`))).failure.code, /Sec-WebSocket-Accept/);
});

test('a tunnel that is refused is told with its status, and one that is not reached with its error', async (t) => {
	const { place } = await startProxy(t);
	const refused = createProbe({ proxy: `http://${place}/` });
	assert.deepEqual((await watch(new refused.WebSocket('ws://127.0.0.1:9/'))).failure, { status: 407, connect: true, code: undefined });
	const lost = createProbe({ proxy: 'http://127.0.0.1:1/' });
	assert.deepEqual((await watch(new lost.WebSocket('ws://127.0.0.1:9/'))).failure, { status: undefined, connect: true, code: 'ECONNREFUSED' });
});

for (const create of [createBrowser, createProbe])
	test(`${create.name}: a proxy gets the login from its URL, for a tunnel and for a plain request`, async (t) => {
		const { place, asked } = await startProxy(t);
		const target = await acceptUpgrades(t, (socket) => socket.end(Buffer.from([0x88, 0])));
		const { fetch, WebSocket } = create({ proxy: `http://lab:sec%3Aret@${place}/` });
		assert.equal((await watch(new WebSocket(`ws://${target}/`))).code, 1005);
		assert.equal(await (await fetch(`http://${target}/path?a=b`)).text(), 'of the proxy');
		const agent = create === createProbe ? ' sluice-bench probe' : '';
		assert.deepEqual(asked, [`CONNECT ${target}${agent}`, `GET http://${target}/path?a=b`]);
	});

test('a name that is an IPv6 address is reached, directly and through a tunnel', async (t) => {
	const server = http.createServer((_, response) => response.end('six')).on('upgrade', (_, socket) =>
		socket.end('HTTP/1.1 418 No\r\nContent-Length: 0\r\n\r\n'));
	const place = await listen(t, server, '::1').catch(() => '');
	if (!place)
		return t.skip('there is no IPv6 here');
	assert.equal(await (await createBrowser({}).fetch(`http://${place}/`)).text(), 'six');
	const { place: proxy } = await startProxy(t);
	const { WebSocket } = createBrowser({ proxy: `http://lab:sec%3Aret@${proxy}/` });
	assert.equal((await watch(new WebSocket(`ws://${place}/`))).failure.status, 418);
});

test('a browser has six connections at most and keeps them; the probe has one a request', async (t) => {
	let connections = 0;
	const heads = /** @type {string[][]} */ ([]);
	const server = http.createServer(({ headers }, response) => {
		heads.push([headers.connection ?? '', headers['user-agent'] ?? '', headers['accept-encoding'] ?? '']);
		response.end('yes');
	}).on('connection', () => connections++);
	const place = await listen(t, server);
	const askTwenty = (/** @type {typeof fetch} */ fetch) => Promise.all(Array.from({ length: 20 }, async () =>
		(await fetch(`http://${place}/`)).text()));
	const browser = createBrowser({});
	t.after(browser.close);
	await askTwenty(browser.fetch);
	assert.equal(connections, 6);
	assert.deepEqual(heads[0], ['keep-alive', '', 'gzip, deflate']);
	heads.length = connections = 0;
	await askTwenty(createProbe({}).fetch);
	assert.equal(connections, 20);
	assert.deepEqual(heads[0], ['close', 'sluice-bench probe', 'gzip, deflate']);
});

test('a browser sends again what went into a connection that was dead', async (t) => {
	let asked = 0;
	const server = http.createServer(({ socket }, response) => {
		if (++asked === 2)
			return void socket.destroy();
		response.end(String(asked));
	});
	const place = await listen(t, server);
	const { fetch, close } = createBrowser({});
	t.after(close);
	assert.equal(await (await fetch(`http://${place}/`)).text(), '1');
	await new Promise(setImmediate); // it is idle now
	assert.equal(await (await fetch(`http://${place}/`)).text(), '3');
});

test('a browser and the probe unpack what is compressed, as it comes', async (t) => {
	const server = http.createServer((_, response) => {
		const packer = zlib.createGzip();
		response.writeHead(200, { 'Content-Encoding': 'gzip' });
		packer.pipe(response);
		packer.write('first');
		packer.flush();
	});
	const place = await listen(t, server);
	const browser = createBrowser({});
	t.after(browser.close);
	const read = async (/** @type {typeof fetch} */ fetch) => (await (await fetch(`http://${place}/`)).body?.getReader().read())?.value ?? [];
	assert.equal(Buffer.from(await read(browser.fetch)).toString(), 'first');
	assert.equal(Buffer.from(await read(createProbe({}).fetch)).toString(), 'first');
});

test('a fetch that is aborted while its tunnel is made ends then', async (t) => {
	const abort = new AbortController();
	const proxy = await listen(t, http.createServer().on('connect', () => abort.abort()));
	const { fetch } = createProbe({ proxy: `http://${proxy}/` });
	await assert.rejects(fetch('https://127.0.0.1:9/', { signal: abort.signal }), { name: 'AbortError' });
});
