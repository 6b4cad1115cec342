// A lane: one transport on the page, from start to stop, with its cursor and its figures.
//
// A transport is opened by open(address, since, lane) and returns what closes it.
// address(path, since) is the URL to ask, since the cursor to go on from (undefined: from
// now). It hands every object it gets to lane.take(), or a whole answer to lane.takeAll(),
// says lane.lost(ms) once when its connection has ended (the lane then opens another, after
// `ms` if the gateway said so) and lane.waits(why) when it reconnects by itself.

/** @typedef {{ id: string, time: number, data?: any, base64?: string }} Message */
/** @typedef {{ type: string, id?: undefined, cursor?: string, after?: string, resumed?: string,
 * 	retry?: number }} Control */
/** @typedef {{ cursor: string, messages: Message[], gaps: Control[] }} Answer */
/** @typedef {(path: string, since?: string) => URL} Address */
/** @typedef {(address: Address, since: string | undefined, lane: Lane) => () => void} Open */
/** @typedef {{ name: string, how: string, open: Open }} Transport */

const SHOWN = 12; // messages in the list
const RETRY_MS = [500, 8000]; // the first wait, and the longest

const encoder = new TextEncoder();

/** The payload's size, as far as it can be told from the object.
 * @param {Message} message */
function countBytes({ data, base64 }) {
	if (base64 !== undefined)
		return base64.length / 4 * 3 - (base64.length - base64.replace(/=+$/, '').length);
	return encoder.encode(typeof data === 'string' ? data : JSON.stringify(data)).length;
}

/** @param {number} bytes */
function formatBytes(bytes) {
	if (bytes < 1024)
		return `${bytes} B`;
	return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;
}

/** What the demo feeds send is said shortly, anything else as it is.
 * @param {Message} message */
function describe({ data, base64 }) {
	if (typeof data === 'string')
		return data;
	if (typeof data?.symbol === 'string')
		return `${data.symbol} ${data.price?.toFixed?.(2)} ${data.change < 0 ? '▼' : '▲'}`;
	if (typeof data?.utc === 'string')
		return `${data.utc} UTC`;
	if (typeof data?.text === 'string')
		return data.text;
	return base64 ?? JSON.stringify(data);
}

export class Lane {
	#transport;
	#parts; // the elements that change
	/** @type {(() => void) | undefined} */
	#close; // ends the connection, undefined while there is none
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer; // until the next one
	#channel = '';
	/** @type {string | undefined} */
	#cursor;
	#count = 0;
	#bytes = 0;
	#gaps = 0;
	#tries = 0;

	/** @param {Transport} transport @param {HTMLElement} article */
	constructor(transport, article) {
		/** @returns {any} */
		const part = (/** @type {string} */ selector) => article.querySelector(selector);
		this.#transport = transport;
		this.#parts = {
			article, state: part('.state'), button: part('button'), list: part('ol'),
			count: part('.count'), bytes: part('.bytes'), gaps: part('.gaps'),
		};
		article.id = `lane-${transport.name}`;
		article.setAttribute('aria-labelledby', `name-${transport.name}`);
		part('h2').id = `name-${transport.name}`;
		part('h2').textContent = transport.name;
		part('.how').textContent = transport.how;
		this.#parts.button.addEventListener('click', () => this.running ? this.stop() : this.start());
		this.#show('stopped');
	}

	get running() {
		return Boolean(this.#close || this.#timer);
	}

	/** Another channel: everything begins anew, from now.
	 * @param {string} channel */
	watch(channel) {
		this.stop();
		this.#channel = channel;
		this.#cursor = undefined;
		this.#count = this.#bytes = this.#gaps = 0;
		this.#parts.list.replaceChildren();
		this.#showFigures();
		this.start();
	}

	start() {
		if (this.running)
			return;
		this.#tries = 0;
		this.#open();
	}

	stop() {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#close?.();
		this.#close = undefined;
		this.#show('stopped');
	}

	#open() {
		this.#timer = undefined;
		this.#show('connecting');
		/** @type {Address} */
		const address = (path, since) => {
			const url = new URL(path, document.baseURI);
			url.searchParams.set('channels', this.#channel);
			if (since)
				url.searchParams.set('since', since);
			return url;
		};
		this.#close = this.#transport.open(address, this.#cursor, this);
	}

	/* ---- what a transport says ---- */

	/** @param {Message | Control} object */
	take(object) {
		if (object.id !== undefined)
			this.#addMessage(object);
		else if (object.type === 'gap')
			this.#addGap(object);
		// After `bye` the connection ends; everything else says that it lives.
		if (object.id !== undefined || object.type !== 'bye')
			this.#opened();
		this.#cursor = object.id ?? /** @type {Control} */ (object).cursor ?? this.#cursor;
		this.#showFigures();
	}

	/** @param {Answer} answer */
	takeAll({ cursor, messages, gaps }) {
		gaps.forEach((gap) => this.#addGap(gap));
		messages.forEach((message) => this.#addMessage(message));
		this.#cursor = cursor;
		this.#opened();
		this.#showFigures();
	}

	/** @param {number} [ms] what the gateway asked to wait */
	lost(ms) {
		this.#close?.();
		this.#close = undefined;
		const [first, longest] = RETRY_MS;
		// Spread, so that the clients of a gateway that fell do not all come at once.
		const wait = ms ?? Math.min(first * 2 ** this.#tries++, longest) * (0.75 + Math.random() / 2);
		this.#timer = setTimeout(() => this.#open(), wait);
		this.#show('lost', `again in ${(wait / 1000).toFixed(1)} s`);
	}

	/** @param {string} why */
	waits(why) {
		this.#show('lost', why);
	}

	/* ---- what is seen ---- */

	#opened() {
		this.#tries = 0;
		this.#show('open');
	}

	/** @param {Message} message */
	#addMessage(message) {
		this.#count++;
		this.#bytes += countBytes(message);
		const age = Math.round(Date.now() - message.time / 1000);
		const words = describe(message);
		const row = this.#addRow(`${age} ms`, words);
		row.dataset.id = message.id;
		row.title = `${message.id}: ${words}`;
	}

	/** @param {Control} gap */
	#addGap({ after, resumed }) {
		this.#gaps++;
		const row = this.#addRow('gap', `history lacks some up to ${resumed}`);
		row.className = 'gap';
		row.title = `after ${after}, resumed ${resumed}`;
	}

	/** @param {string} before @param {string} text */
	#addRow(before, text) {
		const row = document.createElement('li');
		const age = document.createElement('span');
		const what = document.createElement('span');
		age.className = 'age';
		age.textContent = before;
		what.className = 'what';
		what.textContent = text;
		row.append(age, what);
		this.#parts.list.prepend(row);
		while (this.#parts.list.childElementCount > SHOWN)
			this.#parts.list.lastElementChild.remove();
		return row;
	}

	/** @param {string} state @param {string} [words] */
	#show(state, words = state) {
		const { article, state: text, button } = this.#parts;
		if (text.textContent === words)
			return;
		article.dataset.state = state;
		text.textContent = words;
		const label = state === 'stopped' ? 'Start' : 'Stop';
		button.textContent = label;
		button.setAttribute('aria-label', `${label} ${this.#transport.name}`);
	}

	#showFigures() {
		this.#parts.count.textContent = this.#count.toLocaleString('en');
		this.#parts.bytes.textContent = formatBytes(this.#bytes);
		this.#parts.gaps.textContent = this.#gaps;
	}
}
