// The same words over two transports, side by side.
import { Sluice } from '../../client/sluice.js';
import { formatMs, get, originAt, summarize, whileSeen } from '../panel.js';

/** @typedef {import('../page.js').Page} Page */
/** @typedef {import('../../client/sluice.js').SluiceEvent} SluiceEvent */

const KEPT = 60; // words whose figures are shown
const SENTENCES = 2; // on the page

class Side {
	#page;
	#select;
	#text;
	#figures;
	/** @type {Sluice | null} */
	#client = null;
	/** @type {{ number: number, words: string[], text: Text }[]} newest last */
	#sentences = [];
	/** @type {number[]} ms */
	#ages = [];
	/** @type {number[]} ms between two arrivals */
	#pauses = [];
	#at = 0;

	/** @param {Page} page @param {string} name */
	constructor(page, name) {
		this.#page = page;
		this.#select = get(`tokens-${name}`);
		this.#text = get(`tokens-${name}-text`);
		this.#figures = get(`tokens-${name}-figures`);
		this.#select.addEventListener('change', () => this.#client && this.#start());
	}

	/** @param {boolean} running */
	run(running) {
		if (running)
			this.#start();
		else
			this.#stop();
	}

	#start() {
		this.#stop();
		this.#ages = [];
		this.#pauses = [];
		this.#at = 0;
		this.#text.replaceChildren();
		this.#sentences = [];
		this.#select.closest('.side').dataset.transport = this.#select.value;
		const began = this.#page.time();
		this.#client = new Sluice(originAt(this.#page, 5), { channels: ['demo.tokens'],
			transports: [this.#select.value], storage: null });
		this.#client.addEventListener('message',
			(event) => this.#take(/** @type {any} */ (event), began));
	}

	#stop() {
		this.#client?.close();
		this.#client = null;
	}

	/** @param {SluiceEvent} event @param {number} began */
	#take({ data, time, late }, began) {
		if (typeof data?.text !== 'string' || time < began)
			return;
		const now = performance.now();
		this.#ages.push((this.#page.time() - time) / 1000);
		if (this.#at && now - this.#at > 5) // those that came together are one arrival
			this.#pauses.push(now - this.#at);
		this.#at = now;
		this.#ages.splice(0, this.#ages.length - KEPT);
		this.#pauses.splice(0, this.#pauses.length - KEPT);
		// One that was recovered belongs between those that are there.
		let sentence = data.word || late ?
			this.#sentences.find(({ number }) => number === data.sentence) : undefined;
		if (!sentence && late)
			return;
		if (!sentence)
			this.#sentences.push(sentence = { number: data.sentence, words: [], text: new Text() });
		const { words, text } = sentence;
		words[data.word] = data.text;
		this.#page.frames.write(() => {
			text.data = `${words.join('')} `;
			if (this.#sentences.length > SENTENCES)
				this.#sentences.splice(0, this.#sentences.length - SENTENCES)
					.forEach((old) => old.text.remove());
			if (!text.isConnected)
				this.#text.append(text);
			const { median } = summarize(this.#ages);
			this.#figures.textContent = `${formatMs(median)} old on arrival` +
				(this.#pauses.length ?
					`, arrivals ${formatMs(summarize(this.#pauses).median)} apart` : '');
		});
	}
}

export class Tokens {
	#sides;
	#seen = false;
	#yields = false;
	#running = false;

	/** @param {Page} page */
	constructor(page) {
		this.#sides = ['left', 'right'].map((name) => new Side(page, name));
		whileSeen(page, get('tokens'), (seen) => {
			this.#seen = seen;
			this.#tell();
		});
	}

	/** The load needs the connections that a browser has for one origin.
	 * @param {boolean} yields */
	yield(yields) {
		this.#yields = yields;
		this.#tell();
	}

	#tell() {
		const running = this.#seen && !this.#yields;
		if (running !== this.#running)
			this.#sides.forEach((side) => side.run(running));
		this.#running = running;
		get('tokens').classList.toggle('is-resting', this.#yields);
	}
}
