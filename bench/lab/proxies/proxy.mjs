// A real proxy on loopback: its own folder, configuration, port and pid file, in the
// foreground, ended by its process id.
import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { hasOpenssl } from '../certificate.mjs';
import { createFolder, Program, removeFolder } from '../process.mjs';

/** @typedef {{ folder: string, port: number, origin: number, authority: string }} Place origin: the gateway's
 * 	port; authority: who issued the gateway's certificate, a file
 * @typedef {object} Variant
 * @property {string} name
 * @property {string} sentence
 * @property {(place: Place) => string} config
 * @property {Record<string, 'works' | 'degraded' | 'dead'>} expected
 * @property {Record<string, string>} [files] beside the configuration
 * @property {boolean} [forward]
 * @property {boolean} [secure] it speaks TLS to the gateway
 * @property {string} [login] USER:PASSWORD that a forward one is given
 * @property {boolean} [refuses]
 * @property {boolean} [quick]
 * @property {number} [burst]
 * @typedef {import('../gateway.mjs').Gateway} Gateway
 * @typedef {object} Adapter what a file of this folder exports
 * @property {string} product
 * @property {string[]} programs where it may be
 * @property {string} file of its configuration
 * @property {(file: string, place: Place) => string[]} command in the foreground
 * @property {Variant[]} variants */

const READY_MS = 8000;
const LOWEST_PORT = 20000;
const PORTS = 12000; // Linux gives away those from 32768

/** @param {Adapter} adapter
 * @returns {import('./index.mjs').Proxy} */
export function asProxy(adapter) {
	const program = adapter.programs.find(existsSync);
	return { paths: () => adapter.variants.map(({ config, files, ...variant }) => ({ quick: true, ...variant,
		product: adapter.product, missing: tellMissing(adapter.product, program, variant),
		start: (/** @type {Gateway} */ gateway) => start(adapter, String(program), { config, files, ...variant }, gateway) })) };
}

/** @param {string} product @param {string | undefined} program @param {{ secure?: boolean }} variant */
function tellMissing(product, program, { secure }) {
	const missing = program ? secure && !hasOpenssl && 'openssl' : product;
	return missing ? `${missing} is not installed (scripts/setup lab)` : undefined;
}

/** @param {Adapter} adapter @param {string} program @param {Variant} variant
 * @param {Gateway} gateway */
async function start(adapter, program, { config, files = {}, forward, secure, login }, gateway) {
	const folder = createFolder(adapter.product);
	await chmod(folder, 0o777); // some give up root
	const origin = secure ? gateway.securePort : gateway.port;
	const place = { folder, port: await findPort(), origin, authority: gateway.authority };
	for (const [name, text] of Object.entries({ ...files, [adapter.file]: config(place) }))
		await writeFile(join(folder, name), text);
	const running = new Program(program, adapter.command(join(folder, adapter.file), place),
		{ env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder } });
	running.drain();
	const stop = async () => {
		await running.stop();
		removeFolder(folder);
	};
	try {
		await waitUntilReady(running, place.port);
	} catch (error) {
		await stop();
		throw error;
	}
	const url = `http://${login ? `${login}@` : ''}127.0.0.1:${place.port}/`;
	return { origin: forward ? `http://127.0.0.1:${origin}/` : url, proxy: forward ? url : undefined, stop };
}

/** @returns {Promise<number>} one that is free now, and below those that connections are given */
function findPort() {
	const port = LOWEST_PORT + Math.floor(Math.random() * PORTS);
	return new Promise((done) => {
		const server = net.createServer().on('error', () => done(findPort()))
			.listen(port, '127.0.0.1', () => server.close(() => done(port)));
	});
}

/** @param {Program} program @param {number} port */
async function waitUntilReady(program, port) {
	for (const end = performance.now() + READY_MS; performance.now() < end && !program.hasEnded;) {
		const isThere = await new Promise((done) => {
			const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); done(true); });
			socket.on('error', () => done(false));
		});
		if (isThere)
			return;
		await new Promise((done) => setTimeout(done, 50));
	}
	throw new Error(`${program.name} did not start: ${program.said}`);
}
