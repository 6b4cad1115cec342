// One connection to a gateway: carries out the policy's actions over the transports.
import { addQuery } from './base.js';
import { nameChannels } from './channels.js';
import { getAge, getMoment, now } from './clock.js';
import { Delivery, UNVERIFIED, parseCursor } from './deliver.js';
import { Ledger } from './ledger.js';
import { Memory } from './memory.js';
import { Pace } from './pace.js';
import { Policy } from './policy.js';
import { Publisher } from './publisher.js';
import { Recovery, listObjects } from './recover.js';
import { isRefusal } from './source.js';
import { Tokens } from './token.js';
import { asLoss, ask, check } from './transports/request.js';

/** @typedef {import('./policy.js').PolicyEvent} PolicyEvent */
/** @typedef {import('./policy.js').OpenAction} OpenAction */
/** @typedef {import('./policy.js').Action} Action */
/** @typedef {import('./transports/request.js').Transport} Transport */
/** @typedef {import('./transports/request.js').Link} Link */
/** @typedef {import('./transports/request.js').Host} Host */
/** @typedef {{ id: number, action: OpenAction, link?: Link, number: number, since?: string,
 * 	place?: import('./deliver.js').Place, cursor?: string, reason?: string, placed: boolean,
 * 	ended: boolean, ledger?: Ledger, began?: string, verified?: string, token?: string,
 * 	backend?: string }} Record
 * 	One link. token: of its last request; since: the cursor at which it began; place, cursor: its
 * 	last position; ledger: absent if the gateway does not count; began: all above this has come, if
 * 	the counts agree; verified: up to here nothing was missing then; backend: its reported state */
/** @typedef {(type: string, fields: any) => void} Tell */

const ASK_MS = 5000; // for an answer of the gateway to a plain question
const GIVEN_UP = ['bad_channel', 'too_many_channels', 'forbidden'];
const SOON_MS = 100; // to the next connection, when it was not the transport that failed

export class Connection {
	/** @type {Map<number, Record>} */
	#records = new Map();
	/** @type {Record | undefined} */
	#used;
	#switching = false;
	#policy;
	#delivery;
	#publisher;
	#recovery;
	#memory;
	#tokens;
	#options;
	#base;
	#tell;
	/** @type {(() => void) | undefined} */
	#goOn; // asks for a token at once: nothing is connected without one
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#askTimer;
	#version = 0; // of the list of channels
	#links = 0;
	/** @type {Map<string, Pace>} */
	#paces = new Map();
	#running = false;
	#isEnded = false;
	/** @type {string | undefined} */
	backend; // of the gateway: its state as told last
	/** @type {{ message: number, channels: number } | undefined} */
	limits; // as the gateway has told them
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;

	/** @param {URL} base @param {any} options of Sluice, complete
	 * @param {Tell} tell takes what Sluice has events for */
	constructor(base, options, tell) {
		this.#base = base;
		this.#options = options;
		this.#tell = tell;
		this.channels = /** @type {string[]} */ ([]);
		this.covered = this.channels; // what the cursor holds for
		this.#delivery = new Delivery(options.since);
		this.#memory = new Memory(base.href, options.storage);
		const { transports, heartbeat, hold, timings: times, token, tokens } = options;
		const names = transports.map((/** @type {Transport} */ { name }) => name);
		const known = this.#memory.read(now());
		this.#policy = new Policy({ transports: names, known, heartbeat, hold, times });
		this.#tokens = /** @type {Tokens} */ (tokens ?? new Tokens(token));
		const fetch = this.#fetchAgain.bind(this);
		this.#recovery = new Recovery(fetch, (params) =>
			this.#url('poll', { ...nameChannels(this.channels), since: this.verified, ...params }));
		this.#publisher = new Publisher({
			way: () => this.#getWay(),
			epoch: () => this.#delivery.epoch,
			most: () => this.limits?.message,
			url: (channel, event) => this.#url('publish', { channel, event }),
			fetch,
			doubt: () => this.wake(),
			limited: (message, wait) => tell('error', { code: 'rate_limited', message, wait }),
		});
	}

	get cursor() {
		return this.#delivery.cursor;
	}

	/** Up to where nothing is missing. */
	get verified() {
		return this.#delivery.verified;
	}

	get transport() {
		return this.#policy.current;
	}

	/** @param {string[]} channels */
	setChannels(channels) {
		const added = channels.filter((name) => !this.channels.includes(name));
		const removed = this.channels.filter((name) => !channels.includes(name));
		if (!added.length && !removed.length)
			return;
		this.channels = channels;
		this.#version++;
		this.#delivery.join(added);
		if (channels.length && this.#running) {
			for (const { link } of this.#records.values())
				link?.change(added, removed);
			if (this.#policy.isRefused) // perhaps for one of those that are removed
				this.wake();
		} else if (channels.length) {
			this.#running = true;
			this.#tokens.watch({ onNew: () => this.#renew(),
				onLack: (lack) => this.#tellLack(lack) });
			this.#start();
		} else {
			this.#stop();
			this.#tell('state', { state: 'idle', why: 'there are no channels' });
		}
	}

	/** @param {import('./publisher.js').Publication} publication */
	publish(publication) {
		return this.#publisher.publish(publication);
	}

	/** @param {boolean} [online] */
	wake(online) {
		if (!this.#running)
			return;
		this.#tokens.wake();
		if (this.#goOn)
			this.#goOn();
		else
			this.#step({ type: 'wake', online });
	}

	close() {
		this.#stop();
		this.#publisher.close();
		this.#tell('state', { state: 'closed', why: 'close() was called' });
	}

	#stop() {
		this.#running = false;
		this.#tokens.stop();
		this.#goOn = undefined;
		clearTimeout(this.#askTimer);
		this.#step({ type: 'stop' });
		this.#used = undefined;
	}

	/** How to publish: by a socket's send(); null: by POST; undefined: a link has to open first. */
	#getWay() {
		if (this.#used)
			return this.#used.link?.send ?? null;
		return this.channels.length && !this.#policy.isRefused ? undefined : null;
	}

	/* ---- the token ---- */

	#start() {
		if (this.#tokens.isReady)
			return this.#step({ type: 'start' });
		this.#tell('state', { state: 'connecting', why: '' });
		this.#await(() => this.#tokens.get());
	}

	/** Starts when there is a token, however often the function has failed.
	 * @param {() => Promise<string>} get */
	async #await(get) {
		clearTimeout(this.#askTimer);
		const goOn = this.#goOn = () => void this.#await(get);
		/** @type {import('./token.js').Refusal | undefined} */
		const lack = await get().then(() => undefined, (refusal) => refusal);
		if (goOn !== this.#goOn)
			return;
		if (lack?.code === 'no_token') {
			this.#tellLack(lack);
			this.#tell('state', { state: 'waiting', why: lack.why, wait: lack.retry });
			this.#askTimer = setTimeout(goOn, lack.retry);
			return;
		}
		this.#goOn = undefined;
		if (lack)
			this.#end(lack);
		else
			this.#step({ type: 'start' });
	}

	/** @param {import('./token.js').Refusal} lack */
	#tellLack({ code, why }) {
		this.#tell('error', { code, message: why });
	}

	/** The gateway refused a link's token: gets a new one. A link in use goes on meanwhile.
	 * @param {string | undefined} token @param {import('./token.js').Refusal} refusal */
	#refuse(token, refusal) {
		const get = () => this.#tokens.renew(token, refusal);
		if (this.#used)
			get().catch((lack) =>
				lack.code === 'no_token' ? this.#tellLack(lack) : this.#end(lack));
		else if (!this.#goOn) {
			this.#step({ type: 'hold', why: refusal.why });
			this.#await(get);
		}
	}

	/** The link in use was opened with an older token. */
	#renew() {
		if (this.#used && this.#used.token !== this.#tokens.current)
			this.#step({ type: 'renew' });
	}

	/** No token helps.
	 * @param {import('./token.js').Refusal} refusal */
	#end(refusal) {
		if (this.#isEnded)
			return;
		this.#isEnded = true;
		this.#stop();
		this.#publisher.close();
		if (this.#options.onEnd)
			return this.#options.onEnd(refusal);
		this.#tellLack(refusal);
		this.#tell('state', { state: 'closed', why: refusal.why });
	}

	/** fetch() with the token.
	 * @param {any} url @param {any} [init] */
	#fetch(url, init) {
		const { fetch } = this.#options;
		const { current } = this.#tokens;
		return current === undefined ? fetch(url, init) : fetch(url,
			{ ...init, headers: { ...init?.headers, Authorization: `Bearer ${current}` } });
	}

	/** fetch() for requests that belong to no link. If the gateway refuses the token, it retries
	 * once with a new one.
	 * @param {any} url @param {any} [init]
	 * @returns {Promise<Response>} */
	async #fetchAgain(url, init) {
		const tokens = this.#tokens;
		for (let isSecond = false; ; isSecond = true) {
			if (tokens.isGiven)
				await tokens.get();
			const token = tokens.current;
			const response = await this.#fetch(url, init);
			if (response.ok && response.headers.get('Sluice') !== null)
				tokens.accept(token);
			if (!tokens.isGiven || response.status !== 401)
				return response;
			const refusal = await check(response.clone()).then(() => undefined, (error) => error);
			if (!isRefusal(refusal.code))
				return response;
			const lack = await tokens.renew(token, refusal).then(() => undefined, (error) => error);
			if (lack && lack.code !== 'no_token') // the request's own end comes first
				setTimeout(() => this.#end(lack));
			if (lack || isSecond)
				throw lack ?? refusal;
		}
	}

	/* ---- the policy ---- */

	/** @param {PolicyEvent} event */
	#step(event) {
		for (const action of this.#policy.step(event, now()))
			this.#do(action);
		clearTimeout(this.#timer);
		const { next } = this.#policy;
		if (next < Infinity) {
			const wait = Math.max(0, next - now());
			const began = getMoment();
			this.#timer = setTimeout(() => // much too late: the machine slept
				this.#step({ type: getAge(began) > wait + 5000 ? 'wake' : 'tick' }), wait);
		}
	}

	/** @param {Action} action */
	#do(action) {
		if (action.do === 'open')
			this.#open(action);
		else if (action.do === 'close')
			this.#close(action.attempt, action.why);
		else if (action.do === 'check')
			this.#records.get(action.attempt)?.link?.check();
		else if (action.do === 'use')
			this.#use(action);
		else if (action.do === 'remember')
			this.#memory.write(action.known, now());
		else if (action.do === 'diagnose')
			this.#diagnose(action.transport);
		else if (action.do === 'ask')
			this.#ask();
		else if (action.do === 'state')
			this.#tell('state', action);
	}

	/** @param {string} wanted
	 * @returns {Transport} */
	#find(wanted) {
		return this.#options.transports.find(
			(/** @type {Transport} */ { name }) => name === wanted);
	}

	/** Reports what blocks a transport as soon as that is known, even after the switch.
	 * @param {string} transport */
	async #diagnose(transport) {
		const host = this.#createHost();
		const why = await this.#find(transport).diagnose?.(host).catch(() => undefined);
		if (why && this.#running) {
			this.#step({ type: 'diagnosed', transport, why });
			this.#tell('error', { transport, code: 'blocked', message: why });
		}
	}

	/** Asks over plain HTTP: no transport in the list can see why it was refused. */
	async #ask() {
		const token = this.#tokens.current;
		const loss = await this.#askBy('GET') ?? await this.#askBy('POST') ??
			{ why: 'the gateway answers, but no transport in the list works' };
		if (!this.#running || this.#goOn)
			return;
		if (isRefusal(loss.code))
			return this.#refuse(token, /** @type {any} */ (loss));
		const refused = this.#giveUpChannels(loss);
		if (loss.status)
			this.#tell('error', { code: loss.code ?? 'lost', message: loss.why + refused,
				wait: loss.retry });
		this.#step(refused ? { type: 'wake' } : { ...loss, type: 'answered' });
		this.#publisher.flush();
	}

	/** @param {string} method a GET does not always say the page's origin, which may be refused
	 * @returns {Promise<import('./policy.js').Loss | undefined>} */
	async #askBy(method) {
		const host = this.#createHost();
		try {
			const url = host.url('poll', { wait: 0 });
			(await ask(host.fetch, url, ASK_MS, method)).body?.cancel();
		} catch (/** @type {any} */ error) {
			return error?.status === 405 ? undefined : asLoss(error, '');
		}
	}

	/** @param {OpenAction} action */
	#open(action) {
		/** @type {Record} */
		const record = { id: action.attempt, action, reason: action.reason, number: 0,
			placed: false, ended: false };
		this.#records.set(record.id, record);
		this.#connect(record);
	}

	/** @param {Record} record */
	#connect(record) {
		record.number = ++this.#links;
		record.placed = false;
		record.ledger = undefined;
		const host = this.#createHost(record);
		host.start(() => {
			record.began = record.since = this.#delivery.since;
			record.token = this.#tokens.current;
			try {
				record.link = this.#find(record.action.transport).open(host);
			} catch (error) {
				setTimeout(host.lost, 0, { why: String(error) }); // never in the middle of a step
			}
		});
	}

	/** @param {string} transport */
	#pace(transport) {
		const pace = this.#paces.get(transport) ?? new Pace();
		this.#paces.set(transport, pace);
		return pace;
	}

	/** @param {number} id @param {string} [why] nobody else has said */
	#close(id, why) {
		const record = this.#records.get(id);
		this.#records.delete(id);
		if (record) {
			record.ended = true;
			record.link?.close();
			if (record === this.#used)
				this.#used = undefined;
			if (why)
				this.#tell('error',
					{ transport: record.action.transport, code: 'lost', message: why });
		}
	}

	/** @param {import('./policy.js').UseAction} action */
	#use({ attempt, from, to, why, reason }) {
		this.#used = this.#records.get(attempt);
		if (this.#used)
			this.#used.reason = reason;
		this.#used?.link?.use?.();
		this.#switching = true;
		if (from !== to || reason) // not where a new link took the place of one like it
			this.#tell('transport', { from, to, why });
		this.#tellBackend(this.#used);
		this.#publisher.flush();
		setTimeout(() => {
			if (this.#used)
				this.#settle(this.#used);
			this.#renew();
		});
	}

	/** Reports the backend's state. A gateway sends it right after `open` and when it changes.
	 * Polls do not have it: with them the state is `back`.
	 * @param {Record} [record] in use */
	#tellBackend(record) {
		const state = record?.backend ?? 'back';
		if (state !== this.backend)
			this.#tell('backend', { state: this.backend = state });
	}

	/** Ends a switch when the new link has delivered all that the old ones have.
	 * @param {Record} record */
	#settle(record) {
		if (!this.#switching || record !== this.#used || !record.place ||
			record.place.epoch !== this.#delivery.epoch || record.place.seq < this.#delivery.top)
			return;
		this.#switching = false;
		this.#step({ type: 'caughtup', attempt: record.id });
	}

	/* ---- what the transports say ---- */

	/** @param {string} path @param {object} params */
	#url(path, params) {
		return addQuery(new URL(path, this.#base), { ...this.#options.params, ...params });
	}

	/** Of a request for messages.
	 * @param {Record} record @param {string} path */
	#getParams(record, path) {
		record.token = this.#tokens.current;
		if (path === 'ticket')
			return nameChannels(this.channels);
		return { ...nameChannels(this.channels), since: this.#delivery.since,
			verify: path === 'poll' ? undefined : 1, n: ++this.#links,
			reason: this.#takeReason(record, path) };
	}

	/** The reason goes once, with the request that begins the use. A socket is used on the
	 * connection on which it proved itself.
	 * @param {Record} record @param {string} path */
	#takeReason(record, path) {
		if (path !== 'ws' && record !== this.#used)
			return undefined;
		const { reason } = record;
		record.reason = undefined;
		return reason;
	}

	/** @param {Record} record without one, for a question that is no link's
	 * @returns {Host} */
	#createHost(record = /** @type {any} */ ({ action: {}, ended: true })) {
		const self = this;
		const { number } = record;
		const { WebSocket, EventSource, pollInterval: interval } = this.#options;
		const { transport } = record.action;
		const isOver = () => record.ended || record.number !== number;
		return {
			fetch: (url, init) => this.#fetch(url, init), WebSocket, EventSource, interval,
			get token() { return self.#tokens.current; },
			get version() { return self.#version; },
			get heartbeat() { return record.action.heartbeat; },
			get hold() { return self.#policy.patience.hold; },
			url: (path, params) => self.#url(path, path.startsWith('probe') ? params ?? {} :
				{ ...self.#getParams(record, path), ...params }),
			start: (then) => self.#pace(transport).start(() => isOver() || then()),
			stage: (stage) => isOver() || self.#step({ type: 'stage', attempt: record.id, stage }),
			alive: () => isOver() || self.#step({ type: 'alive', attempt: record.id }),
			checked: () => isOver() || self.#step({ type: 'checked', attempt: record.id }),
			take: (object, version) => !isOver() && self.#take(record, object, version),
			warn: (code, message) => isOver() || self.#tell('error', { transport, code, message }),
			lost: (loss) => isOver() || self.#lose(record, loss),
			replace: () => isOver() || self.#replace(record),
		};
	}

	/** @param {Record} record @param {import('./policy.js').Loss} loss */
	#lose(record, loss) {
		const { retry: wait } = loss;
		this.#close(record.id);
		if (!loss.damaged && record.ledger?.unverified && record.verified === this.verified) {
			this.#delivery.cut();
			this.#recover();
		}
		if (isRefusal(loss.code)) {
			if (this.#used)
				this.#step({ ...loss, type: 'lost', attempt: record.id, excused: true });
			return this.#refuse(record.token, /** @type {any} */ (loss));
		}
		const refused = this.#giveUpChannels(loss);
		if (refused)
			loss = { ...loss, why: loss.why + refused, retry: SOON_MS };
		else if (loss.code === 'too_large' &&
			this.#publisher.refuseLargest(record.link?.send, loss.why))
			loss = { ...loss, retry: SOON_MS }; // the transport is not to blame
		this.#tell('error', { transport: record.action.transport, code: loss.code ?? 'lost',
			message: loss.why, wait });
		this.#step({ ...loss, type: 'lost', attempt: record.id });
		this.#publisher.flush();
	}

	/** The link lacks channels that the gateway did not accept. A new link with all of them begins
	 * at the position, beside this one if it is in use, so that no message is missed.
	 * @param {Record} record */
	#replace(record) {
		if (record === this.#used)
			this.#step({ type: 'renew' });
		else
			this.#lose(record, { why: 'its channels have changed', retry: SOON_MS });
	}

	/** Polls for messages that may be missing above the verified cursor. */
	#recover() {
		const version = this.#version;
		const action = /** @type {any} */ ({ transport: 'poll' });
		/** @type {Record} */
		const record = { id: 0, action, number: ++this.#links, since: this.verified, placed: true,
			ended: false };
		this.#recovery.run((answer) => {
			for (const object of listObjects(answer))
				if (this.#running)
					this.#take(record, object, version);
		}, () => this.#delivery.accept());
	}

	/** Gives up the channels that the gateway refuses beside those that it has accepted.
	 * @param {{ code?: string }} loss
	 * @returns {string} in words, '' for none */
	#giveUpChannels({ code = '' }) {
		const taken = this.channels.filter((name) => this.covered.includes(name));
		const others = this.channels.filter((name) => !taken.includes(name));
		if (!GIVEN_UP.includes(code) || !taken.length || !others.length)
			return '';
		this.setChannels(taken);
		return ` (channels given up: ${others.join(', ')})`;
	}

	/** @param {Record} record @param {any} object @param {number} version
	 * @returns {boolean} whether it is a message or gap that is new */
	#take(record, object, version) {
		const { number } = record;
		this.#tokens.accept(record.token);
		this.limits = object.limits ?? this.limits;
		const used = record === this.#used;
		const cursor = object.id && object.channel ? object.id : object.cursor;
		const { epoch, cursor: before } = this.#delivery;
		if (cursor && !this.#place(record, cursor))
			return false;
		if (object.type === 'open') {
			record.ledger = typeof object.sent === 'number' ? new Ledger() : undefined;
			record.began = cursor;
			record.backend = undefined;
			record.verified = this.verified;
			this.#step({ type: 'alive', attempt: record.id, heartbeat: object.heartbeat });
		} else {
			if (object.type === 'backend')
				record.backend = object.state;
			if (used)
				this.#tellBackend(record);
		}
		record.ledger?.take(object);
		const isGap = object.type === 'gap';
		const news = isGap ? this.#delivery.takeGap(object, number, used) :
			object.channel && object.id && this.#delivery.takeMessage(object, number, used);
		if (version === this.#version)
			this.#delivery.advance(cursor, number, used);
		record.place = parseCursor(cursor) ?? record.place;
		record.cursor = cursor ?? record.cursor;
		const isOther = epoch && epoch !== this.#delivery.epoch;
		if (isOther)
			this.#tellGaps(object, before);
		if (news)
			this.#pace(record.action.transport).reset();
		if (news && this.channels.includes(object.channel))
			this.#tell(isGap ? 'gap' : 'message',
				news === 'late' ? { ...object, late: true } : object);
		if (object.type === 'ack' || object.type === 'error')
			this.#publisher.answer(object) || object.type === 'ack' ||
				this.#tell('error', { ...object, wait: object.retry });
		if (isOther)
			this.#publisher.flush();
		if (version === this.#version)
			this.#cover();
		this.#verify(record, object, version);
		this.#settle(record);
		return Boolean(news);
	}

	/** Restarts a link without `since` at the position, if it began too late.
	 * @param {Record} record @param {string} cursor its first
	 * @returns {boolean} whether the link goes on */
	#place(record, cursor) {
		const isLate = !record.placed && !record.since && this.#delivery.isLate(cursor);
		record.placed = true;
		if (isLate) {
			record.link?.close();
			this.#connect(record);
		}
		return !isLate;
	}

	/** Compares the messages with the gateway's count. Without a count (polls arrive whole),
	 * everything up to a cursor has come.
	 * @param {Record} record @param {any} object @param {number} version */
	#verify(record, { sent }, version) {
		const { ledger } = record;
		if (record.ended)
			return;
		const missing = ledger?.check(sent) ?? 0;
		if (!missing && version === this.#version && this.#delivery.isVerified(record.began))
			this.#delivery.verify(record.cursor);
		else if (!missing && version === this.#version)
			this.#recover();
		if (missing > 0 || (ledger && ledger.unverified > UNVERIFIED)) {
			this.#delivery.recover();
			this.#lose(record, { code: 'path_loses', demote: true, damaged: true,
				why: describeDamage(sent, missing) });
		}
		const lost = this.#delivery.limit();
		for (const channel of lost ? this.channels : [])
			this.#tell('gap', { type: 'gap', channel, ...lost });
	}

	#cover() {
		if (this.covered === this.channels || !this.cursor)
			return;
		this.covered = this.channels;
		this.#options.onCovered?.();
	}

	/** Another epoch is a gap for every channel, even if the link ends before it reports one.
	 * @param {any} object of the new epoch @param {string | undefined} after */
	#tellGaps(object, after) {
		for (const channel of this.channels) {
			const gap = { type: 'gap', channel, after, resumed: `${this.#delivery.epoch}-0` };
			if (!(object.type === 'gap' && object.channel === channel) &&
				this.#delivery.takeGap(gap, Infinity, true))
				this.#tell('gap', gap);
		}
	}
}

/** @param {any} sent @param {number} missing of them; below 1: the gateway's counts are missing */
function describeDamage(sent, missing) {
	if (missing > 0)
		return `the path loses messages: ${missing} of ${sent} did not arrive`;
	return `the path loses the gateway's counts: ${UNVERIFIED} messages are not verified`;
}
