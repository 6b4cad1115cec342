// The pages of doc/auth.md, as they stand but for the gateway's address, in Chromium: each receives
// with a token from the program of the same page. SLUICE_DOC is the folder of the document.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { Gateway, until } from './gateway.mjs';

const examples = join(process.env.SLUICE_DOC, 'auth');
const folder = mkdtempSync(join(tmpdir(), 'sluice-auth-'));
const keyFile = join(folder, 'token.key');
const written = 'http://127.0.0.1:8080/'; // the gateway's address in the document
let browser, gateway, site, origin, admin;

const mint = () => execFileSync('node', [join(examples, 'mint.mjs'), keyFile, 'ann'], { encoding: 'utf8' }).trim();

async function publish(data) {
	const answer = await fetch(gateway.address('publish', { channel: 'chat.42' }), { method: 'POST',
		headers: { Authorization: `Bearer ${mint()}`, 'Content-Type': 'application/json' }, body: JSON.stringify(data) });
	assert.equal(answer.status, 200, await answer.text());
}

async function findPort() {
	const server = net.createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address();
	await new Promise((done) => server.close(done));
	return port;
}

before(async () => {
	writeFileSync(keyFile, `${randomBytes(48).toString('base64')}\n`, { mode: 0o600 });
	site = createServer((request, response) => {
		const isScript = request.url.endsWith('.mjs');
		response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
		if (request.url === '/token')
			response.end(mint());
		else if (isScript || request.url === '/listen.html')
			response.end(readFileSync(join(examples, request.url), 'utf8').replaceAll(written, gateway.url));
		else
			response.end('<!doctype html><title>A page</title>');
	}).listen(0, '127.0.0.1');
	await once(site, 'listening');
	origin = `http://127.0.0.1:${site.address().port}`;
	admin = `127.0.0.1:${await findPort()}`;
	gateway = await new Gateway('--token-key', keyFile, '--allow-origin', origin, '--admin-listen', admin).start();
	browser = await launch();
});

after(async () => {
	await browser?.close();
	await gateway?.stop();
	site?.close();
	rmSync(folder, { recursive: true, force: true });
});

async function openListener(token) {
	const page = await browser.newPage();
	await page.goto(`${origin}/listen.html`);
	await page.fill('[name=token]', token);
	await page.click('button');
	return page;
}

const shows = (page, text) => page.waitForFunction((wanted) =>
	document.querySelector('pre').textContent.includes(wanted), text, { timeout: 60000 });

test('listen.html shows what is there, and what comes', async () => {
	await publish({ hello: 'world' });
	const page = await openListener(mint());
	await shows(page, '{"hello":"world"}');
	await publish({ hello: 'again' });
	await shows(page, '{"hello":"again"}');
	await page.close();
});

test('listen.html says why a token does not count', async () => {
	const token = mint();
	const page = await openListener(`${token.slice(0, -8)}AAAAAAAA`);
	await shows(page, 'unauthorized: ');
	await page.close();
});

test('eventsource.mjs receives, and comes back with a new ticket and token where it was', async () => {
	const page = await browser.newPage();
	await page.goto(origin);
	await page.evaluate(async (url) => {
		const { listen } = await import('/eventsource.mjs');
		window.got = [];
		const getToken = async () => { // one of the second of the end would count as older than it
			await new Promise((done) => setTimeout(done, 1100));
			return (await fetch('/token')).text();
		};
		listen(url, 'chat.42', getToken, ({ data }) => window.got.push(data.n))
			.catch((error) => window.got.push(error.message));
	}, gateway.url);
	const publishUntil = (n) => until(`message ${n}`, async () => {
		await publish({ n });
		return page.evaluate((wanted) => window.got.includes(wanted), n);
	});
	await publishUntil(1);
	const ended = await fetch(`http://${admin}/admin/disconnect`, { method: 'POST', body: '{"subject":"ann"}' });
	assert.equal(ended.status, 200);
	await new Promise((done) => setTimeout(done, 1100)); // tokens of this second are refused
	await publish({ n: 2 });
	await page.waitForFunction(() => window.got.includes(2), null, { timeout: 60000 });
	const got = await page.evaluate(() => window.got);
	assert.equal(got.at(-1), 2);
	assert.equal(got.filter((n) => n === 2).length, 1);
	await page.close();
});
