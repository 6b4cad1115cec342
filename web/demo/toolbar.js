// Which channel the lanes watch, all of them at once, and a text for it.
import { Sluice, isChannel } from '../client/sluice.js';

/** @typedef {import('./page.js').Page} Page */

export class Toolbar {
	#page;
	#channel = '';
	#parts;
	#publisher;

	/** @param {Page} page */
	constructor(page) {
		/** @returns {any} */
		const get = (/** @type {string} */ id) => document.getElementById(id);
		this.#page = page;
		this.#publisher = new Sluice(page.base, { storage: null });
		this.#parts = { select: get('channel'), name: get('channel-name'), all: get('all'),
			form: get('publish'), text: get('text'), outcome: get('outcome'), rests: get('rests') };
		const { select, name, all, form } = this.#parts;
		select.addEventListener('change', () => {
			name.disabled = select.value !== '';
			if (name.disabled)
				this.#watch();
			else
				name.focus();
		});
		get('watch').addEventListener('submit', (/** @type {Event} */ event) => {
			event.preventDefault();
			this.#watch();
		});
		all.addEventListener('click', () => {
			const running = page.lanes.some((lane) => lane.running);
			page.lanes.forEach((lane) => running ? lane.stop() : lane.start());
		});
		form.addEventListener('submit', (/** @type {Event} */ event) => {
			event.preventDefault();
			this.#publish();
		});
		for (const lane of page.lanes)
			lane.addEventListener('state', () => page.frames.write(this.#label));
		page.addEventListener('front', () => this.#parts.rests.textContent = '');
		page.addEventListener('rest',
			() => this.#parts.rests.textContent = 'Paused: another window is in front');
	}

	/** Once it is known where the gateway is. */
	start() {
		if (!this.#channel)
			this.#watch();
	}

	#label = () => {
		const isRunning = this.#page.lanes.some((lane) => lane.running);
		this.#parts.all.textContent = isRunning ? 'Stop all' : 'Start all';
	};

	#watch() {
		const { select, name, text } = this.#parts;
		const channel = select.value || name.value;
		if (!isChannel(channel))
			return; // it is still to be named
		this.#channel = channel;
		this.#page.lanes.forEach((lane) => lane.watch(this.#channel));
		text.placeholder = `text for ${this.#channel}`;
	}

	/** Not by a lane's client: that would count as its traffic. */
	async #publish() {
		const { form, text, outcome } = this.#parts;
		try {
			outcome.textContent = await this.#publisher.publish(this.#channel, text.value);
			form.reset();
		} catch (error) {
			outcome.textContent = /** @type {Error} */ (error).message;
		}
	}
}
