// permessage-deflate with the `ws` package, alone and below our client: messages arrive, fewer bytes do.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { Gateway, listen, until } from './setup.mjs';

const text = 'a text that repeats itself, '.repeat(200);
const open = [];
let count = 0;
let gateway;

before(async () => {
	gateway = await new Gateway().start('--deflate', '--shards', '1');
});

after(async () => {
	open.forEach((what) => what.stop?.() ?? what.close());
	await gateway?.stop();
});

/** A client of the package, its messages in `got`. */
async function connect(channel, perMessageDeflate) {
	const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}ws?channels=${channel}`, { perMessageDeflate });
	const got = [];
	open.push(socket);
	socket.on('message', (data) => got.push(JSON.parse(data)));
	await once(socket, 'open');
	await until('open', () => got.length === 1);
	assert.equal(got.shift().type, 'open');
	return { socket, got };
}

const bytesOf = ({ socket }) => socket._socket.bytesRead;

for (const [what, options, extension] of [
	['as it comes', true, 'permessage-deflate'],
	['with the smallest window', { serverMaxWindowBits: 8 }, 'permessage-deflate'],
	['with a window of 10 bits each', { serverMaxWindowBits: 10, clientMaxWindowBits: 10 }, 'permessage-deflate'],
	['without context takeover', { serverNoContextTakeover: true, clientNoContextTakeover: true }, 'permessage-deflate'],
	['without it', false, '']])
	test(`the ws package, ${what}, gets the same messages in fewer bytes`, async () => {
		const channel = `deflate.${++count}`;
		const client = await connect(channel, options);
		const plain = await connect(channel, false);
		assert.equal(client.socket.extensions, extension);
		const before = [bytesOf(client), bytesOf(plain)];
		const values = [text, { list: Array.from({ length: 500 }, (_, i) => i) }, 'short', text, 'ü'.repeat(600)];
		for (const value of values)
			await gateway.publish(channel, value);
		await until('all messages', () => client.got.length === values.length && plain.got.length === values.length);
		assert.deepEqual(client.got, plain.got);
		assert.deepEqual(client.got.map(({ data }) => data), values);
		const [compressed, whole] = [bytesOf(client) - before[0], bytesOf(plain) - before[1]];
		assert.ok(extension ? compressed < whole / 2 : compressed === whole, `${compressed} of ${whole} bytes`);
	});

test('the ws package may compress what it publishes, in fragments too', async () => {
	const channel = `deflate.${++count}`;
	const { socket, got } = await connect(channel, { threshold: 0 });
	const { inflate_messages: before } = (await gateway.getStats()).limits;
	const object = JSON.stringify({ type: 'publish', channel, data: text });
	const sent = socket._socket.bytesWritten;
	socket.send(object);
	socket.send(object.slice(0, 1000), { fin: false });
	socket.send(object.slice(1000));
	await until('both, and their acks', () => got.length === 4);
	assert.deepEqual(got.filter(({ data }) => data).map(({ data }) => data), [text, text]);
	assert.ok(socket._socket.bytesWritten - sent < object.length / 2);
	assert.equal((await gateway.getStats()).limits.inflate_messages - before, 2);
});

test('our client does not notice, but for the bytes', async () => {
	const channel = `deflate.${++count}`;
	const { deflate_messages: before } = (await gateway.getStats()).limits;
	const sluice = listen(gateway.url, { channels: [channel], transports: ['websocket'] });
	open.push(sluice);
	await until('open', () => sluice.log.states.some(({ state }) => state === 'open'));
	await gateway.publish(channel, text);
	await gateway.publish(channel, 'short');
	await until('both messages', () => sluice.log.messages.length === 2);
	assert.deepEqual(sluice.log.messages.map(({ data }) => data), [text, 'short']);
	assert.equal((await gateway.getStats()).limits.deflate_messages - before, 1);
});
