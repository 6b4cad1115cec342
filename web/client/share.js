// One connection for all tabs of an origin. The tab that holds the lock leads: it has the
// connection for the channels of all tabs, and repeats every event to the others. When it closes,
// the browser gives the lock to the next tab, which resumes at the same cursor. When it is silent,
// because it hangs or was frozen, another tab takes the lock from it.
import { MOST } from './channels.js';
import { now } from './clock.js';
import { Connection } from './connection.js';
import { Delivery, isHigher } from './deliver.js';
import { createKey } from './transports/request.js';
import { LIMIT_MS, PublishError } from './publisher.js';

const TICK_MS = 1000; // and up to as much again, so that not all ask at once
const SILENCE_MS = 2500; // then the leader is asked
const ASKS = 2; // in vain, and it leads no more
const LAST_WORDS_MS = 50; // of a leader that has gone may come so late
const ANSWER_MS = LIMIT_MS + 5000; // the leader's own answer to a publish comes first

/** @typedef {import('./connection.js').Tell} Tell */
/** An event that the leader repeats. before, cursor: the cursors before and after it; covered: the
 * channels for which they hold; verified: up to where nothing is missing; over: the channels for
 * which there is no room.
 * @typedef {{ told: string, fields: any, term: number, before?: string, cursor?: string,
 * 	verified?: string, covered: string[], over: string[], limits: Connection['limits'],
 * 	transport: string | null, backend?: string }} Told */

export class Shared {
	static get isPossible() {
		return Boolean(globalThis.navigator?.locks && globalThis.BroadcastChannel);
	}

	#id = createKey();
	#base;
	#options;
	#tell;
	#delivery;
	#name = '';
	/** @type {BroadcastChannel | undefined} */
	#bus; // none before it is known whose tab this is
	#closed = false;
	#abort = new AbortController();
	#resign = () => {};
	/** @type {Connection | undefined} */
	#leads;
	#term = 0; // when the present leader began
	#told = /** @type {string | undefined} */ (undefined); // the cursor told last
	#state = { state: 'idle', why: '' };
	#heard = now(); // the leader
	#asks = 0;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;
	/** @type {Map<string, string[]>} */
	#others = new Map(); // whose channels
	#covered = /** @type {string[]} */ ([]); // what the leader has told last
	#wanted = /** @type {string[]} */ ([]); // as the leader: the channels of all
	#lacks = /** @type {string[]} */ ([]); // those of this tab that there is no room for
	/** @type {Connection['limits']} */
	limits;
	/** @type {Connection | undefined} */
	#catching; // up with the leader
	#later = /** @type {Told[]} */ ([]); // what the leader says meanwhile
	/** @type {Map<string, { message: any, resolve: (id: string) => void,
	 * 	reject: (error: Error) => void, timer: ReturnType<typeof setTimeout> }>} */
	#asked = new Map();
	#count = 0;
	#transport = /** @type {string | null} */ (null);

	/** @param {URL} base @param {any} options @param {Tell} tell */
	constructor(base, options, tell) {
		this.#base = base;
		this.#options = options;
		this.#tell = tell;
		this.#delivery = new Delivery(options.since);
		this.channels = /** @type {string[]} */ ([]);
		if (options.shareKey !== undefined || options.tokens.isReady)
			this.#join();
		else
			this.#identify();
	}

	/** Asks for the token that says whose tab this is. */
	#identify() {
		clearTimeout(this.#timer);
		this.#options.tokens.get().then(() => this.#bus || this.#join(),
			(/** @type {import('./token.js').Refusal} */ { code, why, retry }) => {
				if (this.#closed || this.#bus)
					return;
				this.#tell('error', { code, message: why });
				this.#tell('state', { state: 'waiting', why, wait: retry });
				this.#timer = setTimeout(() => this.#identify(), retry);
			});
	}

	#join() {
		if (this.#closed)
			return;
		// The 2 keeps tabs apart that have loaded a client whose messages are others.
		const { params, shareKey, tokens } = this.#options;
		this.#name = `sluice 2 ${this.#base.href} ` +
			`${encodeURIComponent(shareKey ?? tokens.subject)} ${new URLSearchParams(params)}`;
		this.#bus = new BroadcastChannel(this.#name);
		this.#bus.onmessage = ({ data }) => this.#hear(data);
		this.#heard = now();
		this.#repeat();
		this.#stand();
		this.#watch();
	}

	get cursor() {
		return this.#delivery.cursor;
	}

	get transport() {
		return this.#transport;
	}

	/** @param {string[]} channels */
	setChannels(channels) {
		this.#delivery.join(channels.filter((name) => !this.channels.includes(name)));
		this.channels = channels;
		this.#say({ type: 'channels', channels });
		this.#follow();
	}

	/** @param {import('./publisher.js').Publication} publication
	 * @returns {Promise<string>} */
	publish(publication) {
		return new Promise((resolve, reject) => {
			const ref = `${this.#id} ${++this.#count}`;
			const timer = setTimeout(() => this.#answer({ ref }), ANSWER_MS);
			// What the next leader is told: this one may have published it.
			const message = { type: 'publish', ref,
				publication: { ...publication, unsure: true, epoch: this.#delivery.epoch } };
			this.#asked.set(ref, { message, resolve, reject, timer });
			if (this.#leads)
				this.#serve({ ...message, publication });
			else
				this.#say({ ...message, publication });
		});
	}

	/** @param {boolean} [online] */
	wake(online) {
		if (this.#leads)
			return this.#leads.wake(online);
		if (!this.#bus) {
			this.#options.tokens.wake();
			return this.#identify();
		}
		this.#say({ type: 'wake', online });
		this.#heard = 0;
		this.#asks = ASKS;
		this.#watch();
	}

	/** @param {string} [why] */
	close(why = 'close() was called') {
		this.#closed = true;
		this.#say({ type: 'left' });
		this.#abort.abort();
		clearTimeout(this.#timer);
		this.#drop();
		this.#resign();
		this.#bus?.close();
		for (const ref of this.#asked.keys())
			this.#answer({ ref });
		this.#tell('state', { state: 'closed', why });
	}

	/** The gateway refuses the token of this tab; other tabs have their own.
	 * @param {import('./token.js').Refusal} refusal */
	#end({ code, why }) {
		this.#tell('error', { code, message: why });
		this.close(why);
	}

	/** @param {any} message */
	#say(message) {
		if (!this.#closed || message.type === 'left')
			this.#bus?.postMessage({ ...message, by: this.#id });
	}

	/* ---- who leads ---- */

	/** Waits for its turn to lead, or takes it.
	 * @param {boolean} [steal] */
	#stand(steal) {
		this.#abort.abort();
		const { signal } = this.#abort = new AbortController();
		const how = steal ? { steal } : { signal };
		navigator.locks.request(this.#name, how, () => this.#lead()).catch(({ name }) => {
			if (signal.aborted)
				return;
			if (name !== 'AbortError')
				return this.#lead(); // there are no locks to be had here
			this.#drop(); // another has taken it
			this.#stand();
			this.#repeat();
		});
	}

	/** Checks that a tab still leads. */
	#watch() {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			const isSilent = !this.#leads && now() - this.#heard > SILENCE_MS;
			if (isSilent && this.#asks++ >= ASKS)
				this.#stand(true);
			else if (isSilent)
				this.#say({ type: 'who' });
			this.#watch();
		}, TICK_MS * (1 + Math.random()));
	}

	/** Leads from now on.
	 * @returns {Promise<void>} settled when this tab no longer leads */
	async #lead() {
		if (this.#closed)
			return;
		this.#drop();
		this.#term = Math.max(this.#term + 1, now());
		this.#told = this.cursor;
		const options = { ...this.#options, since: this.#delivery.verified,
			onCovered: () => this.#repeatState(),
			onEnd: (/** @type {any} */ refusal) => leads === this.#leads && this.#end(refusal) };
		const leads = this.#leads = new Connection(this.#base, options,
			(type, fields) => leads === this.#leads && this.#pass(type, fields));
		const silent = new Set(this.#others.keys());
		this.#bus?.addEventListener('message', ({ data }) => silent.delete(data.by));
		setTimeout(() => { // who does not answer has closed without a word
			silent.forEach((id) => this.#others.delete(id));
			this.#follow();
		}, 5000);
		this.#say({ type: 'leads' });
		this.#follow();
		this.#asked.forEach(({ message }) => this.#serve(message));
		return new Promise((resolve) => this.#resign = resolve);
	}

	#drop() {
		const leads = this.#leads;
		this.#leads = undefined;
		leads?.close();
		this.#dropCatching();
	}

	#dropCatching() {
		this.#later = [];
		this.#catching?.close();
		this.#catching = undefined;
	}

	/** As the leader: subscribes to the channels of all tabs, as far as there is room, and first to
	 * those that it has. */
	#follow() {
		if (!this.#leads)
			return;
		const wanted = [...new Set([...this.channels, ...[...this.#others.values()].flat()])];
		const had = [...this.#leads.channels, ...this.#covered]
			.filter((name) => wanted.includes(name));
		const over = this.#over;
		this.#wanted = wanted;
		this.#leads.setChannels(
			[...new Set([...had, ...wanted])].slice(0, this.limits?.channels ?? MOST));
		if (over.join() !== this.#over.join())
			this.#repeatState();
	}

	/** As the leader: the channels that it does not have. */
	get #over() {
		const { channels = this.#wanted } = this.#leads ?? {};
		return this.#wanted.length === channels.length ? [] :
			this.#wanted.filter((name) => !channels.includes(name));
	}

	/** As the leader: to all tabs, this one too.
	 * @param {string} told @param {any} fields */
	#pass(told, fields) {
		const { cursor, verified, covered = [], transport = null } = this.#leads ?? {};
		const message = { type: 'told', told, fields, term: this.#term, before: this.#told, cursor,
			verified, covered, over: this.#over, limits: this.#leads?.limits ?? this.limits,
			transport, backend: this.#leads?.backend };
		this.#told = cursor;
		if (told === 'state')
			this.#state = fields;
		this.#say(message);
		this.#take(message);
	}

	#repeatState() {
		this.#pass('state', this.#state);
	}

	/* ---- what the others say ---- */

	/** @param {any} message */
	#hear(message) {
		const { type, by } = message;
		if (type === 'told' && !this.#leads)
			this.#follows(message);
		else if (type === 'leads')
			this.#repeat();
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

	/** Tells a new leader the channels and publishes of this tab. */
	#repeat() {
		this.#say({ type: 'channels', channels: this.channels });
		this.#asked.forEach(({ message }) => this.#say(message));
		this.#say({ type: 'who' });
	}

	/** What the leader does for the others.
	 * @param {any} message */
	#serve({ type, online, publication, ref }) {
		const leads = this.#leads;
		const answer = (/** @type {object} */ fields) => {
			if (leads !== this.#leads)
				return;
			this.#say({ type: 'answer', ref, ...fields });
			this.#answer({ ref, ...fields });
		};
		if (type === 'publish')
			leads?.publish(publication).then((id) => answer({ id }),
				({ code, message }) => answer({ code, message }));
		else
			this.#repeatState();
		if (type === 'wake')
			leads?.wake(online);
	}

	/** @param {{ ref: string, id?: string, code?: string, message?: string }} answer */
	#answer({ ref, id, code, message }) {
		const asked = this.#asked.get(ref);
		this.#asked.delete(ref);
		clearTimeout(asked?.timer);
		if (id)
			asked?.resolve(id);
		else
			asked?.reject(new PublishError(code, message));
	}

	/** Takes an event of the leader. A tab that missed something (it joined with `since`, or was
	 * frozen) catches up first.
	 * @param {Told} message */
	#follows(message) {
		const { term, told, fields, before, cursor } = message;
		if (term < this.#term) { // the last words of one that leads no more
			if (fields.channel && this.#isCovered(message) && !isBehind(this.cursor, before))
				this.#deliver(told, fields, cursor);
			return;
		}
		this.#term = term;
		this.#heard = now();
		this.#asks = 0;
		if (this.#later.push(message) > 1)
			return;
		if (this.channels.length && isBehind(this.cursor, before ?? cursor))
			setTimeout(() => this.#catchUp(), LAST_WORDS_MS);
		else
			this.#goOn();
	}

	/** @param {Told} message */
	#isCovered({ covered, over }) {
		return this.channels.every((name) => covered.includes(name) || over.includes(name));
	}

	#goOn() {
		const later = this.#later;
		this.#dropCatching();
		later.forEach((message) => this.#take(message));
	}

	/** Catches up by short polls of its own, until the leader's events cover its channels too. */
	#catchUp() {
		const [first] = this.#later;
		if (!first || this.#catching)
			return;
		if (!isBehind(this.cursor, first.before ?? first.cursor))
			return this.#goOn();
		const options = { ...this.#options, since: this.cursor, pollInterval: 200, storage: null,
			transports: this.#options.transports.slice(-1),
			onEnd: (/** @type {any} */ refusal) =>
				catching === this.#catching && this.#end(refusal) };
		const catching = this.#catching = new Connection(this.#base, options,
			(told, fields) => fields.channel && this.#deliver(told, fields));
		const look = () => {
			if (catching !== this.#catching)
				return;
			const reached = this.#later.find((message) => this.#isCovered(message));
			if (reached && catching.transport && !isBehind(catching.cursor, reached.cursor))
				this.#goOn();
			else
				setTimeout(look, 50);
		};
		catching.setChannels(this.channels);
		look();
	}

	/** @param {Told} message */
	#take({ told, fields, cursor, verified, covered, over, limits, transport, backend }) {
		this.#transport = transport;
		if (backend)
			this.#tell('backend', { state: backend });
		this.#covered = covered;
		this.limits = limits;
		this.#deliver(told, fields, cursor, verified);
		const lacks = this.channels.filter((name) => over.includes(name));
		const more = lacks.filter((name) => !this.#lacks.includes(name));
		this.#lacks = lacks;
		if (more.length)
			this.#tell('error', { code: 'too_many_channels', message: 'all tabs together have ' +
				`too many channels: no messages come from ${more.join(', ')}` });
	}

	/** @param {string} told @param {any} fields @param {string} [cursor]
	 * @param {string} [verified] */
	#deliver(told, fields, cursor, verified) {
		const news = told === 'gap' ? this.#delivery.takeGap(fields, 1, true) :
			told !== 'message' || this.#delivery.takeMessage(fields, 1, true);
		this.#delivery.advance(cursor, 1, true);
		this.#delivery.verify(verified);
		if (fields.code === 'path_loses')
			this.#delivery.recover();
		if (news && (!fields.channel || this.channels.includes(fields.channel)))
			this.#tell(told, news === 'late' ? { ...fields, late: true } : fields);
	}
}

/** @param {string | undefined} mine @param {string | undefined} other */
function isBehind(mine, other) {
	return Boolean(mine) && isHigher(other, mine);
}
