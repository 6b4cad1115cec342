// The client in Node.js over https: each transport, with TLS 1.2 and 1.3 and each cipher. Node.js takes
// version, ciphers and trust at its start, so that each try is a program of its own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Authority } from './certificates.mjs';
import { Gateway } from './setup.mjs';

const CIPHERS = {
	1.2: ['ECDSA', 'RSA'].flatMap((key) => ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305']
		.map((name) => `ECDHE-${key}-${name}`)),
	1.3: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
};
const WANTED = { websocket: 'websocket', sse: 'sse', stream: 'stream', longpoll: 'longpoll', poll: 'poll',
	eventsource: 'sse' };

let gateway, authority;

before(async () => {
	authority = await new Authority().create();
	const address = 'IP:127.0.0.1,DNS:localhost';
	await authority.issue('ec', { address });
	await authority.issue('rsa', { address, key: ['-newkey', 'rsa:2048', '-nodes'] });
	gateway = await new Gateway().start('--tls-listen', '127.0.0.1:0', ...authority.optionsOf('ec'),
		...authority.optionsOf('rsa'));
});

after(async () => {
	await gateway?.stop();
	authority?.remove();
});

/** @param {string[]} options of Node.js @param {string} file */
async function run(options, file) {
	const { stdout } = await promisify(execFile)(process.execPath, [...options, file, gateway.url], { timeout: 120000,
		env: { ...process.env, NODE_EXTRA_CA_CERTS: authority.path } });
	return JSON.parse(stdout);
}

for (const [version, ciphers] of Object.entries(CIPHERS))
	for (const cipher of ciphers)
		test(`TLS ${version} with ${cipher}: each transport publishes, listens and resumes`, async () => {
			const got = await run([`--tls-min-v${version}`, `--tls-max-v${version}`, `--tls-cipher-list=${cipher}`],
				'tls_client.mjs');
			assert.deepEqual(got, Object.fromEntries(Object.entries(WANTED).map(([name, transport]) =>
				[name, { transport, data: [1, 2, 3], gaps: 0 }])));
		});

test('sessions are resumed where connections follow each other', async () => {
	const script = `const url = process.argv[1];
		const resumed = async () => Number(/^sluice_tls_handshakes_total\\{result="resumed"\\} (\\d+)$/m.exec(
			await (await fetch(url + 'metrics', { headers: { connection: 'close' } })).text())[1]);
		const before = await resumed();
		console.log(await resumed() - before);`;
	for (const version of Object.keys(CIPHERS)) {
		const { stdout } = await promisify(execFile)(process.execPath, [`--tls-min-v${version}`, `--tls-max-v${version}`,
			'--input-type=module', '-e', script, gateway.url], { env: { ...process.env, NODE_EXTRA_CA_CERTS: authority.path } });
		assert.ok(Number(stdout) >= 1, `${version}: ${stdout}`);
	}
});

/** Why a program's request failed: a code. */
async function fail(options, env = {}) {
	const script = `fetch(process.argv[1] + 'healthz').then(() => console.log('it did not'),
		({ cause }) => console.log(cause.code))`;
	const { stdout } = await promisify(execFile)(process.execPath, [...options, '-e', script, gateway.url],
		{ env: { ...process.env, ...env } });
	return stdout.trim();
}

test('a client that does not trust the authority gets nothing', async () => {
	assert.equal(await fail([]), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
});

test('a cipher that is not offered gets nothing, so that the others have been tried', async () => {
	assert.equal(await fail(['--tls-max-v1.2', '--tls-cipher-list=AES128-SHA'],
		{ NODE_EXTRA_CA_CERTS: authority.path }), 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE');
});
