// The five transports, best first: what each is doing, and a button to take it away.
import { create, createBadge } from '../panel.js';

/** @typedef {import('../page.js').TransportName} TransportName */
/** @typedef {{ item: HTMLElement, state: HTMLElement, why: HTMLElement, label: HTMLElement,
 * 	tried: number, failed: string, proved: boolean }} Rung */

const TRYING_MS = 1500;

export class Ladder {
	/** @type {Map<TransportName, Rung>} */
	#rungs = new Map();
	/** @type {TransportName | null} */
	#used = null;
	/** @type {TransportName[]} */
	#blocked = [];

	/** @param {HTMLElement} list @param {TransportName[]} names
	 * @param {(name: TransportName) => void} toggle */
	constructor(list, names, toggle) {
		for (const name of names) {
			const state = create('span', 'state');
			const why = create('p', 'small quiet');
			const label = create('span', {}, 'Block');
			const button = create('button', { type: 'button' }, label,
				create('span', 'unseen', ` ${name}`));
			button.addEventListener('click', () => toggle(name));
			const item = create('li', { 'data-transport': name }, createBadge(name), state, button,
				why);
			list.append(item);
			this.#rungs.set(name,
				{ item, state, why, label, tried: -Infinity, failed: '', proved: false });
		}
	}

	/** @param {boolean} isShown if transports can be blocked one by one */
	showButtons(isShown) {
		for (const { label } of this.#rungs.values())
			/** @type {HTMLElement} */ (label.parentElement).hidden = !isShown;
	}

	/** @param {TransportName} name @param {number} now */
	tried(name, now) {
		this.#get(name).tried = now;
	}

	/** @param {TransportName} name @param {string} why */
	failed(name, why) {
		Object.assign(this.#get(name), { tried: -Infinity, failed: why });
	}

	/** @param {TransportName | null} name */
	use(name) {
		this.#used = name;
		if (name)
			Object.assign(this.#get(name), { tried: -Infinity, failed: '', proved: true });
	}

	/** @param {TransportName[]} names */
	block(names) {
		for (const [name, rung] of this.#rungs)
			if (this.#blocked.includes(name) && !names.includes(name))
				rung.failed = '';
		this.#blocked = names;
	}

	/** @param {TransportName} name
	 * @returns {Rung} */
	#get(name) {
		return /** @type {Rung} */ (this.#rungs.get(name));
	}

	/** @param {TransportName} name @param {Rung} rung @param {number} now */
	#judge(name, rung, now) {
		if (name === this.#used)
			return 'in use';
		if (now - rung.tried < TRYING_MS)
			return 'trying';
		if (this.#blocked.includes(name))
			return 'blocked';
		if (rung.failed)
			return 'failed';
		return rung.proved ? 'works' : 'not needed';
	}

	/** @param {number} now */
	draw(now) {
		for (const [name, rung] of this.#rungs) {
			const isBlocked = this.#blocked.includes(name);
			const state = this.#judge(name, rung, now);
			const wasBlocked = rung.label.textContent === 'Unblock';
			if (rung.item.classList.toggle('is-blocked', isBlocked) !== wasBlocked)
				rung.label.textContent = isBlocked ? 'Unblock' : 'Block';
			if (rung.state.textContent !== state) {
				rung.item.dataset.state = state;
				rung.state.textContent = state;
			}
			const why = name === this.#used ? '' : rung.failed;
			if (rung.why.textContent !== why)
				rung.why.textContent = rung.why.title = why;
		}
	}
}
