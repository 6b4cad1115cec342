// Which processes of the cluster run, as any of its gateways tells; and the wish to kill or
// start one.
import { get } from '../panel.js';

/** @typedef {{ name: string, kind: 'gateway' | 'nats', wanted: boolean, leads: boolean,
 * 	state: 'down' | 'starting' | 'away' | 'ready', starts: number, origins?: string[] }} Node */

const EVERY_MS = 400;
const PATIENCE_MS = 1500;

/** Tells by `nodes` events (detail: the list) and `words` events (detail: what happened, and its
 * kind). */
export class Processes extends EventTarget {
	/** @type {Node[]} */
	list = [];
	#base;
	#running = false;
	#asking = false;
	#leader = '';
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;

	/** @param {URL} base of the gateway that served the page */
	constructor(base) {
		super();
		this.#base = base;
	}

	/** @param {boolean} running */
	run(running) {
		this.#running = running;
		this.#plan(0);
	}

	get gateways() {
		return this.list.filter(({ kind }) => kind === 'gateway');
	}

	/** @param {string} name */
	find(name) {
		return this.list.find((node) => node.name === name);
	}

	/** Where a gateway listens: its own address, or that of a lane, at the page's path.
	 * @param {string} name @param {number} place */
	urlOf(name, place) {
		const origins = this.find(name)?.origins ?? [];
		return new URL(this.#base.pathname, origins[place] ?? origins[0] ?? this.#base);
	}

	/** Any gateway takes it, since all write on the same board; the one that it is about is
	 * asked last.
	 * @param {'kill' | 'start'} what @param {string} name */
	async want(what, name) {
		try {
			const path = `demo/api/${what}?name=${name}`;
			this.#take(await this.#ask(path, { method: 'POST' }, name));
		} catch (error) {
			this.#tell('bad', /** @type {Error} */ (error).message);
		}
	}

	/** @param {number} ms */
	#plan(ms) {
		clearTimeout(this.#timer);
		if (this.#running && !this.#asking)
			this.#timer = setTimeout(() => this.#look(), ms);
	}

	async #look() {
		this.#asking = true;
		try {
			this.#take(await this.#ask('demo/api/cluster', {}, ''));
		} catch {
			const state = /** @type {'down'} */ ('down');
			this.#show(this.list.map((node) => ({ ...node, state })));
		}
		this.#asking = false;
		this.#plan(EVERY_MS);
	}

	/** @param {string} path @param {RequestInit} options
	 * @param {string} last the gateway to ask last */
	async #ask(path, options, last) {
		const order = this.gateways.filter(({ state }) => state !== 'down')
			.sort((a, b) => Number(a.name === last) - Number(b.name === last));
		const urls = order.length ? order.map(({ name }) => this.urlOf(name, 0)) : [this.#base];
		for (const url of urls) {
			const response = await fetch(new URL(path, url), { cache: 'no-store', ...options,
				signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => null);
			if (response?.ok)
				return (await response.json()).nodes;
			if (response)
				throw new Error((await response.json()).error.message);
		}
		throw new Error('no gateway answers');
	}

	/** @param {Node[]} nodes */
	#take(nodes) {
		for (const node of nodes)
			this.#compare(node, this.find(node.name));
		const leader = nodes.find(({ leads }) => leads)?.name ?? '';
		if (leader && this.#leader && leader !== this.#leader)
			this.#tell('rise', `${leader} is the new leader`);
		this.#leader = leader || this.#leader;
		this.#show(nodes);
	}

	/** @param {Node} now @param {Node | undefined} before */
	#compare({ name, kind, state, wanted }, before) {
		const words = kind === 'gateway' ? `Gateway ${name}` : `NATS server ${name}`;
		if (!before || state === before.state)
			return;
		const isGateway = kind === 'gateway';
		if (state === 'down')
			this.#tell('bad', wanted ? `${words} ended` : `${words} was killed`);
		else if (state === 'ready' && before.state !== 'away')
			this.#tell('relief', `${words} is ready`);
		else if (state === 'ready' && isGateway)
			this.#tell('relief', `${words} reaches the bus again`);
		else if (state === 'away' && isGateway)
			this.#tell('fall', `${words} cannot reach the bus: publishes wait, streams stay open`);
	}

	/** @param {Node[]} nodes */
	#show(nodes) {
		this.list = nodes;
		this.dispatchEvent(new CustomEvent('nodes', { detail: nodes }));
	}

	/** @param {string} kind @param {string} words */
	#tell(kind, words) {
		this.dispatchEvent(new CustomEvent('words', { detail: { kind, words } }));
	}
}

/** @param {Node} node */
export const isReachable = ({ state }) => state === 'ready' || state === 'away';

/** Shows the section and its way there. */
export function reveal() {
	for (const element of document.querySelectorAll('[data-cluster]'))
		/** @type {HTMLElement} */ (element).hidden = false;
	document.documentElement.dataset.cluster = '';
	return get('cluster');
}
