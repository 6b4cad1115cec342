// One connection for all tabs of an origin. The tab that holds the lock leads: it has the
// connection, for the channels of all, and repeats what it hears to the others. When it
// closes, the browser gives the lock to the next, which goes on at the same cursor.
import { Connection } from './connection.js';
import { Delivery, parseCursor } from './deliver.js';
import { createKey } from './transports/request.js';
import { PublishError } from './publisher.js';

/** @typedef {import('./connection.js').Tell} Tell */

export class Shared {
	static get isPossible() {
		return Boolean(globalThis.navigator?.locks && globalThis.BroadcastChannel);
	}

	#id = createKey();
	#base;
	#options;
	#tell;
	#delivery;
	#bus;
	#abort = new AbortController();
	#resign = () => {};
	/** @type {Connection | undefined} */
	#leads;
	/** @type {Map<string, string[]>} */
	#others = new Map(); // whose channels
	/** @type {Connection | undefined} */
	#catching; // up, as one that joins with a cursor of its own
	#later = /** @type {any[]} */ ([]); // what the leader says meanwhile
	/** @type {Map<string, { message: any, resolve: (id: string) => void, reject: (error: Error) => void }>} */
	#asked = new Map();
	#count = 0;
	#joined = false;
	#transport = /** @type {string | null} */ (null);

	/** @param {URL} base @param {any} options @param {Tell} tell */
	constructor(base, options, tell) {
		this.#base = base;
		this.#options = options;
		this.#tell = tell;
		this.#delivery = new Delivery(options.since);
		this.channels = /** @type {string[]} */ ([]);
		const name = `sluice ${base.href} ${options.token ?? ''} ${new URLSearchParams(options.params)}`;
		this.#bus = new BroadcastChannel(name);
		this.#bus.onmessage = ({ data }) => this.#hear(data);
		this.#say({ type: 'who' });
		navigator.locks.request(name, { signal: this.#abort.signal }, () => this.#lead()).catch(() => {});
	}

	get cursor() {
		return this.#delivery.cursor;
	}

	get transport() {
		return this.#transport;
	}

	/** @param {string[]} channels */
	setChannels(channels) {
		this.channels = channels;
		this.#say({ type: 'channels', channels });
		this.#follow();
	}

	/** @param {string} channel @param {any} data @param {string} [key]
	 * @returns {Promise<string>} */
	publish(channel, data, key = createKey()) {
		if (this.#leads)
			return this.#leads.publish(channel, data, key);
		return new Promise((resolve, reject) => {
			const ref = `${this.#id} ${++this.#count}`;
			const message = { type: 'publish', ref, channel, data, key, until: Date.now() + 100000 };
			this.#asked.set(ref, { message, resolve, reject });
			this.#say(message);
		});
	}

	/** @param {boolean} [online] */
	wake(online) {
		if (this.#leads)
			this.#leads.wake(online);
		else
			this.#say({ type: 'wake', online });
	}

	close() {
		this.#joined = true;
		this.#say({ type: 'left' });
		this.#abort.abort();
		const leads = this.#leads;
		this.#leads = undefined;
		leads?.close();
		this.#resign();
		this.#catching?.close();
		this.#bus.close();
		for (const { reject } of this.#asked.values())
			reject(new PublishError('unknown_outcome', 'no answer came: it may have been published or not'));
		this.#asked.clear();
		this.#tell('state', { state: 'closed', why: 'close() was called' });
	}

	/** @param {object} message */
	#say(message) {
		this.#bus.postMessage({ ...message, by: this.#id });
	}

	/** @returns {Promise<void>} settled when it leads no more */
	#lead() {
		this.#leads = new Connection(this.#base, { ...this.#options, since: this.cursor }, (type, fields) => {
			if (!this.#leads)
				return; // it closes
			const cursor = this.#leads.cursor;
			const message = { type: 'told', told: type, fields, cursor, transport: this.#leads.transport };
			this.#say(message);
			this.#take(message);
		});
		const silent = new Set(this.#others.keys());
		this.#bus.addEventListener('message', ({ data }) => silent.delete(data.by));
		setTimeout(() => { // who does not answer has closed without a word
			silent.forEach((id) => this.#others.delete(id));
			this.#follow();
		}, 5000);
		this.#caughtUp();
		this.#say({ type: 'leads' });
		this.#follow();
		for (const { message, resolve, reject } of this.#asked.values())
			this.#leads.publish(message.channel, message.data, message.key).then(resolve, reject);
		this.#asked.clear();
		return new Promise((resolve) => this.#resign = resolve);
	}

	/** As the leader: the channels of all. */
	#follow() {
		this.#leads?.setChannels([...new Set([...this.channels, ...[...this.#others.values()].flat()])]);
	}

	/** @param {any} message */
	#hear(message) {
		const { type, by } = message;
		if (type === 'who' || type === 'leads')
			this.#say({ type: 'channels', channels: this.channels });
		if (type === 'leads')
			this.#asked.forEach((asked) => this.#say(asked.message));
		else if (type === 'told' && !this.#leads)
			this.#follows(message);
		else if (type === 'answer')
			this.#answer(message);
		else if (type === 'channels' || type === 'left') {
			if (type === 'left')
				this.#others.delete(by);
			else
				this.#others.set(by, message.channels);
			this.#follow();
		} else if (this.#leads)
			this.#serve(message);
	}

	/** What the leader does for the others.
	 * @param {any} message */
	#serve({ type, online, channel, data, key, ref }) {
		if (type === 'wake')
			this.#leads?.wake(online);
		else if (type === 'who')
			this.#say({ type: 'told', told: 'state', fields: { state: this.#leads?.transport ? 'open' : 'connecting',
				why: 'another tab has the connection' }, cursor: this.cursor, transport: this.transport });
		else if (type === 'publish')
			this.#leads?.publish(channel, data, key).then((id) => this.#say({ type: 'answer', ref, id }),
				({ code, message }) => this.#say({ type: 'answer', ref, code, message }));
	}

	/** @param {{ ref: string, id?: string, code?: string, message?: string }} answer */
	#answer({ ref, id, code = '', message = '' }) {
		const asked = this.#asked.get(ref);
		this.#asked.delete(ref);
		if (id)
			asked?.resolve(id);
		else
			asked?.reject(new PublishError(code, message));
	}

	/** One that joins with `since` asks for what the leader had before.
	 * @param {any} message */
	#follows(message) {
		const { since } = this.#options;
		if (since && !this.#joined && message.cursor && this.channels.length) {
			const transports = this.#options.transports.slice(-1);
			this.#catching = new Connection(this.#base, { ...this.#options, transports, storage: null }, (told, fields) =>
				(told === 'message' || told === 'gap') && this.#take({ told, fields, cursor: undefined }));
			this.#catching.setChannels(this.channels);
			const target = parseCursor(message.cursor);
			const look = () => {
				const place = parseCursor(this.#catching?.cursor);
				if (place && target && this.#catching?.transport && (place.epoch !== target.epoch || place.seq >= target.seq))
					this.#caughtUp();
				else if (this.#catching)
					setTimeout(look, 50);
			};
			look();
		}
		this.#joined ||= Boolean(message.cursor);
		if (this.#catching)
			this.#later.push(message);
		else
			this.#take(message);
	}

	#caughtUp() {
		this.#catching?.close();
		this.#catching = undefined;
		this.#later.splice(0).forEach((message) => this.#take(message));
	}

	/** What the leader heard, in every tab.
	 * @param {any} message */
	#take({ told, fields, cursor, transport }) {
		if (transport !== undefined)
			this.#transport = transport;
		const isNew = told === 'message' ? this.#delivery.takeMessage(fields, 1, true) :
			told === 'gap' ? this.#delivery.takeGap(fields, 1, true) : true;
		this.#delivery.advance(cursor, 1, true);
		if (isNew && (!fields.channel || this.channels.includes(fields.channel)))
			this.#tell(told, fields);
	}
}
