// The wire: what truly went over the connections of one lane, as the gateway's trace has it.
import { get, whileSeen } from '../panel.js';
import { Conversation } from './conversation.js';
import { describeItem } from './detail.js';
import { List } from './list.js';

/** @typedef {import('../page.js').Page} Page */
/** @typedef {import('./conversation.js').Item} Item */
/** @typedef {import('./conversation.js').TraceEvent} TraceEvent */

const WAITING = 400; // items kept while paused

export class Wire {
	#page;
	#list = new List(get('wire-list'));
	#conversation = new Conversation();
	/** @type {string | null} name of the lane's trace */
	#name = null;
	#ready = false; // the past of the name is here
	#running = false;
	#paused = false;
	/** @type {Item[]} */
	#waiting = [];
	/** @type {Item | null} */
	#item = null;
	#dropped = 0;
	/** @type {() => void} */
	#release = () => {};

	/** @param {Page} page */
	constructor(page) {
		this.#page = page;
		this.#list.addEventListener('choose',
			(event) => this.#show(/** @type {CustomEvent} */ (event).detail));
		get('wire-pause').addEventListener('click', () => this.#pause(!this.#paused));
		get('wire-clear').addEventListener('click', () => this.#clear());
		get('wire-anew').addEventListener('click', () => this.#connectAnew());
		get('wire-hex').addEventListener('change', () => this.#item && this.#show(this.#item));
		for (const input of this.#choices)
			input.addEventListener('change', () => page.select(/** @type {any} */ (input.value)));
		page.addEventListener('select', () => this.#select());
		page.trace.addEventListener('trace',
			(event) => this.#take(/** @type {CustomEvent} */ (event).detail));
		whileSeen(page, get('wire'), (running) => this.#run(running));
		const chosen = this.#choices.find(({ checked }) => checked); // before this ran
		if (chosen)
			page.select(/** @type {any} */ (chosen.value));
		this.#select();
	}

	/** @returns {HTMLInputElement[]} */
	get #choices() {
		return [...get('wire').querySelectorAll('input[name="wire-lane"]')];
	}

	get #lane() {
		return this.#page.lanes.find(({ name }) => name === this.#page.selected);
	}

	/** Another lane, or the same with another name. */
	#select() {
		const name = this.#lane?.demo ?? null;
		for (const input of this.#choices)
			input.checked = input.value === this.#page.selected;
		if (name === this.#name)
			return;
		this.#name = name;
		this.#conversation = new Conversation();
		this.#clear();
		if (this.#running)
			this.#begin();
	}

	/** @param {boolean} running */
	#run(running) {
		this.#running = running;
		if (running)
			this.#begin();
		else {
			this.#page.trace.show(null);
			this.#release();
		}
	}

	/** Asks for the past first: what was sent before anybody looked. */
	async #begin() {
		const name = this.#name;
		this.#release();
		if (!name)
			return;
		this.#ready = false;
		this.#release = this.#page.trace.want(name);
		this.#page.trace.show(name);
		try {
			const url = new URL('demo/api/trace', this.#page.base);
			url.searchParams.set('of', `${name}:0`);
			url.searchParams.set('show', name);
			const { names } = await (await fetch(url, { cache: 'no-store' })).json();
			if (name === this.#name)
				this.#push(names[name].events, names[name].dropped);
		} catch {
			get('wire-note').textContent = 'This gateway offers no trace: start it with --demo.';
		}
		this.#ready = this.#ready || name === this.#name;
	}

	/** @param {import('../trace.js').TraceOfName} trace */
	#take({ name, events, dropped }) {
		if (this.#running && this.#ready && name === this.#name)
			this.#push(events, dropped);
	}

	/** @param {TraceEvent[]} events @param {number} dropped */
	#push(events, dropped) {
		this.#dropped = dropped;
		const items = this.#conversation.push(events);
		if (this.#paused) {
			this.#waiting.push(...items);
			this.#waiting.splice(0, this.#waiting.length - WAITING);
		}
		this.#page.frames.write(() => {
			if (!this.#paused)
				this.#list.add(items);
			this.#tell();
		});
	}

	#tell() {
		get('wire-note').textContent = this.#describe();
	}

	#describe() {
		const { isEmpty, count, dropped } = this.#list;
		if (isEmpty)
			return this.#lane?.resting ? 'The lane is paused.' : 'Nothing yet.';
		const old = dropped ? `, ${dropped} older ones removed` : '';
		const missed = this.#dropped ? `; the trace missed ${this.#dropped} writes` : '';
		const paused = this.#paused ? `; paused, ${this.#waiting.length} waiting` : '';
		return `${count} shown${old}${missed}${paused}`;
	}

	/** @param {boolean} paused */
	#pause(paused) {
		this.#paused = paused;
		get('wire-pause').setAttribute('aria-pressed', String(paused));
		if (!paused)
			this.#list.add(this.#waiting.splice(0));
		this.#tell();
	}

	#clear() {
		this.#list.clear();
		this.#waiting = [];
		this.#item = null;
		get('wire-detail').replaceChildren(get('wire-empty').content.cloneNode(true));
		this.#tell();
	}

	#connectAnew() {
		this.#clear();
		this.#lane?.stop();
		this.#lane?.start();
	}

	/** @param {Item} item */
	#show(item) {
		this.#item = item;
		const detail = get('wire-detail');
		detail.replaceChildren(...describeItem(item, get('wire-hex').checked));
		detail.scrollTop = 0;
	}
}
