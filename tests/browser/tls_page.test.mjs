// The pages over https, with a certificate as scripts/demo --tls makes it.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { launch } from './browser.mjs';
import { openChromium, openFirefoxes } from './check_browsers.mjs';
import { Gateway, names, until } from './gateway.mjs';

const MAKE = join(process.env.SLUICE_CLIENT ?? '', '../../scripts/make-certificate'); // of the same source
const CHECK_MS = 90000;
const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-page-'));
const path = (name) => join(folder, name);
const make = () => execFileSync(MAKE, [folder]);
/** @type {Gateway} */
let gateway;

before(async () => {
	make();
	gateway = await new Gateway('--tls-listen', '127.0.0.1:0', '--tls-cert', path('cert.pem'), '--tls-key', path('key.pem')).start();
});

after(async () => {
	await gateway?.stop();
	rmSync(folder, { recursive: true });
});

// ---- the certificate ----

/** What a client that trusts ca.pem says of the gateway, by this name. */
function greet(servername, host = '127.0.0.1') {
	return new Promise((resolve, reject) => {
		const socket = tls.connect({ host, port: new URL(gateway.url).port, ca: readFileSync(path('ca.pem')),
			...servername ? { servername } : {} }, () => {
			resolve(socket.getPeerX509Certificate().fingerprint256);
			socket.destroy();
		});
		socket.on('error', reject);
	});
}

test('the certificate is good for the names of this machine alone, and its authority for no second one', async () => {
	const certificate = new X509Certificate(readFileSync(path('cert.pem')));
	assert.equal(certificate.subjectAltName, 'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
	assert.equal(await greet('localhost'), certificate.fingerprint256);
	assert.equal(await greet(), certificate.fingerprint256);
	await assert.rejects(greet('push.example.org'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
	assert.deepEqual(readdirSync(folder).sort(), ['ca.pem', 'cert.pem', 'key.pem']);
	assert.equal(statSync(path('key.pem')).mode & 0o077, 0);
});

test('it stays as long as it is good, and is made anew when it is not', () => {
	const print = () => new X509Certificate(readFileSync(path('cert.pem'))).fingerprint256;
	const openssl = (...options) => execFileSync('openssl', options, { cwd: folder, stdio: 'pipe' });
	const first = print();
	make();
	assert.equal(print(), first);
	openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'key.pem'); // of another
	make();
	const second = print();
	assert.notEqual(second, first);
	openssl('req', '-x509', '-key', 'key.pem', '-subj', '/CN=localhost', '-days', '20', '-out', 'cert.pem');
	openssl('x509', '-in', 'cert.pem', '-out', 'ca.pem'); // good, for less than a month
	make();
	assert.notEqual(print(), second);
	openssl('verify', '-CAfile', 'ca.pem', 'cert.pem');
});

// ---- the demo page ----

test('over https all lanes run on TLS, which is counted, and Break it goes through a proxy that ends it', async () => {
	const browser = await launch();
	try {
		const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 } });
		const page = await context.newPage();
		const complaints = [], sockets = [];
		page.on('pageerror', (error) => complaints.push(String(error)));
		page.on('console', (message) => /Mixed Content|Content Security Policy/.test(message.text()) && complaints.push(message.text()));
		page.on('websocket', (socket) => sockets.push(socket.url()));
		await page.goto(gateway.url);
		const figures = (transport, what) => page.$eval(`#lane-${transport} ${what}`, (element) => element.textContent);
		for (const transport of names) {
			await until(`messages on ${transport}`, async () => Number(await figures(transport, '.messages')) > 20);
			await until(`bytes of TLS on ${transport}`, async () => Number(await figures(transport, 'dd.part-tls')) > 0);
		}
		assert.ok(await page.isVisible('.lanes-key .part-tls'));
		await checkWire(page);
		const origins = await page.evaluate(async () => (await (await fetch('demo/api/origins')).json()).origins);
		assert.equal(origins.length, 6);
		assert.ok(origins.every((origin) => origin.startsWith('https://')), String(origins));
		await checkBreak(page);
		assert.ok(sockets.length >= 2 && sockets.every((url) => url.startsWith('wss://')), String(sockets));
		assert.deepEqual(complaints, []);
	} finally {
		await browser.close();
	}
});

/** The wire says what a record added, and what the handshake took. */
async function checkWire(page) {
	await page.click('#wire label[data-transport="websocket"]');
	await page.evaluate(() => document.getElementById('wire').scrollIntoView());
	const choose = (kind) => page.evaluate((wanted) => {
		// The last one: the first frame may share its record with the head before it.
		const row = [...document.querySelectorAll(`#wire-list [data-kind="${wanted}"]`)].at(-1);
		row?.click();
		return row && document.getElementById('wire-detail').textContent;
	}, kind);
	await page.click('#wire-anew');
	const opened = await until('the opening', () => choose('open'));
	const [, received, sent] = opened.match(/handshake came first: ([\d,]+) bytes from the browser, ([\d,]+) from/);
	assert.ok(Number(received.replace(',', '')) > 300 && Number(sent.replace(',', '')) > 100, opened);
	// Chromium speaks TLS 1.3: 5 bytes before and 17 behind (RFC 8446, section 5.2).
	await until('a frame of one record', async () => / · and 22 bytes of TLS/.test(await choose('frame')));
}

/** A fault of the proxy is felt, though all goes over TLS. */
async function checkBreak(page) {
	const used = () => page.$eval('#break-ladder', (list) => list.querySelector('[data-state="in use"]')?.dataset.transport);
	await page.evaluate(() => document.getElementById('break').scrollIntoView());
	await until('websocket in use', async () => await used() === 'websocket');
	assert.equal(await page.getAttribute('#break', 'data-obstacle'), 'true');
	await page.click('#fault-strip');
	await until('sse in use', async () => await used() === 'sse');
	await page.click('#break-clear');
	await until('websocket in use again', async () => await used() === 'websocket');
	await until('what was published', async () => Number(await page.textContent('#break-received')) > 20);
	assert.match(await page.textContent('#break-verdict'), /^0 lost, 0 duplicated, 0 out of order$/);
}

// ---- the check page ----

for (const [browser, open] of [['Chromium', openChromium], ['Firefox', openFirefoxes]])
	test(`the check page over https in ${browser}: no transport is dead, and the report says that it was TLS`, async () => {
		const opened = await open();
		try {
			const view = await opened.open({ url: `${gateway.url}check`, insecure: true });
			try {
				const report = await view.check(CHECK_MS);
				assert.equal(report.secure, true);
				const states = names.map((name) => report.transports[name].state);
				assert.ok(!states.includes('dead'), String(states)); // degraded: a busy machine is late
				assert.match(await view.read('#headline'), /^This connection works/);
				assert.match(await view.read('#details-list'), /HTTP version(http\/1\.1|not told by the browser), over TLS/);
				assert.deepEqual(view.complaints, []);
			} finally {
				await view.close();
			}
		} finally {
			await opened.close();
		}
	});
