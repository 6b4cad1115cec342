// What a diagnosis says of certificates: against real TLS, in front of a real gateway.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { Authority, TlsProxy } from './certificates.mjs';
import { Gateway, clientFolder, load } from './setup.mjs';

const { diagnose } = await load('diagnose.js');
const DEAD = ['dead', 'dead', 'dead', 'dead', 'dead'];
const statesOf = ({ transports }) => Object.values(transports).map(({ state }) => state);

let gateway, authority;

before(async () => {
	gateway = await new Gateway().start();
	authority = await new Authority().create();
});

after(async () => {
	await gateway?.stop();
	authority?.remove();
});

/** @param {object} identity @param {(url: string) => Promise<void>} use */
async function behind(identity, use) {
	const proxy = await new TlsProxy().start(gateway.port, identity);
	try {
		await use(proxy.url);
	} finally {
		proxy.stop();
	}
}

for (const [what, code, getIdentity] of [
	['that signed itself', 'DEPTH_ZERO_SELF_SIGNED_CERT', () => authority.issueAlone('alone')],
	['of an authority that is not there', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', () => authority.issue('leaf')],
	['of an authority that is there and not trusted', 'SELF_SIGNED_CERT_IN_CHAIN', async () => {
		const { cert, key } = await authority.issue('chain');
		return { cert: Buffer.concat([cert, authority.certificate]), key };
	}],
])
	test(`a certificate ${what} is named once, for all transports, with what helps`, async () => {
		await behind(await getIdentity(), async (url) => {
			const verdict = await diagnose(url, { WebSocket });
			assert.deepEqual(statesOf(verdict), DEAD);
			assert.match(verdict.verdict, new RegExp(`^The gateway cannot be reached: the certificate received is not trusted here \\(${code}\\): ` +
				'a proxy intercepts TLS, or the gateway uses a private certificate authority; .* NODE_EXTRA_CA_CERTS to the file with its certificate\\.$'));
			assert.equal(new Set(Object.values(verdict.transports).map(({ why }) => why)).size, 1, 'the same reason for all');
		});
	});

/** In a program of its own that trusts the authority: Node.js reads that at its start. */
async function diagnoseTrusting(url) {
	const script = `import { diagnose } from ${JSON.stringify(`file://${clientFolder}/diagnose.js`)};
		import WebSocket from 'ws';
		console.log(JSON.stringify(await diagnose(${JSON.stringify(url)}, { WebSocket })));`;
	const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script],
		{ env: { ...process.env, NODE_EXTRA_CA_CERTS: authority.path } });
	return JSON.parse(stdout);
}

for (const [what, options, words] of [
	['is trusted as the verdict advises', {}, /^All transports work\.$/],
	['has expired', { from: '20200101000000Z', to: '20210101000000Z' }, /not valid at this time \(CERT_HAS_EXPIRED\): renew it, or set the clock/],
	['is of another name', { address: 'DNS:elsewhere.example' }, /for another name \(ERR_TLS_CERT_ALTNAME_INVALID\)/],
])
	test(`a certificate that ${what}`, async () => {
		await behind(await authority.issue(what.replaceAll(' ', '-'), options), async (url) => {
			assert.match((await diagnoseTrusting(url)).verdict, words);
		});
	});

test('https where nothing speaks TLS', async (t) => {
	// Reads all that it is sent, so that its answer is not overtaken by a reset.
	const server = net.createServer((socket) => socket.on('error', () => {})
		.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')).setTimeout(1000, () => socket.end()));
	await once(server.listen(0, '127.0.0.1'), 'listening');
	t.after(() => server.close());
	const verdict = await diagnose(`https://127.0.0.1:${server.address().port}/`, { WebSocket });
	assert.deepEqual(statesOf(verdict), DEAD);
	assert.match(verdict.verdict, /the TLS handshake fails \(\w+\): use http:/);
});
