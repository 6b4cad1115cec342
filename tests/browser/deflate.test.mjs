// permessage-deflate in a real browser: its own WebSocket in the clear and over TLS, and the demo page, which
// shows what went over the wire.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { launch } from './browser.mjs';
import { Gateway, until } from './gateway.mjs';
import { complaints, gateway, openPage, useWorld } from './world.mjs';

const options = ['--deflate', '--shards', '1'];
const text = 'a text that repeats itself, '.repeat(200);

useWorld({ options: ['--obstacle', 'none', '--deflate-threshold', '64', ...options] });

/** What the page gets of three messages that it publishes itself, and which extensions it has. */
function talk(page, url, channel) {
	return page.evaluate(async ([address, name, data]) => {
		const socket = new WebSocket(address.replace('http', 'ws'));
		const got = [];
		const all = new Promise((resolve, reject) => {
			socket.onmessage = ({ data: json }) => {
				const object = JSON.parse(json);
				if (object.channel && got.push(object.data) === 3)
					resolve();
			};
			socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
		});
		await new Promise((resolve) => socket.onopen = resolve);
		for (const compress of [true, false, undefined])
			socket.send(JSON.stringify({ type: 'publish', channel: name, data, compress }));
		await all;
		socket.onclose = null;
		socket.close();
		return { got, extensions: socket.extensions };
	}, [url, channel, text]);
}

/** The gateway's numbers, as a page of it gets them. */
const getStats = (page, url) => page.evaluate(async (at) => (await fetch(at)).json(), `${url}stats`);

async function checkTalk(page, own) {
	await page.goto(`${own.url}transports`); // a page without connections of its own
	const before = await getStats(page, own.url);
	const { got, extensions } = await talk(page, own.address('ws', { channels: 'deflate.page' }), 'deflate.page');
	const after = await getStats(page, own.url);
	assert.match(extensions, /^permessage-deflate; server_no_context_takeover; client_no_context_takeover/);
	assert.deepEqual(got, [text, text, text]);
	const grown = (name) => after.limits[name] - before.limits[name];
	assert.equal(grown('inflate_messages'), 3);
	assert.equal(grown('deflate_messages'), 2); // the one with "compress":false goes out as it is
	assert.ok(grown('deflate_bytes_out') < grown('deflate_bytes_in') / 10);
	const wire = (name) => after.transports.websocket[name] - before.transports.websocket[name];
	assert.ok(wire('wire_bytes_in') < text.length, `${wire('wire_bytes_in')} bytes in`);
	assert.ok(wire('wire_bytes_out') < 2 * text.length, `${wire('wire_bytes_out')} bytes out`);
}

test('Chromium compresses what it sends and reads what is compressed, in the clear', async () => {
	const own = await new Gateway(...options).start();
	const page = await openPage();
	try {
		await checkTalk(page, own);
	} finally {
		await page.close();
		await own.stop();
	}
});

test('Chromium compresses what it sends and reads what is compressed, over TLS', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'sluice-deflate-'));
	const [cert, key] = ['pem', 'key'].map((end) => join(folder, `own.${end}`));
	execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '2',
		'-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'pipe' });
	const own = await new Gateway('--tls-listen', '127.0.0.1:0', '--tls-cert', cert, '--tls-key', key, ...options).start();
	const browser = await launch('--ignore-certificate-errors');
	try {
		await checkTalk(await browser.newPage(), own);
	} finally {
		await browser.close();
		await own.stop();
		rmSync(folder, { recursive: true });
	}
});

test('the demo page shows compressed frames as what they are', async () => {
	const page = await openPage();
	await page.goto(gateway.url);
	await page.evaluate(() => document.getElementById('wire').scrollIntoView());
	await page.check('input[name="wire-lane"][value="websocket"]', { force: true });
	await page.click('#wire-anew');
	await until('a compressed frame', () => page.evaluate(() => {
		const row = [...document.querySelectorAll('#wire-list li')].find(({ textContent }) => textContent.includes('text · compressed'));
		row?.click();
		return Boolean(row);
	}));
	const detail = await page.$eval('#wire-detail', ({ textContent }) => textContent);
	assert.match(detail, /the message is compressed \(permessage-deflate, RFC 7692\)/);
	assert.match(detail, /To see its bytes, tick Hex/);
	await until('frames that are not compressed too', () => page.evaluate(() =>
		[...document.querySelectorAll('#wire-list li')].some(({ textContent }) => /text · (pong|heartbeat|open)/.test(textContent))));
	assert.deepEqual(complaints, []);
});
