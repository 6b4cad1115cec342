// The client in a real browser: its own WebSocket, EventSource, locks and storage.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { Gateway, names, until } from './gateway.mjs';

let browser, gateway, context, obstacle;

before(async () => {
	gateway = await new Gateway().start();
	obstacle = await new Obstacle().start(() => new URL(gateway.url).port);
	browser = await launch();
});

afterEach(async () => {
	await context.close();
	obstacle.isHole = false;
});

after(async () => {
	await browser?.close();
	obstacle?.stop();
	await gateway?.stop();
});

/** A proxy before the gateway that can become a hole. */
class Obstacle {
	isHole = false;
	#sockets = new Set();

	async start(getPort) {
		this.server = net.createServer((client) => {
			const keep = (socket) => {
				this.#sockets.add(socket);
				socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
			};
			keep(client);
			client.once('data', (bytes) => {
				let head = String(bytes);
				if (this.isHole)
					return;
				if (!/^upgrade:/mi.test(head)) // one request a connection, so that each is judged
					head = head.replace(/^connection: .*\r\n/mi, '').replace('\r\n', '\r\nConnection: close\r\n');
				const server = net.connect(getPort(), '127.0.0.1');
				keep(server);
				server.write(head);
				client.on('data', (data) => this.isHole || server.write(data)).on('close', () => server.destroy());
				server.on('data', (data) => this.isHole || client.write(data)).on('close', () => client.end());
			});
		});
		this.server.listen(0, '127.0.0.1');
		await once(this.server, 'listening');
		this.url = `http://127.0.0.1:${this.server.address().port}/`;
		return this;
	}

	cut() {
		this.#sockets.forEach((socket) => socket.destroy());
	}

	stop() {
		this.server.close();
		this.cut();
	}
}

/** A page of the gateway's origin with nothing on it but a Sluice. */
async function openTab(options, url = '/', from = gateway.url) {
	const page = await context.newPage();
	await page.goto(`${from}healthz`);
	await page.evaluate(async ([given, address]) => {
		const { Sluice } = await import('/client/sluice.js');
		window.sluice = new Sluice(address, given);
		window.data = [];
		window.moves = [];
		window.gaps = [];
		window.errors = [];
		window.sluice.addEventListener('message', (event) => window.data.push(event.data));
		window.sluice.addEventListener('gap', ({ channel }) => window.gaps.push(channel));
		window.sluice.addEventListener('error', ({ code, transport, message }) => window.errors.push({ code, transport, message }));
		window.sluice.addEventListener('transport', ({ from: old, to, why }) => window.moves.push({ from: old, to, why, at: Date.now() }));
		await new Promise((resolve) => window.sluice.addEventListener('open', resolve, { once: true }));
	}, [options, url]);
	return page;
}

const numbers = (last) => Array.from({ length: last }, (_, i) => i + 1);

const read = (page, name) => page.evaluate((wanted) => window[wanted], name);
const publish = (channel, number) => gateway.publish(channel, String(number), 'application/json');

for (const name of names)
	test(`${name}: listens and publishes`, async () => {
		context = await browser.newContext();
		const page = await openTab({ channels: [`client.${name}`], transports: [name] });
		const id = await page.evaluate((channel) => window.sluice.publish(channel, { text: 'hi' }), `client.${name}`);
		await until('the message', async () => (await read(page, 'data')).length === 1);
		assert.deepEqual(await read(page, 'data'), [{ text: 'hi' }]);
		assert.match(id, /^[0-9a-f]{8}-\d+$/);
		assert.equal((await read(page, 'moves'))[0].to, name);
	});

test('what worked is remembered in localStorage', async () => {
	context = await browser.newContext();
	const page = await openTab({ channels: ['client.memory'] });
	const items = await page.evaluate(() => JSON.stringify(localStorage));
	assert.match(items, /sluice .*websocket/);
});

test('ten tabs with share use one connection and survive the leader\'s closing', async () => {
	context = await browser.newContext();
	const pages = [];
	for (let i = 0; i < 10; i++)
		pages.push(await openTab({ channels: ['client.share'], share: true, transports: ['sse'] }));
	const count = async () => (await gateway.getStats()).transports.sse.connections;
	await until('one connection', async () => await count() === 1);
	for (let number = 1; number <= 5; number++)
		await publish('client.share', number);
	await until('five in each', async () => (await Promise.all(pages.map((page) => read(page, 'data')))).every(({ length }) => length === 5));
	await pages.shift().close();
	for (let number = 6; number <= 10; number++)
		await publish('client.share', number);
	await until('ten in each', async () => (await Promise.all(pages.map((page) => read(page, 'data')))).every(({ length }) => length === 10));
	for (const page of pages)
		assert.deepEqual(await read(page, 'data'), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
	await until('one connection again', async () => await count() === 1);
});

test('a leader that hangs is noticed; when it goes on it follows, and has missed nothing', async () => {
	context = await browser.newContext();
	const pages = [];
	for (let i = 0; i < 3; i++)
		pages.push(await openTab({ channels: ['client.hanging'], share: true }));
	const all = (count) => async () => (await Promise.all(pages.map((page) => read(page, 'data')))).every(({ length }) => length === count);
	await publish('client.hanging', 1);
	await until('one in each', all(1));
	const before = (await gateway.getStats()).transports.websocket.opened;
	const began = pages[0].waitForEvent('console');
	const hanging = pages[0].evaluate(() => {
		console.log('hangs, until something is published that it asks for while it hangs');
		for (let answer = { messages: [] }; !answer.messages.length;) {
			const request = new XMLHttpRequest();
			request.open('GET', '/poll?channels=client.wakes&since=0&wait=1', false);
			request.send();
			answer = JSON.parse(request.responseText);
		}
		return window.data.length;
	});
	await began;
	const awake = pages.slice(1);
	for (let number = 2; number <= 6; number++)
		await publish('client.hanging', number);
	await until('six in the others', async () =>
		(await Promise.all(awake.map((page) => read(page, 'data')))).every(({ length }) => length === 6));
	assert.equal((await gateway.getStats()).transports.websocket.opened, before + 1);
	await publish('client.wakes', 1);
	assert.equal(await hanging, 1);
	await publish('client.hanging', 7);
	await until('seven in each', all(7));
	for (const page of pages)
		assert.deepEqual(await read(page, 'data'), numbers(7));
	await until('one connection', async () => (await gateway.getStats()).transports.websocket.connections === 1);
});

test('websocket, sse, stream blocked in mid-session: down; unblocked: up again; nothing lost, doubled, reordered', async () => {
	context = await browser.newContext();
	const page = await openTab({ channels: ['client.blocked'], params: { demo: 'client-test' },
		timings: { promote: [300, 300, 300, 300] } });
	const block = async (list) => {
		const response = await fetch(gateway.address('demo/api/blocked', { name: 'client-test' }), { method: 'POST',
			headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(list) });
		assert.equal(response.status, 200);
	};
	let sent = 0;
	let stop = false;
	const publishing = (async () => {
		while (!stop) {
			await publish('client.blocked', ++sent);
			await new Promise((done) => setTimeout(done, 5));
		}
	})();
	const reach = (wanted) => until(wanted, () => page.evaluate((name) => window.sluice.transport === name, wanted));
	for (const [count, wanted] of [[1, 'sse'], [2, 'stream'], [3, 'longpoll']]) {
		await block(names.slice(0, count));
		await reach(wanted);
	}
	for (const [count, wanted] of [[2, 'stream'], [1, 'sse'], [0, 'websocket']]) {
		await block(names.slice(0, count));
		await reach(wanted);
	}
	stop = true;
	await publishing;
	await until('the last', async () => (await read(page, 'data')).at(-1) === sent);
	assert.deepEqual(await read(page, 'data'), numbers(sent));
	assert.deepEqual(await read(page, 'gaps'), []);
	const blocked = (await read(page, 'errors')).filter(({ code }) => code === 'blocked');
	assert.ok(blocked.some(({ transport, message }) => transport === 'websocket' && /did not reach the gateway: another server answered, with status 403/.test(message)));
});

test('a gateway that is killed and started again: reconnected, with a gap told', async () => {
	context = await browser.newContext();
	const own = await new Gateway().start();
	try {
		const pages = [];
		for (const name of names)
			pages.push(await openTab({ channels: ['client.restart'], transports: [name], share: false }, '/', own.url));
		const have = (count) => async () => (await Promise.all(pages.map((page) => read(page, 'data')))).every(({ length }) => length === count);
		await own.publish('client.restart', '1', 'application/json');
		await until('the first', have(1));
		await own.stop('SIGKILL');
		await until('waiting', async () => (await Promise.all(pages.map((page) =>
			page.evaluate(() => window.sluice.state)))).every((state) => state !== 'open'));
		await own.start();
		await own.publish('client.restart', '2', 'application/json');
		await until('the second', have(2));
		for (const page of pages) {
			assert.deepEqual(await read(page, 'data'), [1, 2]);
			assert.deepEqual(await read(page, 'gaps'), ['client.restart']);
		}
	} finally {
		await own.stop();
	}
});

for (const [what, wake] of [['online', () => window.dispatchEvent(new Event('online'))],
	['pageshow', () => window.dispatchEvent(new Event('pageshow'))],
	['visibilitychange', () => document.dispatchEvent(new Event('visibilitychange'))]])
	test(`${what}: a connection that has died unseen is found by asking, not by its silence`, async () => {
		context = await browser.newContext();
		for (const name of names.slice(0, 4)) {
			const page = await openTab({ channels: ['client.zombie'], transports: [name] }, obstacle.url);
			await publish('client.zombie', 1);
			await until('the first', async () => (await read(page, 'data')).length === 1);
			obstacle.isHole = true;
			await publish('client.zombie', 2);
			await page.evaluate(wake);
			// Long before it would be noticed otherwise, after 2.5 intervals of 15 s.
			await until(`${name} to be given up`, () => page.evaluate(() => window.sluice.state !== 'open'), 15000);
			obstacle.isHole = false;
			obstacle.cut();
			await until('the second', async () => (await read(page, 'data')).length === 2);
			assert.deepEqual(await read(page, 'data'), [1, 2], name);
			await page.close();
		}
	});

test('coming back to the page checks the connection, which stays', async () => {
	context = await browser.newContext();
	for (const name of names) {
		const page = await openTab({ channels: ['client.wake'], transports: [name] });
		await page.evaluate(() => window.dispatchEvent(new Event('online')));
		await page.waitForTimeout(2500);
		assert.equal((await read(page, 'moves')).length, 1, name);
		await publish('client.wake', 1);
		await until('a message', async () => (await read(page, 'data')).length === 1);
		await page.close();
	}
});
