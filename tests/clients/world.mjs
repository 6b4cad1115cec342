// What the files of tests stand on: the servers that are under test, places where apps run, and apps.
import assert from 'node:assert/strict';
import { after, before, beforeEach } from 'node:test';
import { Gateway } from './gateway.mjs';
import { ChromiumPlace, NodePlace } from './places.mjs';
import { pack } from './player.mjs';
import { Reference } from './reference.mjs';

/** The client's own default is polling first, then the upgrade. */
export const CHOICES = { 'its defaults': undefined, polling: ['polling'], websocket: ['websocket'] };

/** Which servers are under test: CLIENTS_SERVERS=reference,sluice chooses. */
const WANTED = (process.env.CLIENTS_SERVERS ?? 'reference,sluice').split(',');
export const isWanted = (name) => WANTED.includes(name);

/** Waits until `test()` gives something true, and returns it. The limit is for what never comes: a busy
 * machine takes its time. */
export async function until(what, test, ms = 60000) {
	for (const end = Date.now() + ms; ;) {
		const result = await test();
		if (result)
			return result;
		if (Date.now() > end)
			throw new Error(`waited ${ms} ms in vain: ${typeof what === 'function' ? what() : what}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

let count = 0;
/** A channel that no other test has. */
export const newChannel = () => `clients.${process.pid}.${++count}`;

/** One client in a place. */
export class App {
	static #count = 0;
	name = `app-${++App.#count}`;

	constructor(place) {
		this.place = place;
	}

	/** Does not wait until it is connected. */
	async open(url, options) {
		await this.place.open(this.name, url, options);
		return this;
	}

	/** And waits until it is connected, over what it shall use in the end. */
	async connect(url, options = {}) {
		await this.open(url, options);
		await this.untilConnected();
		const wanted = options.transports?.at(-1) ?? 'websocket';
		if (!options.beside)
			await until(`${wanted} in use`, async () => (await this.getState()).transport === wanted);
		return this;
	}

	/** @param {number} [times] in all */
	async untilConnected(times = 1) {
		await until('connect', async () => (await this.find('connect')).length >= times && (await this.getState()).connected);
	}

	getLog() {
		return this.place.getLog(this.name);
	}

	getState() {
		return this.place.getState(this.name);
	}

	async find(what) {
		return (await this.getLog()).filter((entry) => entry.what === what);
	}

	/** What came, each as [event, ...args]. */
	async getEvents() {
		return (await this.find('event')).map(({ event, args }) => [event, ...args]);
	}

	/** Waits for so many events and returns all that came. */
	async untilEvents(n) {
		let events = [];
		await until(() => `${n} events, ${events.length} came`, async () => (events = await this.getEvents()).length >= n);
		return events;
	}

	emit(event, ...args) {
		return this.place.emit(this.name, event, ...pack(args));
	}

	ask(event, ...args) {
		return this.place.ask(this.name, event, ...pack(args));
	}
}

/** Whether all is asked for, as `make check-clients` does: CI tries the reference in Node alone. */
export const isFull = Boolean(process.env.CLIENTS_FULL);

/** Registers the tests of `body` once for each server and place. In it `world` has the server, the place and their
 * apps: one server and one place for all of its tests.
 * @param {{ servers?: Record<string, (origin: string | null) => any>, places?: (new () => any)[] }} what
 * @param {(world: World, title: string) => void} body */
export function inEachWorld({ servers = defaultServers(), places = [NodePlace, ChromiumPlace] }, body) {
	for (const [server, make] of Object.entries(servers).filter(([name]) => isWanted(name)))
		for (const Place of places.filter((one) => isFull || server !== 'reference' || one === NodePlace)) {
			const world = new World(make, Place);
			before(() => world.start());
			beforeEach(() => world.place?.close());
			after(() => world.stop());
			body(world, `${server}, ${Place === NodePlace ? 'Node' : 'Chromium'}`);
		}
}

/** @param {string[]} options of the gateway @param {object} [reference] options of the other one */
export function defaultServers(options = [], reference = {}) {
	return {
		reference: () => new Reference(reference),
		sluice: (origin) => new Gateway(...options, ...origin ? ['--allow-origin', origin] : []),
	};
}

class World {
	#make;

	constructor(make, Place) {
		this.#make = make;
		this.place = new Place();
	}

	async start() {
		await this.place.start();
		this.server = await this.#make(this.place.origin).start();
	}

	async stop() {
		await this.place.stop();
		await this.server?.stop();
	}

	/** @param {string} namespace with its slash @param {object} [options] of the client */
	connect(namespace, options) {
		return new App(this.place).connect(this.server.url + namespace, options);
	}

	open(namespace, options) {
		return new App(this.place).open(this.server.url + namespace, options);
	}
}

/** A message without an event name is delivered as the whole object. */
export function assertObject([event, object, ...rest], channel, content) {
	assert.equal(event, 'message');
	const { id, time, ...others } = object;
	assert.match(id, /^[0-9a-f]{8}-\d+$/);
	assert.equal(typeof time, 'number');
	assert.deepEqual([others, rest], [{ channel, ...content }, []]);
}
