// One sluice-obstacle before the gateway.
import http from 'node:http';
import { Program } from './process.mjs';

export class Obstacle {
	/** @type {Program | undefined} */
	#program;
	#control = '';

	/** @param {string} program @param {number} port of the gateway
	 * @param {{ faults: string[], forward?: boolean }} profile */
	async start(program, port, { faults, forward }) {
		this.#program = new Program(program, ['--listen', '0', '--to', `127.0.0.1:${port}`, '--control', '0',
			'--seed', '1', ...(forward ? ['--forward'] : []), ...faults.flatMap((fault) => ['--fault', fault])]);
		const [address, control] = await this.#program.read(/^listening (\S+)$/, /^control (\S+)$/);
		this.#control = control;
		this.origin = forward ? `http://127.0.0.1:${port}/` : `http://${address}/`;
		this.proxy = forward ? `http://${address}/` : undefined;
		return this;
	}

	/** Puts other faults in force.
	 * @param {string[]} faults
	 * @returns {Promise<void>} */
	set(faults) {
		const body = JSON.stringify(faults);
		return new Promise((done, fail) => {
			http.request(`http://${this.#control}/faults`, { method: 'PUT', agent: false,
				headers: { 'Content-Length': Buffer.byteLength(body) } }, (response) => {
				response.resume();
				response.on('end', () => (response.statusCode ?? 500) < 300 ? done() :
					fail(new Error(`sluice-obstacle refused ${body}`)));
			}).on('error', fail).end(body);
		});
	}

	async stop() {
		await this.#program?.stop();
	}
}
