// One of the two clients: which transport it uses and how it came there, what is said, and the
// bytes of each message.
import { BytesBar } from '../bytes_bar.js';
import { formatCount } from '../format.js';
import { create, createBadge, createName, get } from '../panel.js';
import { Traffic } from '../traffic.js';

/** @typedef {import('../page.js').Page} Page */
/** @typedef {{ name: string, text: string }} Line */

const LIMIT = 50; // lines on the page
const OPENING_MS = 1000; // what opening and upgrading cost is no message's cost

/** A client is in #open, #close and #publish of what extends this. */
export class Side {
	#name;
	#bar = /** @type {BytesBar | null} */ (null);
	#demo = '';
	#release = () => {};
	#began = 0;
	#way = ''; // as it is shown
	#messages = 0;
	running = false;

	/** @param {Page} page @param {string} name of its elements */
	constructor(page, name) {
		this.page = page;
		this.#name = name;
		this.traffic = new Traffic();
		page.trace.addEventListener('trace', (event) => {
			const { detail } = /** @type {CustomEvent} */ (event);
			if (detail.name === this.#demo)
				this.traffic.sample(performance.now(), detail);
		});
		this.#addParts();
		this.part('over').addEventListener('change', () => this.running && this.start());
		this.part('say').addEventListener('submit', (/** @type {Event} */ event) => {
			event.preventDefault();
			this.#say();
		});
	}

	/** @param {string} name
	 * @returns {any} */
	part(name) {
		return get(`clients-${this.#name}-${name}`);
	}

	/** Adds the parts that both sides have; each gets the id that part() looks for. */
	#addParts() {
		const parts = get('clients-side').content.cloneNode(true);
		for (const part of parts.querySelectorAll('[data-part]'))
			part.id = `clients-${this.#name}-${part.dataset.part}`;
		parts.querySelector('label').htmlFor = `clients-${this.#name}-text`;
		parts.querySelector('ol').setAttribute('aria-label',
			`Messages that ${this.part('title').textContent} received`);
		get(`clients-${this.#name}`).append(parts);
	}

	/** Before it is drawn. @param {Side[]} sides that share the scale of the bars */
	share(sides) {
		this.#bar = new BytesBar(/** @type {any} */ (this), /** @type {any} */ (sides),
			get(`clients-${this.#name}`));
	}

	start() {
		this.stop();
		this.running = true;
		this.#demo = `clients-${this.#name}-${createName()}`;
		this.#release = this.page.trace.want(this.#demo);
		this.traffic = new Traffic();
		this.#messages = 0;
		this.#began = performance.now();
		this.part('lines').replaceChildren();
		this.tell('connecting');
		this.open(this.#demo, this.part('over').value);
	}

	stop() {
		if (!this.running)
			return;
		this.running = false;
		this.close();
		this.#release();
		this.tell('paused: out of view');
	}

	/** Made by the client. @param {string} demo @param {string} over
	 * @returns {void} */
	open(demo, over) {
		throw new Error(`open ${demo} ${over}`);
	}

	close() {}

	/** @param {Line} line
	 * @returns {Promise<void>} */
	async publish(line) {
		throw new Error(line.text);
	}

	/** Has this transport now.
	 * @param {string} transport the gateway's name for its like
	 * @param {string} [name] the client's own @param {boolean} [isUpgrade] it came from another */
	use(transport, name = transport, isUpgrade = false) {
		const after = `${Math.round(performance.now() - this.#began)} ms`;
		const now = `${name} after ${after}`;
		const way = isUpgrade ? `${this.#way}, then ${now}` : now;
		this.traffic.clear(performance.now() + OPENING_MS);
		this.tell(way, transport, name);
	}

	/** @param {string} words @param {string} [transport] @param {string} [name] */
	tell(words, transport, name) {
		this.#way = words;
		this.page.frames.write(() => {
			get(`clients-${this.#name}`).dataset.transport = transport ?? '';
			const badge = transport && createBadge(transport);
			if (badge)
				badge.textContent = name ?? '';
			this.part('way').replaceChildren(badge || '', create('span', 'number', this.#way));
		});
	}

	/** A message came. @param {any} data @param {number} bytes of its payload */
	take(data, bytes) {
		this.traffic.addMessage(bytes);
		this.#messages++;
		if (typeof data?.text !== 'string' || typeof data.name !== 'string')
			return;
		const line = create('li', {}, create('b', {}, data.name.slice(0, 24)), ' ',
			create('span', 'chat-said', data.text.slice(0, 1000)));
		this.page.frames.write(() => {
			const lines = this.part('lines');
			lines.append(line);
			while (lines.childElementCount > LIMIT)
				lines.firstElementChild?.remove();
			lines.scrollTop = lines.scrollHeight;
		});
	}

	draw() {
		this.#bar?.draw();
		this.part('messages').textContent = formatCount(this.#messages);
		this.part('requests').textContent = formatCount(this.traffic.requests);
		this.part('connections').textContent = formatCount(this.traffic.connections);
	}

	async #say() {
		const field = this.part('text');
		const text = field.value;
		field.value = '';
		try {
			await this.publish({ name: this.part('title').textContent, text });
		} catch (error) {
			field.value ||= text;
			this.tell(`not sent: ${/** @type {Error} */ (error).message}`);
		}
	}
}
