// The gateway that everything stands before, and the publisher beside every path.
import http from 'node:http';
import { createIdentity } from './certificate.mjs';
import { createFolder, Program, removeFolder } from './process.mjs';

export class Gateway {
	port = 0;
	securePort = 0; // where it speaks TLS, if it does
	authority = ''; // the file of who issued its certificate
	/** @type {Program | undefined} */
	#program;
	#agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
	#folder = '';

	/** @param {string} path of sluice
	 * @param {{ more?: string[], isSecure?: boolean }} [options] more: of its own; isSecure: it speaks
	 * 	TLS too, at a port of its own */
	async start(path, { more = [], isSecure = false } = {}) {
		this.#program = new Program(path, ['--listen', '127.0.0.1:0', '--drain', '1', '--log-level', 'error',
			...more.includes('--limits') ? [] : ['--limits', 'off'], ...isSecure ? await this.#prepareTls() : [], ...more]);
		const [port, securePort] = await this.#program.read(/^listening http:.*:(\d+)\/$/,
			...isSecure ? [/^listening https:.*:(\d+)\/$/] : []);
		this.port = Number(port);
		this.securePort = Number(securePort ?? 0);
		return this;
	}

	/** @returns {Promise<string[]>} its options */
	async #prepareTls() {
		this.#folder = createFolder('gateway');
		const { authority, certificate, key } = await createIdentity(this.#folder);
		this.authority = authority;
		return ['--tls-listen', '127.0.0.1:0', '--tls-cert', certificate, '--tls-key', key];
	}

	/** @param {string} channel @param {any} data
	 * @returns {Promise<void>} */
	publish(channel, data) {
		const body = JSON.stringify(data);
		return new Promise((done, fail) => {
			const request = http.request({ host: '127.0.0.1', port: this.port, agent: this.#agent, method: 'POST',
				path: `/publish?channel=${channel}`, headers: { 'Content-Type': 'application/json',
					'Content-Length': Buffer.byteLength(body) } }, (response) => {
				response.resume();
				response.on('end', () => response.statusCode === 200 ? done() :
					fail(new Error(`the gateway answered a publish with ${response.statusCode}`)));
			});
			request.on('error', fail);
			request.end(body);
		});
	}

	/** It reads its configuration again, some time after this. */
	reload() {
		this.#program?.kill('SIGHUP');
	}

	async stop() {
		this.#agent.destroy();
		await this.#program?.stop();
		if (this.#folder)
			removeFolder(this.#folder);
	}
}
