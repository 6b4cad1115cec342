// How a lane is seen. Nothing here touches the page but in a frame.
import { BytesBar } from './bytes_bar.js';
import { describe, formatCount, formatMs } from './format.js';
import { LatencyChart, hasCharts, sayNoChart } from './latency_chart.js';
import { Timeline } from './timeline.js';

const ROWS = 6;

/** @typedef {import('./page.js').Page} Page */
/** @typedef {import('./lane.js').Lane} Lane */
/** @typedef {{ id?: string, before: string, words: string, title: string }} Row */

/** What a lane does, in a line. */
const hows = {
	websocket: 'One connection, upgraded once. Both sides send frames.',
	sse: 'One GET. Its answer never ends and carries text events.',
	stream: 'One GET. Its answer never ends: a JSON object per line.',
	longpoll: 'A GET waits until there is a message. Then the next GET.',
	poll: 'A GET every second asks: is there a new message?',
};

const states = {
	stopped: 'stopped',
	resting: 'paused',
	connecting: 'connecting',
	open: 'open',
	waiting: 'disconnected',
};

export class LaneView {
	#page;
	#lane;
	#parts;
	/** @type {Row[]} */
	#rows = [];
	#bar;

	/** @param {Page} page @param {Lane} lane */
	constructor(page, lane) {
		const list = /** @type {HTMLElement} */ (document.getElementById('lane-list'));
		const template = /** @type {HTMLTemplateElement} */ (document.getElementById('lane'));
		const element = /** @type {HTMLElement} */ (/** @type {Element} */
			(template.content.firstElementChild).cloneNode(true));
		/** @returns {any} */
		const find = (/** @type {string} */ selector) => element.querySelector(selector);
		this.#page = page;
		this.#lane = lane;
		lane.element = element;
		element.id = `lane-${lane.name}`;
		element.dataset.transport = lane.name;
		this.#parts = { element, pick: find('.pick'), toggle: find('.toggle'),
			state: find('.state'), list: find('ol'), messages: find('.messages'),
			requests: find('.requests'), connections: find('.connections'), middle: find('.p50'),
			most: find('.p99') };
		this.#parts.pick.textContent = lane.name;
		find('.how').textContent = hows[lane.name];
		list.append(element);
		this.#bar = new BytesBar(lane, page.lanes, find('.cost'));
		this.#addRows();
		this.#listen();
		this.#showState();
	}

	/** Once the page's parts are there. */
	start() {
		const { element } = this.#parts;
		/** @returns {any} */
		const find = (/** @type {string} */ selector) => element.querySelector(selector);
		if (hasCharts)
			new LatencyChart(this.#page.frames, this.#lane.latency, find('.over-time'),
				find('.spread'));
		else
			sayNoChart(find('.over-time'), find('.spread'));
		if (this.#page.isTraced)
			new Timeline(this.#page, this.#lane.demo, find('canvas.timeline'), find('.said'));
		else
			find('.said').textContent = 'needs --demo';
		this.#page.frames.addChart(null, 500, () => this.#drawFigures());
	}

	#addRows() {
		for (let i = 0; i < ROWS; i++) {
			const row = document.createElement('li');
			row.append(document.createElement('span'), document.createElement('span'));
			this.#parts.list.append(row);
		}
	}

	#listen() {
		const { frames } = this.#page;
		const { element, pick, toggle } = this.#parts;
		const lane = this.#lane;
		lane.addEventListener('state', () => frames.write(this.#showState));
		lane.addEventListener('message', (event) => {
			const { id, data, time, late } = /** @type {CustomEvent} */ (event).detail;
			const age = (this.#page.time() - time) / 1000;
			const words = late ? `late: ${describe(data)}` : describe(data);
			if (late)
				frames.write(this.#showState);
			this.#push({ id, before: formatMs(age), words, title: `${id}: ${words}` });
		});
		lane.addEventListener('note', (event) => {
			const { detail } = /** @type {CustomEvent} */ (event);
			this.#push({ before: '!', words: detail, title: detail });
			frames.write(this.#showState);
		});
		toggle.addEventListener('click', () => lane.running ? lane.stop() : lane.start());
		element.addEventListener('click', (/** @type {Event} */ { target }) => {
			if (!(/** @type {Element} */ (target).closest('.toggle')))
				this.#page.select(lane.name);
		});
		this.#page.addEventListener('select', () => this.#showSelected());
		pick.setAttribute('aria-pressed', 'false');
	}

	#showSelected() {
		const isSelected = this.#page.selected === this.#lane.name;
		this.#parts.element.classList.toggle('selected', isSelected);
		this.#parts.pick.setAttribute('aria-pressed', String(isSelected));
	}

	/** @param {Row} row */
	#push(row) {
		if (row.id === undefined && row.words === this.#rows[0]?.words)
			return; // it was said
		this.#rows.unshift(row);
		this.#rows.length = Math.min(this.#rows.length, ROWS);
		this.#page.frames.write(this.#showRows);
	}

	#showRows = () => {
		const { list, messages } = this.#parts;
		messages.textContent = formatCount(this.#lane.messages);
		this.#rows.forEach(({ id, before, words, title }, i) => {
			const row = list.children[i];
			row.firstChild.textContent = before;
			row.lastChild.textContent = words;
			row.dataset.id = id ?? '';
			row.title = title;
			row.classList.toggle('note', id === undefined);
		});
	};

	#showState = () => {
		const { element, state, toggle } = this.#parts;
		const { why, running, name } = this.#lane;
		element.dataset.state = this.#lane.state;
		state.textContent = describeState(this.#lane);
		state.title = why;
		toggle.textContent = running ? 'Stop' : 'Start';
		toggle.setAttribute('aria-label', `${running ? 'Stop' : 'Start'} ${name}`);
	};

	#drawFigures() {
		const { requests, connections, middle, most } = this.#parts;
		const { traffic, latency } = this.#lane;
		requests.textContent = this.#page.isTraced ? formatCount(traffic.requests) : '–';
		connections.textContent = this.#page.isTraced ? formatCount(traffic.connections) : '–';
		[middle.textContent, most.textContent] = latency.quantiles(performance.now(), 0.5, 0.99)
			.map(formatMs);
		this.#bar.draw();
	}
}

/** @param {Lane} lane */
function describeState({ state, why, gaps, late }) {
	const words = [states[state]];
	if (why && (state === 'waiting' || state === 'resting'))
		words.push(why);
	if (gaps)
		words.push(`${gaps} ${gaps === 1 ? 'gap' : 'gaps'}`);
	if (late)
		words.push(`${late} recovered late`);
	return words.join(', ');
}
