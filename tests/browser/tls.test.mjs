// The client over https in the browsers: each transport by itself, with TLS 1.2 and 1.3, fresh and
// resumed, and, with SLUICE_EVERY_CIPHER=1, with each cipher that a browser lets somebody choose: a
// launch each, so that only `make check-tls` does it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { openFirefox } from './firefox.mjs';
import { Gateway, names } from './gateway.mjs';

/** What the gateway offers of TLS 1.2, with the number that Chromium knows it by (IANA) and the word that
 * Firefox has for it. */
const CIPHERS_12 = [
	['ECDHE-ECDSA-AES128-GCM', '0xc02b', 'ecdhe_ecdsa_aes_128_gcm_sha256'],
	['ECDHE-ECDSA-AES256-GCM', '0xc02c', 'ecdhe_ecdsa_aes_256_gcm_sha384'],
	['ECDHE-ECDSA-CHACHA20', '0xcca9', 'ecdhe_ecdsa_chacha20_poly1305_sha256'],
	['ECDHE-RSA-AES128-GCM', '0xc02f', 'ecdhe_rsa_aes_128_gcm_sha256'],
	['ECDHE-RSA-AES256-GCM', '0xc030', 'ecdhe_rsa_aes_256_gcm_sha384'],
	['ECDHE-RSA-CHACHA20', '0xcca8', 'ecdhe_rsa_chacha20_poly1305_sha256'],
];
const CIPHERS_13 = ['aes_128_gcm_sha256', 'aes_256_gcm_sha384', 'chacha20_poly1305_sha256'];
const FIREFOX_VERSIONS = { 1.2: 3, 1.3: 4 };
const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
/** @type {Gateway} */
let gateway;

function makePair(name, ...kind) {
	const [cert, key] = ['pem', 'key'].map((end) => join(folder, `${name}.${end}`));
	execFileSync('openssl', ['req', '-x509', ...kind, '-nodes', '-subj', '/CN=localhost', '-days', '2',
		'-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', key, '-out', cert], { stdio: 'pipe' });
	return ['--tls-cert', cert, '--tls-key', key];
}

before(async () => {
	gateway = await new Gateway('--tls-listen', '127.0.0.1:0', '--log-level', 'error',
		...makePair('ec', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'),
		...makePair('rsa', '-newkey', 'rsa:2048')).start();
});

after(async () => {
	await gateway?.stop();
	rmSync(folder, { recursive: true });
});

/** A sample of /metrics, whose name stands with its labels. */
async function readMetric(name) {
	const text = await new Promise((resolve, reject) => {
		https.get(`${gateway.url}metrics`, { rejectUnauthorized: false, agent: false }, async (response) => {
			resolve((await response.setEncoding('utf8').toArray()).join(''));
		}).on('error', reject);
	});
	return Number(text.split('\n').find((line) => line.startsWith(`${name} `))?.split(' ').at(-1));
}

const countResumed = () => readMetric('sluice_tls_handshakes_total{result="resumed"}');

let count = 0;

/** In a page of the gateway's origin: a Sluice over this transport alone gets what it publishes.
 * @param {{ evaluate: Function }} page of Playwright or Puppeteer */
async function useTransport(page, transport) {
	const channel = `tls.${++count}`;
	const got = await page.evaluate(async ([only, name]) => {
		const { Sluice } = await import('/client/sluice.js');
		const sluice = new Sluice('/', { channels: [name], transports: [only], pollInterval: 50 });
		const data = [];
		const all = new Promise((resolve) => {
			sluice.addEventListener('message', (event) => data.push(event.data) === 3 && resolve());
		});
		await new Promise((resolve) => { sluice.addEventListener('open', resolve, { once: true }); });
		const used = sluice.transport;
		for (const number of [1, 2, 3])
			await sluice.publish(name, { number });
		await all;
		sluice.close();
		return { used, data };
	}, [transport, channel]);
	assert.deepEqual(got, { used: transport, data: [1, 2, 3].map((number) => ({ number })) });
}

/** Opens a page in a fresh profile. @param {(page: any) => Promise<void>} use */
async function inChromium(args, use) {
	const browser = await launch(...args);
	try {
		const context = await browser.newContext({ ignoreHTTPSErrors: true });
		const page = await context.newPage();
		const response = await page.goto(`${gateway.url}healthz`);
		await use(page, (await response.securityDetails()).protocol);
	} finally {
		await browser.close();
	}
}

async function inFirefox(prefs, use) {
	const { page, close } = await openFirefox({ insecure: true, prefs });
	try {
		await page.goto(`${gateway.url}healthz`);
		await use(page);
	} finally {
		await close();
	}
}

/** Firefox with one version, and of its ciphers, where one is named, that one alone. */
function firefoxWith(version, cipher) {
	const number = FIREFOX_VERSIONS[version];
	const prefs = { 'security.tls.version.min': number, 'security.tls.version.max': number,
		'security.tls.version.fallback-limit': number };
	if (cipher && version === '1.2')
		CIPHERS_12.forEach(([, , word]) => { prefs[`security.ssl3.${word}`] = word === cipher; });
	if (cipher && version === '1.3')
		CIPHERS_13.forEach((word) => { prefs[`security.tls13.${word}`] = word === cipher; });
	return prefs;
}

for (const version of ['1.2', '1.3']) {
	test(`Chromium over TLS ${version}: each transport, fresh and resumed`, async () => {
		const before = await countResumed();
		await inChromium([`--ssl-version-max=tls${version}`], async (page, protocol) => {
			assert.equal(protocol, `TLS ${version}`);
			for (const transport of names)
				await useTransport(page, transport);
		});
		assert.ok(await countResumed() > before, 'no session was resumed');
	});

	test(`Firefox over TLS ${version}: each transport, fresh and resumed`, async () => {
		const before = await countResumed();
		await inFirefox(firefoxWith(version), async (page) => {
			for (const transport of names)
				await useTransport(page, transport);
		});
		assert.ok(await countResumed() > before, 'no session was resumed');
	});
}

const without = (numbers) => `--cipher-suite-blacklist=${numbers.join(',')}`;
const numbers = CIPHERS_12.map(([, number]) => number);

const skip = process.env.SLUICE_EVERY_CIPHER !== '1' && 'make check-tls does it';

for (const [title, number, word] of CIPHERS_12) {
	test(`Chromium with ${title} alone`, { skip }, () => inChromium(
		['--ssl-version-max=tls1.2', without(numbers.filter((other) => other !== number))], async (page) => {
			await useTransport(page, 'websocket');
			await useTransport(page, 'longpoll');
		}));

	test(`Firefox with ${title} alone`, { skip }, () => inFirefox(firefoxWith('1.2', word), async (page) => {
		await useTransport(page, 'websocket');
		await useTransport(page, 'longpoll');
	}));
}

for (const word of CIPHERS_13)
	test(`Firefox with ${word} of TLS 1.3 alone`, { skip }, () => inFirefox(firefoxWith('1.3', word), async (page) => {
		await useTransport(page, 'websocket');
		await useTransport(page, 'sse');
	}));

test('Chromium without any of these ciphers gets nothing, so that the others have been tried', { skip }, async () => {
	await assert.rejects(inChromium(['--ssl-version-max=tls1.2', without(numbers)], async () => {}),
		/ERR_SSL_VERSION_OR_CIPHER_MISMATCH/);
});

test('what the browser asks of the transports does not go through libmicrohttpd', async () => {
	await inChromium([], async (page) => {
		const others = [];
		page.on('request', (request) => {
			const { pathname } = new URL(request.url());
			if (!/^\/(ws|sse|stream|poll|publish)$/.test(pathname))
				others.push(pathname);
		});
		const before = await readMetric('sluice_relayed_requests_total');
		for (const transport of names)
			await useTransport(page, transport);
		// What asks for the metric is one more.
		assert.equal(await readMetric('sluice_relayed_requests_total'), before + 1 + others.length, String(others));
	});
});
