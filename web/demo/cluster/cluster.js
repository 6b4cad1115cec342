// Many gateways: five lanes over the gateways of one bus, each of which may be moved, and
// processes that may be killed.
import { createName, get, names, whileSeen } from '../panel.js';
import { Processes, isReachable, reveal } from './processes.js';
import { Reader } from './reader.js';
import { ProcessView, ReaderView, addEvent, drawVerdict } from './view.js';
import { Writer } from './writer.js';

/** @typedef {import('../page.js').Page} Page */

const LONG_MS = 1000; // a wait that is told
const SHUFFLE_MS = 2000;
const WRITER_PLACE = 6; // the last lane's origin

export class Cluster {
	#processes;
	#channel = `demo.cluster.${createName()}`;
	/** @type {Reader[]} */
	#readers;
	#writer;
	/** @type {ProcessView[]} */
	#processViews = [];
	/** @type {ReaderView[]} */
	#readerViews = [];
	#seen = false;
	#turn = 0;
	/** @type {ReturnType<typeof setInterval> | undefined} */
	#shuffling;
	/** What the last message said of waiting. @type {boolean} */
	#waits = false;

	/** @param {Page} page */
	constructor(page) {
		const section = reveal();
		this.#processes = new Processes(page.base);
		this.#readers = names.map((name, i) => new Reader(name, this.#channel,
			(gateway) => this.#processes.urlOf(gateway, i + 1)));
		this.#writer = new Writer(this.#channel, (turn) => this.#pickGateway(turn));
		this.#listen();
		page.frames.addChart(section, 200, () => this.#draw());
		whileSeen(page, section, (seen) => this.#run(seen));
	}

	#listen() {
		const tell = (/** @type {any} */ { detail }) => addEvent(detail);
		this.#processes.addEventListener('words', tell);
		this.#processes.addEventListener('nodes', () => this.#take());
		this.#writer.addEventListener('words', tell);
		this.#writer.addEventListener('published', (/** @type {any} */ { detail }) =>
			this.#readers.forEach(({ checker }) => checker.expect(detail)));
		this.#readers.forEach((reader) => reader.addEventListener('words', tell));
		get('cluster-swap').addEventListener('click', () =>
			this.#readers.forEach((reader) => this.#moveOn(reader)));
		get('cluster-shuffle').addEventListener('change', () => this.#shuffle());
	}

	/** @param {boolean} seen */
	#run(seen) {
		this.#seen = seen;
		this.#processes.run(seen);
		this.#shuffle();
		if (seen)
			return; // the rest begins with the first answer
		this.#writer.stop();
		this.#readers.forEach((reader) => reader.stop());
	}

	/** What the gateways told of the processes. */
	#take() {
		const { list, gateways } = this.#processes;
		if (!this.#processViews.length && list.length) {
			this.#processViews = list.map((node) => new ProcessView(node,
				(what, name) => this.#processes.want(what, name)));
			this.#readerViews = this.#readers.map((reader) => new ReaderView(reader,
				gateways.map(({ name }) => name), (which, gateway) => which.move(gateway)));
		}
		if (!this.#seen || !list.length)
			return;
		this.#begin();
		if (get('cluster-follow').checked)
			this.#follow();
	}

	#begin() {
		const up = this.#processes.gateways.filter(isReachable);
		if (!up.length)
			return;
		const isFirst = !this.#readers.some(({ running }) => running);
		this.#readers.forEach((reader, i) =>
			reader.start(reader.gateway || up[i % up.length].name));
		if (isFirst)
			this.#writer.start();
	}

	/** As behind a load balancer: a lane whose gateway does not run goes to one that does. */
	#follow() {
		for (const reader of this.#readers) {
			const own = this.#processes.find(reader.gateway);
			if (own && own.state === 'down')
				this.#moveOn(reader, `gateway ${reader.gateway} died`);
		}
	}

	/** To the next gateway that runs.
	 * @param {Reader} reader @param {string} [why] */
	#moveOn(reader, why) {
		const others = this.#processes.gateways.filter((node) =>
			isReachable(node) && node.name !== reader.gateway);
		if (others.length)
			reader.move(others[this.#turn++ % others.length].name, why);
	}

	#shuffle() {
		clearInterval(this.#shuffling);
		if (this.#seen && get('cluster-shuffle').checked)
			this.#shuffling = setInterval(() => this.#moveOn(
				this.#readers[Math.floor(Math.random() * this.#readers.length)]), SHUFFLE_MS);
	}

	/** @param {number} turn */
	#pickGateway(turn) {
		const up = this.#processes.gateways.filter(isReachable);
		const chosen = up[turn % up.length];
		return chosen && { name: chosen.name,
			url: this.#processes.urlOf(chosen.name, WRITER_PLACE) };
	}

	#draw() {
		const now = performance.now();
		const { list, gateways } = this.#processes;
		const isLast = gateways.filter((node) => node.wanted && isReachable(node)).length < 2;
		for (const view of this.#processViews) {
			const node = list.find(({ name }) => name === view.name);
			if (node)
				view.draw(node, this.#readers, isLast && node.kind === 'gateway');
		}
		this.#readerViews.forEach((view) => view.draw(now));
		drawVerdict(this.#readers, this.#writer, now);
		this.#sayWaiting();
	}

	#sayWaiting() {
		const waited = this.#writer.waiting;
		const waits = waited > LONG_MS;
		if (waits)
			get('cluster-waiting').textContent = `A publish has waited ${
				(waited / 1000).toFixed(1)} s for the bus. An election takes 4 to 9 s.`;
		else if (this.#waits)
			get('cluster-waiting').textContent = '';
		this.#waits = waits;
	}
}
