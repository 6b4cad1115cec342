// Publishes messages of a size at a rate, and shows what they cost over each transport.
import { Sluice } from '../../client/sluice.js';
import { create, createBadge, createName, formatMs, get, names, originAt } from '../panel.js';
import { formatBytes } from '../wire/bytes.js';
import { Meter } from './meter.js';

/** @typedef {import('../page.js').Page} Page */
/** @typedef {import('../page.js').TransportName} TransportName */
/** @typedef {import('./tokens.js').Tokens} Tokens */

const RUN_MS = 60000;
const WINDOW_MS = 5000;
const AT_ONCE = 8; // publishes without an answer

class Reader {
	meter = new Meter(WINDOW_MS);
	/** @type {Sluice | null} */
	#client = null;
	#release = () => {};

	/** @param {Page} page @param {TransportName} name */
	constructor(page, name) {
		this.page = page;
		this.name = name;
		this.demo = '';
		this.messages = create('td', { className: 'messages', role: 'cell' });
		this.delay = create('span', 'figure');
		this.delayBar = create('span', 'gauge', create('i'));
		this.size = create('span', 'figure');
		this.sizeBar = create('span', 'gauge', create('i'), create('i', 'over'));
		this.row = create('tr', { role: 'row', 'data-transport': name },
			create('th', { role: 'rowheader', scope: 'row' }, createBadge(name)), this.messages,
			create('td', { className: 'delay', role: 'cell' }, this.delay, this.delayBar),
			create('td', { className: 'size', role: 'cell' }, this.size, this.sizeBar));
		page.trace.addEventListener('trace', (event) => {
			const { detail } = /** @type {CustomEvent} */ (event);
			if (detail.name !== this.demo)
				return;
			const { received, sent } = detail;
			const wire = [received, sent].reduce((sum, { heads, bodies, tls = 0 }) =>
				sum + heads + bodies + tls, 0);
			this.meter.read({ at: performance.now(), wire });
		});
	}

	/** @param {string} channel
	 * @returns {Promise<void>} when messages flow */
	start(channel) {
		this.meter = new Meter(WINDOW_MS);
		this.demo = `load-${this.name}-${channel.slice(-8)}`;
		this.#release = this.page.trace.want(this.demo);
		const client = this.#client = new Sluice(originAt(this.page, 5), { channels: [channel],
			transports: [this.name], params: { demo: this.demo }, storage: null });
		client.addEventListener('message', (event) => {
			const { data, time } = /** @type {any} */ (event);
			const latency = Math.max(0, (this.page.time() - time) / 1000);
			const payload = JSON.stringify(data).length;
			this.meter.arrive({ at: performance.now(), latency, payload });
		});
		return new Promise(
			(resolve) => client.addEventListener('open', () => resolve(), { once: true }));
	}

	stop() {
		this.#client?.close();
		this.#client = null;
		this.#release();
		this.#release = () => {};
	}
}

export class Load {
	#page;
	#tokens;
	#readers;
	#channel = '';
	#until = 0;
	#running = false;
	#holdUntil = 0; // the gateway asked for a pause
	#unanswered = 0;
	#refused = 0;
	#owed = 0; // messages due and not yet published
	#at = 0;
	/** @type {ReturnType<typeof setInterval> | undefined} */
	#timer;

	/** @param {Page} page @param {Tokens} tokens */
	constructor(page, tokens) {
		this.#page = page;
		this.#tokens = tokens;
		this.#readers = names.map((name) => new Reader(page, name));
		get('load-rows').append(...this.#readers.map(({ row }) => row));
		get('load-form').addEventListener('submit', (/** @type {Event} */ event) => {
			event.preventDefault();
			if (this.#running)
				this.#stop('Stopped.');
			else
				this.#start();
		});
		get('load-form').addEventListener('input', () => this.#label());
		get('load-size').addEventListener('input',
			() => this.#readers.forEach(({ meter }) => meter.settle()));
		page.addEventListener('rest',
			() => this.#running && this.#stop('Stopped: another window is in front.'));
		page.frames.addChart(get('load-rows'), 250, () => this.#draw());
		this.#label();
		this.#draw();
	}

	get #size() {
		return 2 ** Number(get('load-size').value);
	}

	get #rate() {
		return Number(get('load-rate').value);
	}

	#label() {
		const size = this.#size < 1024 ? `${this.#size} B` : `${this.#size / 1024} KiB`;
		get('load-size-text').textContent = size;
		get('load-size').setAttribute('aria-valuetext', size);
		get('load-rate-text').textContent = `${this.#rate} per second`;
		get('load-rate').setAttribute('aria-valuetext', `${this.#rate} per second`);
	}

	/** One reader after another: an origin has six connections, and each needs two to begin. */
	async #start() {
		this.#running = true;
		this.#channel = `demo.load.${createName()}`;
		this.#unanswered = this.#refused = this.#owed = this.#holdUntil = 0;
		this.#until = Infinity;
		get('load-run').textContent = 'Stop';
		this.#say('Opening five connections …');
		this.#tokens.yield(true);
		const channel = this.#channel;
		for (const reader of this.#readers) {
			const late = new Promise((resolve) => setTimeout(resolve, 2000));
			await Promise.race([reader.start(channel), late]);
			if (!this.#running || channel !== this.#channel)
				return;
		}
		this.#readers.forEach(({ meter }) => meter.settle());
		this.#until = performance.now() + RUN_MS;
		this.#at = performance.now();
		this.#timer = setInterval(() => this.#step(), 20);
	}

	/** @param {string} words */
	#stop(words) {
		this.#running = false;
		clearInterval(this.#timer);
		this.#readers.forEach((reader) => reader.stop());
		this.#tokens.yield(false);
		get('load-run').textContent = 'Start';
		this.#say(words);
	}

	/** @param {string} words */
	#say(words) {
		const state = get('load-state');
		if (state.textContent !== words)
			state.textContent = words;
	}

	#step() {
		const now = performance.now();
		if (now >= this.#until)
			return this.#stop('Stopped after a minute.');
		this.#owed = Math.min(this.#owed + (now - this.#at) * this.#rate / 1000, AT_ONCE);
		this.#at = now;
		while (this.#owed >= 1 && this.#unanswered < AT_ONCE && now >= this.#holdUntil) {
			this.#owed--;
			this.#publish();
		}
	}

	/** Over plain requests beside the readers, so that none of them is favoured. */
	async #publish() {
		this.#unanswered++;
		try {
			const url = new URL('publish', this.#page.base);
			url.searchParams.set('channel', this.#channel);
			const response = await fetch(url, { method: 'POST',
				headers: { 'Content-Type': 'application/json', 'Idempotency-Key': createName() },
				body: JSON.stringify('x'.repeat(Math.max(1, this.#size - 2))) });
			if (response.status === 429) {
				this.#refused++;
				this.#holdUntil = performance.now() +
					(Number(response.headers.get('Retry-After')) || 1) * 1000;
			} else if (!response.ok)
				this.#stop(`The gateway rejected a message: status ${response.status}.`);
		} catch {
			this.#holdUntil = performance.now() + 1000;
		} finally {
			this.#unanswered--;
		}
	}

	#draw() {
		const now = performance.now();
		const views = this.#readers.map(({ meter }) => meter.view(now));
		const highest = Math.max(1, ...views.map((view) => view?.high ?? 0));
		const largest = Math.max(1,
			...views.map((view) => view ? view.payload + (view.overhead || 0) : 0));
		this.#readers.forEach((reader, i) => this.#drawRow(reader, views[i], highest, largest));
		if (this.#running && this.#until < Infinity)
			this.#say(`Running, ${Math.ceil((this.#until - now) / 5000) * 5} s left at most.` +
				(this.#refused ? ` The gateway asked for a pause ${this.#refused} times ` +
					'(status 429), and the page paused.' : ''));
	}

	/** @param {Reader} reader @param {import('./meter.js').Figures | null} view
	 * @param {number} highest @param {number} largest */
	#drawRow({ messages, delay, delayBar, size, sizeBar }, view, highest, largest) {
		messages.textContent = view ? view.messages.toLocaleString('en') : '–';
		delay.textContent = view ? `${formatMs(view.median)}, ${formatMs(view.high)}` : '–';
		size.textContent = view ? formatSize(view) : '–';
		const [payload, overhead] = sizeBar.children;
		delayBar.firstElementChild.style.width = `${view ? 100 * view.median / highest : 0}%`;
		payload.style.width = `${view ? 100 * view.payload / largest : 0}%`;
		overhead.style.width = `${view ? 100 * (view.overhead || 0) / largest : 0}%`;
	}
}

/** @param {import('./meter.js').Figures} view */
function formatSize({ payload, overhead }) {
	const size = formatBytes(payload);
	return Number.isNaN(overhead) ? size : `${size} + ${formatBytes(overhead)}`;
}
