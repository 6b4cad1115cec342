// A network with the gateway and clients in it, and what must be true of them.
import assert from 'node:assert/strict';
import { Clients, Gateway } from './hosts.mjs';
import { Network } from './network.mjs';

const channel = 'from.gateway';

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Every transport alone, and clients that choose; one of these publishes nothing. */
function createOptions(more) {
	const options = { automatic: {}, listener: { numbers: 0 } };
	for (const name of ['websocket', 'sse', 'stream', 'longpoll', 'poll'])
		options[name] = { transports: [name] };
	for (const [name, one] of Object.entries(options))
		options[name] = { ...more, ...one };
	return options;
}

/** Waits until `check()` says nothing any more; what it said last is why it was in vain. */
export async function until(check, ms) {
	for (const end = Date.now() + ms; ;) {
		const missing = await check();
		if (!missing)
			return;
		assert.ok(Date.now() < end, `waited ${ms} ms in vain: ${missing}`);
		await sleep(100);
	}
}

export class World {
	published = 0;
	network = new Network();
	gateway = new Gateway();
	removeFiles = () => {};

	constructor() {
		this.network.create();
	}

	/** The gateway serves the network itself.
	 * @param {object} [options] of the clients */
	async start(options) {
		const address = `${this.network.gatewayAddress}:8080`;
		await this.gateway.start(this.network, address, '--allow-anonymous', '--public-origin', `http://${address}`);
		this.startClients(`http://${address}/`, options);
	}

	startClients(url, options) {
		this.options = createOptions(options);
		this.clients = new Clients(this.network, url, channel, this.options);
	}

	/** Publishes on and on, and waits until it is heard. */
	async startPublishing() {
		this.publishing = this.#publish();
		this.publishing.catch(() => {}); // it is awaited in the end
		await this.untilAll('the first messages', 30000);
	}

	async publish() {
		await this.gateway.publish(channel, this.published + 1);
		this.published++;
	}

	async finish() {
		this.isOver = true;
		await this.publishing?.catch(() => {});
		await this.network.destroy();
		this.gateway.finish();
		this.removeFiles();
	}

	/** Every client receives what is published from now on, and is heard. */
	untilAll(what, ms) {
		const goal = this.published + 5;
		const counts = new Map([...this.clients.logs].map(([name, { published }]) => [name, published]));
		return until(() => {
			const missing = [...this.clients.logs].filter(([name, { received, published }]) =>
				(received.at(-1) ?? 0) < goal || (this.options[name].numbers !== 0 && published <= counts.get(name)));
			return missing.length && `${what}: ${missing.map(([name, { received, published }]) =>
				`${name} received ${received.at(-1) ?? 0} of ${goal}, published ${published}`)}`;
		}, ms);
	}

	/** Every client has received the last message. */
	untilReceived(ms) {
		return until(() => this.clients.namesOf(({ received }) => received.at(-1) !== this.published), ms);
	}

	/** Every client has published all that it wanted to, or was told to stop. */
	untilPublished(ms) {
		return until(() => this.clients.namesOf(({ stopped }) => !stopped), ms);
	}

	/** Nothing lost, doubled or reordered, in either direction; no gap, no publish refused. */
	async check() {
		this.clients.stop();
		this.isOver = true;
		await this.publishing;
		await this.untilPublished(30000);
		await this.untilReceived(30000);
		const count = (length) => Array.from({ length }, (_, i) => i + 1);
		for (const [name, { received, published, failed, gaps }] of this.clients.logs) {
			assert.deepEqual(received, count(this.published), `${name} received`);
			assert.deepEqual([gaps, failed], [[], []], name);
			assert.deepEqual(await this.gateway.read(`from.${name}`), count(published), `${name} published`);
			assert.equal(published > 0, this.options[name].numbers !== 0, name);
		}
	}

	async #publish() {
		while (!this.isOver) {
			await this.publish();
			await sleep(25);
		}
	}
}
