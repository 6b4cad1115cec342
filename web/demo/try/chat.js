// A chat: a channel a room, each line with the transport that brought it and its age.
import { Sluice } from '../../client/sluice.js';
import { create, createName, formatMs, get, originAt } from '../panel.js';

/** @typedef {import('../page.js').Page} Page */
/** @typedef {import('../../client/sluice.js').SluiceEvent} SluiceEvent */
/** @typedef {import('../../client/sluice.js').TransportName} TransportName */

const LIMIT = 200; // lines on the page
const OLD_MS = 60000; // older ones have a time of day instead of an age

/** @type {Record<string, string>} */
const states = { waiting: 'disconnected' };

export class Chat {
	#page;
	/** @type {Sluice | null} */
	#client = null;
	#room = '';
	#opened = 0; // the gateway's time
	#lines = get('chat-lines');

	/** It goes on in a window that is not in front, so that two windows can talk; it rests where
	 * nobody can see it.
	 * @param {Page} page */
	constructor(page) {
		this.#page = page;
		get('chat-name').value = `guest ${createName().slice(0, 3)}`;
		get('chat-where').addEventListener('submit',
			(/** @type {Event} */ event) => event.preventDefault());
		get('chat-room').addEventListener('change', () => this.#enter());
		get('chat-transport').addEventListener('change', () => this.#enter());
		get('chat-say').addEventListener('submit', (/** @type {Event} */ event) => {
			event.preventDefault();
			this.#say();
		});
		let near = false;
		const run = () => near && !document.hidden ? this.#client || this.#enter() : this.#leave();
		new IntersectionObserver((entries) => {
			near ||= entries.some(({ isIntersecting }) => isIntersecting);
			run();
		}, { rootMargin: '200px' }).observe(get('chat'));
		document.addEventListener('visibilitychange', run);
		addEventListener('pagehide', () => this.#leave());
		addEventListener('pageshow', run);
	}

	/** Anew: the history comes with it. */
	#enter() {
		if (!get('chat-where').reportValidity())
			return;
		this.#leave();
		this.#room = get('chat-room').value;
		this.#lines.replaceChildren();
		this.#opened = this.#page.time();
		/** @type {TransportName} */
		const transport = get('chat-transport').value;
		const client = this.#client = new Sluice(originAt(this.#page, 5), {
			channels: [`demo.chat.${this.#room}`], since: '0', storage: null,
			...transport && { transports: [transport] },
		});
		client.addEventListener('message', (event) => this.#take(/** @type {any} */ (event)));
		client.addEventListener('state', (event) => this.#tell(/** @type {any} */ (event)));
		client.addEventListener('gap',
			() => this.#add(create('li', 'is-note', 'The history no longer has the older lines.')));
	}

	#leave() {
		this.#client?.close();
		this.#client = null;
	}

	async #say() {
		const field = get('chat-text');
		const text = field.value;
		field.value = '';
		try {
			const name = get('chat-name').value.slice(0, 24);
			await this.#client?.publish(`demo.chat.${this.#room}`, { name, text });
		} catch (error) {
			field.value ||= text;
			get('chat-state').textContent = `Not sent: ${/** @type {Error} */ (error).message}`;
		}
	}

	/** @param {SluiceEvent} event */
	#take({ data, time, late }) {
		if (typeof data?.text !== 'string' || typeof data.name !== 'string')
			return;
		const age = Math.max(0, (this.#page.time() - time) / 1000);
		const isPast = time < this.#opened;
		const transport = this.#client?.transport ?? '';
		const badge = create('span', 'badge', isPast ? 'history' : transport);
		if (!isPast)
			badge.dataset.transport = transport;
		const when = `${describeAge(age, time, isPast)}${late ? ', recovered late' : ''}`;
		this.#add(create('li', data.name === get('chat-name').value ? 'is-own' : '',
			create('p', 'chat-who', create('b', {}, data.name.slice(0, 24)), badge,
				create('span', 'quiet number', when)),
			create('p', 'chat-said', data.text.slice(0, 1000))));
	}

	/** @param {HTMLElement} line */
	#add(line) {
		this.#page.frames.write(() => {
			this.#lines.append(line);
			while (this.#lines.childElementCount > LIMIT)
				this.#lines.firstElementChild?.remove();
			this.#lines.scrollTop = this.#lines.scrollHeight;
		});
	}

	/** @param {SluiceEvent} event */
	#tell({ state, why }) {
		if (state === 'open')
			get('chat-state').textContent = `In ${this.#room}, over ${this.#client?.transport}.`;
		else if (state !== 'closed')
			get('chat-state').textContent =
				`${states[String(state)] ?? state}${why && ` – ${why}`}`;
	}
}

/** @param {number} age ms @param {number} time µs @param {boolean} isPast it comes from history */
function describeAge(age, time, isPast) {
	if (age > OLD_MS)
		return new Date(time / 1000).toLocaleTimeString('en-GB', { timeStyle: 'short' });
	return isPast ? `${Math.round(age / 1000)} s ago` : `${formatMs(age)} old`;
}
