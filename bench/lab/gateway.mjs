// The gateway that everything stands before, and the publisher beside every path.
import http from 'node:http';
import { Program } from './process.mjs';

export class Gateway {
	port = 0;
	/** @type {Program | undefined} */
	#program;
	#agent = new http.Agent({ keepAlive: true, maxSockets: 32 });

	/** @param {string} path of sluice @param {string[]} [more] of its options */
	async start(path, more = []) {
		this.#program = new Program(path, ['--listen', '127.0.0.1:0', '--drain', '1', '--log-level', 'error', ...more]);
		const [url] = await this.#program.read(/^listening (http:\S+)$/);
		this.port = Number(new URL(url).port);
		return this;
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
	}
}
