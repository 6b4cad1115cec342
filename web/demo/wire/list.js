// The items of the wire in the order of their time, newest last; one of them is chosen.
import { create } from '../panel.js';
import { formatBytes } from './bytes.js';

/** @typedef {import('./conversation.js').Item} Item */

const LIMIT = 240;
const LIVE = new Set(['websocket', 'sse', 'stream']);

/** Tells by `choose` events, whose detail is the Item. */
export class List extends EventTarget {
	/** @type {Map<string, { item: Item, row: HTMLElement }>} */
	#rows = new Map();
	#element;
	/** @type {string | null} */
	#chosen = null;
	#start = 0;
	dropped = 0;

	/** @param {HTMLElement} element a listbox */
	constructor(element) {
		super();
		this.#element = element;
		element.addEventListener('click', ({ target }) => {
			const row = /** @type {Element} */ (target).closest('[role="option"]');
			if (row)
				this.#choose(row.id, true);
		});
		element.addEventListener('keydown', (event) => this.#move(event));
	}

	get isEmpty() {
		return !this.#rows.size;
	}

	get count() {
		return this.#rows.size;
	}

	clear() {
		this.#rows.clear();
		this.#element.replaceChildren();
		this.#element.removeAttribute('aria-activedescendant');
		this.#chosen = null;
		this.#start = 0;
		this.dropped = 0;
	}

	/** @param {Item[]} items */
	add(items) {
		if (!items.length)
			return;
		const { scrollHeight, scrollTop, clientHeight } = this.#element;
		const follows = scrollHeight - scrollTop - clientHeight < 40;
		const rows = items.slice(-LIMIT).map((item) => this.#createRow(item));
		this.dropped += Math.max(0, items.length - LIMIT);
		this.#element.append(...rows);
		this.#prune();
		if (follows)
			this.#element.scrollTop = this.#element.scrollHeight;
		if (!this.#chosen)
			this.#choose((rows.find(({ dataset }) => dataset.kind === 'response') ?? rows[0]).id,
				false);
	}

	/** @param {Item} item */
	#createRow(item) {
		const id = `wire-${item.key}`;
		this.#start ||= item.time;
		const way = item.from === 'client' ? 'to gateway' : 'to browser';
		const row = create('li',
			{ id, role: 'option', 'aria-selected': 'false', className: `is-${item.from}` },
			create('span', 'at', ((item.time - this.#start) / 1e6).toFixed(3)),
			create('span', { className: 'way', title: way }, create('span', 'unseen', way)),
			create('span', 'summary', item.summary),
			create('span', 'size', item.taken.length ? formatBytes(item.taken.length) : ''));
		row.dataset.kind = item.kind;
		this.#rows.set(id, { item, row });
		return row;
	}

	/** The oldest go, but for the heads that began what still runs. */
	#prune() {
		for (const [id, { item, row }] of this.#rows) {
			if (this.#rows.size <= LIMIT)
				return;
			if (LIVE.has(item.transport) && (item.kind === 'request' || item.kind === 'response'))
				continue;
			if (id === this.#chosen)
				continue;
			this.#rows.delete(id);
			row.remove();
			this.dropped++;
		}
	}

	/** @param {string} id @param {boolean} byHand */
	#choose(id, byHand) {
		const chosen = this.#rows.get(id);
		if (!chosen)
			return;
		this.#rows.get(this.#chosen ?? '')?.row.setAttribute('aria-selected', 'false');
		this.#chosen = id;
		chosen.row.setAttribute('aria-selected', 'true');
		this.#element.setAttribute('aria-activedescendant', id);
		if (byHand)
			chosen.row.scrollIntoView({ block: 'nearest' });
		this.dispatchEvent(new CustomEvent('choose', { detail: chosen.item }));
	}

	/** @param {KeyboardEvent} event */
	#move(event) {
		const ids = [...this.#rows.keys()];
		const at = ids.indexOf(this.#chosen ?? '');
		const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 10, PageUp: at - 10,
			Home: 0, End: ids.length - 1 }[event.key];
		if (to === undefined || !ids.length)
			return;
		event.preventDefault();
		this.#choose(ids[Math.min(ids.length - 1, Math.max(0, to))], true);
	}
}
