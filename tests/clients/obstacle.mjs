// sluice-obstacle before a server, with faults.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export class Obstacle {
	#process;

	/** @param {number} port of the server @param {...string} faults */
	async start(port, ...faults) {
		this.#process = spawn(resolve(dirname(process.env.SLUICE), 'sluice-obstacle'), ['--listen', '0', '--control', '0',
			'--to', `127.0.0.1:${port}`, ...faults.flatMap((fault) => ['--fault', fault])], { stdio: ['ignore', 'pipe', 'inherit'] });
		const said = {};
		for await (const line of createInterface({ input: this.#process.stdout })) {
			const [what, address] = line.split(' ');
			said[what] = `http://${address.replace(/^https?:\/\//, '').replace(/\/$/, '')}`;
			if (said.listening && said.control)
				break;
		}
		this.url = said.listening;
		this.control = said.control;
		return this;
	}

	/** How often each fault took effect, and more. */
	async getCounts() {
		return (await fetch(`${this.control}/counts`)).json();
	}

	async stop() {
		const gone = once(this.#process, 'exit');
		this.#process.kill();
		await gone;
	}
}
