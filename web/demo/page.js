// The demo page: makes the lanes and the one object that every panel is given.
import { onSchemeChange } from './colours.js';
import { Compare } from './compare.js';
import { Front } from './front.js';
import { Frames } from './frames.js';
import { Lane } from './lane.js';
import { LaneView } from './lane_view.js';
import { hasCharts } from './latency_chart.js';
import { Origins } from './origins.js';
import { names } from './panel.js';
import * as panels from './panels.js';
import { Sections } from './sections.js';
import { Toolbar } from './toolbar.js';
import { Trace } from './trace.js';

/** @typedef {'websocket' | 'sse' | 'stream' | 'longpoll' | 'poll'} TransportName */

/** What the panels share. Events: `select` (detail.transport), `front`, `rest`, and
 * `origins` when they may be others. */
export class Page extends EventTarget {
	#origins;
	#front;

	/** @param {URL} base of the gateway */
	constructor(base) {
		super();
		this.base = base;
		this.frames = new Frames();
		this.#origins = new Origins(base);
		this.trace = new Trace(base);
		this.trace.addEventListener('trace', (event) => {
			const { received, sent } = /** @type {CustomEvent} */ (event).detail;
			if (received.tls || sent.tls) // shows what the stylesheet hides otherwise
				document.documentElement.dataset.tls = '';
		});
		/** @type {Lane[]} */
		this.lanes = [];
		/** @type {TransportName | null} the lane whose wire is shown */
		this.selected = null;
		this.#front = new Front((isFront) => {
			this.frames.run(isFront);
			this.trace.run(isFront);
			this.dispatchEvent(new Event(isFront ? 'front' : 'rest'));
		});
	}

	/** Six origins of the gateway; one that cannot be reached is the base instead. Empty when
	 * the gateway has none. */
	get origins() {
		return this.#origins.list;
	}

	/** Where sluice-obstacle stands before the gateway and is told its faults, if it does. */
	get obstacle() {
		return this.#origins.obstacle;
	}

	/** Finds out anew which origins can be reached; `origins` follows. */
	async checkOrigins() {
		await this.#origins.check();
		this.dispatchEvent(new Event('origins'));
	}

	/** If it is one of several gateways that the page may kill and start. */
	get isCluster() {
		return this.#origins.isCluster;
	}

	/** If the gateway offers what the page shows of the wire. */
	get isTraced() {
		return this.#origins.isDemo;
	}

	/** If this is the window that is looked at. */
	get front() {
		return this.#front.isFront;
	}

	/** The gateway's clock, µs since the epoch. */
	time() {
		return this.#origins.timeAt(performance.now());
	}

	/** The same for a moment of this window's.
	 * @param {number} at performance.now() */
	timeAt(at) {
		return this.#origins.timeAt(at);
	}

	/** @param {TransportName} transport */
	select(transport) {
		if (this.selected === transport)
			return;
		this.selected = transport;
		this.dispatchEvent(new CustomEvent('select', { detail: { transport } }));
	}

	async start() {
		await this.#origins.find();
		if (this.isTraced)
			this.trace.start();
		this.#front.start();
	}
}

/** @type {HTMLElement} */ (document.getElementById('incomplete')).hidden = hasCharts;
const page = new Page(new URL('.', document.baseURI));
page.lanes = names.map((name, i) => new Lane(page, name, i - 1));
const views = page.lanes.map((lane) => new LaneView(page, lane));
const toolbar = new Toolbar(page);
new Compare(page);
new Sections(page);
await page.start();
toolbar.start();
panels.start(page);
views.forEach((view) => view.start());
if (!page.selected) // chosen at the wire before all this ran
	page.select('websocket');
onSchemeChange(() => page.frames.redraw());
