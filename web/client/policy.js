// The fallback policy: which transport to try, when and why. Pure: no timers, no network. step()
// takes an event and the time, and returns actions; `next` is when a tick is due.
//
// An attempt is one link being tried or used. It is proven once it has passed its
// transport's gates.
import { Backoff } from './backoff.js';
import { gates } from './gates.js';
import { Patience } from './patience.js';

/** reason: why the gateway counts this use; absent for a link that replaces one of its kind
 * @typedef {{ do: 'open', attempt: number, transport: string, heartbeat?: number,
 * 	reason?: string }} OpenAction */
/** @typedef {{ do: 'close' | 'check', attempt: number, why?: string }} LinkAction */
/** @typedef {{ do: 'use', attempt: number, from: string | null, to: string, why: string,
 * 	reason?: string }} UseAction */
/** @typedef {{ do: 'state', state: string, why: string, wait?: number }} StateAction */
/** @typedef {{ do: 'remember', known: import('./memory.js').Known }} RememberAction */
/** @typedef {{ do: 'diagnose', transport: string }} DiagnoseAction */
/** Ask the gateway over plain HTTP. The event `answered` follows: with a status if the gateway
 * refuses, with an empty why if nothing answers.
 * @typedef {{ do: 'ask' }} AskAction */
/** @typedef {OpenAction | LinkAction | UseAction | StateAction | RememberAction | DiagnoseAction
 * 	| AskAction} Action */
/** @typedef {{ why: string, code?: string, status?: number, retry?: number, silent?: number,
 * 	size?: number, demote?: boolean, foreign?: boolean, damaged?: boolean,
 * 	excused?: boolean }} Loss
 * 	code: the gateway's; retry: ms that the gateway asks the client to wait; silent: ms without a
 * 	byte before the end; size: characters that the link carried; excused: the loss says nothing
 * 	about the transport; damaged: the path lost or altered data; foreign: another server answered */
/** hold: try nothing until `start`, and excuse what was refused in this race; renew: a link of the
 * same transport has to replace the one in use
 * @typedef {{ type: 'start' | 'tick' | 'stop' | 'renew' } | { type: 'wake', online?: boolean }
 * 	| { type: 'hold', why: string }
 * 	| { type: 'stage', attempt: number, stage: string }
 * 	| { type: 'alive', attempt: number, heartbeat?: number }
 * 	| { type: 'caughtup' | 'checked', attempt: number }
 * 	| { type: 'diagnosed', transport: string, why: string }
 * 	| { type: 'answered' } & Loss
 * 	| { type: 'lost', attempt: number } & Loss} PolicyEvent */
/** @typedef {{ id: number, name: string, began: number, at: number, passed: Map<string, number>,
 * 	gate: number, proven: boolean, alive: number, interval: number, survived: number,
 * 	used: number, renews: boolean }} Attempt */
/** @typedef {{ level: number, next: number, young: number, damaged: number, why: string,
 * 	blocked: number, refused?: boolean }} Entry */

export const times = {
	race: 500, // the head start of a transport before the next one
	silence: 2.5, // heartbeat intervals without a byte, then a link is dead
	check: 2000, // for the answer to a check
	retire: 5000, // the longest that two links run at once
	beside: 5000, // the most for a gate while another transport is in use
	refused: 60000, // before the next try when the gateway refuses the client; plus the backoff
	portal: 1500, // the most between tries while a login page answers, not the gateway
	young: 10000, // a link that ends earlier died young
	apart: 50, // open and mark are sent 150 ms apart; closer together, the path grouped them,
	heap: 1500, // which the client accepts if the mark came this soon
	promote: [30000, 120000, 600000, 1800000], // before a better transport is tried again
};

/** The client's times, in ms; `silence` is a number of heartbeat intervals.
 * @typedef {typeof times} Times */

const YOUNG = 3; // deaths in a row
const PORTAL_TRIES = 60;
const MUCH = 16000; // characters: what has carried so many for a second was cut by a limit

/** The gateway limits this client, whatever its transport: no transport is to blame.
 * @param {Loss} loss */
const isLimited = ({ code }) => code === 'rate_limited';

/** @param {string} name of a transport */
const isPolled = (name) => gates[name] === gates.poll;

export class Policy {
	/** @type {Map<number, Attempt>} */
	#attempts = new Map();
	/** @type {Map<string, Entry>} */
	#entries = new Map();
	/** @type {Attempt | undefined} */
	#current;
	/** @type {{ attempt: Attempt, until: number } | undefined} */
	#retiring;
	/** @type {string[]} */
	#queue = []; // of the race that is on
	#nextStart = Infinity;
	#waitUntil = Infinity;
	#checkUntil = Infinity;
	#began = 0; // the last race
	/** @type {Attempt | undefined} */
	#stale; // another is to take its place
	#staleNext = 0;
	#renewals;
	#count = 0;
	#from = /** @type {string | null} */ (null); // the transport used last
	#why = '';
	#suspects = new Set(); // lost before they had proved themselves, and nobody said why
	#isForeign = false; // somebody else answered in this race
	/** @type {Loss | undefined} */
	#answer; // of the gateway to a request of this race that failed
	#asked = false;
	#refused = false;
	#limited = ''; // the transport in use when the gateway limited us
	#least = 0; // ms: nothing is tried before
	#first;
	/** @type {Action[]} */
	#actions = [];

	/** @param {{ transports: string[], known?: import('./memory.js').Known, heartbeat?: number,
	 * 	hold?: number, times?: Partial<Times>, random?: () => number }} options in order, the
	 * 	best first; heartbeat and hold in s */
	constructor({ transports, known, heartbeat, hold, times: changed, random }) {
		this.names = transports;
		this.patience = new Patience({ heartbeat, hold }, known);
		this.times = { ...times, ...changed };
		this.backoff = new Backoff(random);
		this.#renewals = new Backoff(random);
		this.#first = known?.transport;
		for (const name of transports)
			this.#entries.set(name, { level: -1, next: 0, young: 0, damaged: 0, why: '',
				blocked: -Infinity });
	}

	/** The transport in use. */
	get current() {
		return this.#current?.name ?? null;
	}

	/** It waits since the gateway refuses what is asked of it, whatever the transport. */
	get isRefused() {
		return this.#refused && this.#waitUntil < Infinity;
	}

	/** When a tick is due, Infinity for never. */
	get next() {
		let next = Math.min(this.#nextStart, this.#waitUntil, this.#checkUntil,
			this.#retiring?.until ?? Infinity);
		for (const attempt of this.#attempts.values())
			next = Math.min(next, this.#deadline(attempt));
		if (this.#canPromote()) {
			if (this.#stale === this.#current)
				next = Math.min(next, this.#staleNext);
			for (const name of this.#better())
				next = Math.min(next, this.#entry(name).next);
		}
		return next;
	}

	/** @param {PolicyEvent} event @param {number} now ms
	 * @returns {Action[]} */
	step(event, now) {
		this.#actions = [];
		this.patience.forgetOld(now);
		const attempt = 'attempt' in event ? this.#attempts.get(event.attempt) : undefined;
		if (event.type === 'start')
			this.#race(now);
		else if (event.type === 'stop')
			this.#stop();
		else if (event.type === 'hold')
			this.#hold(event.why);
		else if (event.type === 'renew')
			this.#renew(now);
		else if (event.type === 'wake')
			this.#wake(now, event.online);
		else if (event.type === 'tick')
			this.#tick(now);
		else if (event.type === 'diagnosed')
			this.#entry(event.transport).why &&= event.why;
		else if (event.type === 'answered')
			this.#takeAnswer(event, now);
		else if (attempt && event.type === 'lost') {
			this.#entry(attempt.name).refused = true;
			this.#lose(attempt, event, now);
		}
		else if (attempt && event.type === 'checked')
			this.#checked(attempt, now);
		else if (attempt && event.type === 'caughtup')
			this.#retire(attempt);
		else if (attempt) {
			attempt.survived = Math.max(attempt.survived, now - attempt.alive);
			attempt.alive = now;
			if (event.type === 'alive')
				attempt.interval = event.heartbeat ? event.heartbeat * 1000 : attempt.interval;
			else if (event.type === 'stage')
				this.#pass(attempt, event.stage, now);
		}
		return this.#actions;
	}

	/* ---- trying ---- */

	/** @param {string} name */
	#entry(name) {
		return /** @type {Entry} */ (this.#entries.get(name));
	}

	/** @param {string | null} name */
	#rank(name) {
		return this.names.indexOf(/** @type {string} */ (name));
	}

	/** @param {string} name */
	#isTried(name) {
		return [...this.#attempts.values()].some((attempt) => attempt.name === name);
	}

	/** Those not known to be blocked first; the others after them, never left out.
	 * @param {number} now */
	#race(now) {
		if (now < this.#least)
			return this.#wait(this.#least - now, now);
		const first = this.#first;
		const value = (/** @type {string} */ name) =>
			name === first ? -1 : Number(this.#entry(name).next > now);
		this.#queue = this.names.filter((name) => !this.#isTried(name))
			.sort((a, b) => value(a) - value(b));
		this.#waitUntil = Infinity;
		this.#began = now;
		this.#isForeign = this.#asked = false;
		this.#answer = undefined;
		this.#setState('connecting', this.#why);
		this.#startNext(now);
	}

	/** @param {number} now */
	#startNext(now) {
		const name = this.#queue.shift();
		this.#nextStart = this.#queue.length ? now + this.times.race : Infinity;
		if (name)
			this.#open(name, false, now);
	}

	/** @param {string} name @param {boolean} promoted @param {number} now
	 * @param {boolean} [renews] */
	#open(name, promoted, now, renews = false) {
		const id = ++this.#count;
		this.#attempts.set(id, { id, name, began: now, at: now, passed: new Map(), gate: 0,
			proven: false, alive: now, interval: Infinity, survived: 0, used: 0, renews });
		const { heartbeat } = this.patience;
		this.#entry(name).refused = false;
		this.#actions.push({ do: 'open', attempt: id, transport: name, heartbeat,
			reason: renews ? undefined : this.#reason(name, promoted) });
	}

	/** Why a transport is used, as the gateway counts it (PROTOCOL.md, probing).
	 * @param {string} name @param {boolean} promoted */
	#reason(name, promoted) {
		const better = this.#better(name);
		if (this.names.length < 2)
			return 'only';
		if (promoted)
			return 'promoted';
		if (this.#from)
			return name === this.#limited ? undefined : 'died';
		if (!better.length)
			return 'first';
		if (name === this.#first)
			return 'remembered';
		return better.every((other) => this.#entry(other).refused) ? 'refused' : 'unproved';
	}

	/** @param {Attempt} attempt */
	#deadline(attempt) {
		// Longer only while there is nothing better to do.
		const most = this.#current ? this.times.beside : Infinity;
		if (!attempt.proven)
			return attempt.at + Math.min(gates[attempt.name][attempt.gate][1], most);
		return attempt === this.#current ?
			attempt.alive + this.times.silence * attempt.interval : Infinity;
	}

	/** @param {Attempt} attempt @param {string} stage @param {number} now */
	#pass(attempt, stage, now) {
		if (attempt.proven)
			return;
		if (!attempt.passed.has(stage))
			attempt.passed.set(stage, now);
		this.#ask();
		const { apart, heap } = this.times;
		const opened = attempt.passed.get('open') ?? now;
		if (stage === 'mark' && now - opened < apart && now - attempt.began > heap) {
			this.#give(attempt, { why: 'the stream arrives in groups, not as it is sent' }, now);
			return;
		}
		const list = gates[attempt.name];
		for (; attempt.gate < list.length; attempt.gate++) {
			const at = attempt.passed.get(list[attempt.gate][0]);
			if (at === undefined)
				break;
			attempt.at = Math.max(attempt.at, at);
		}
		if (attempt.gate === list.length)
			this.#prove(attempt, now);
	}

	/** @param {Attempt} attempt @param {number} now */
	#prove(attempt, now) {
		attempt.proven = true;
		const old = this.#current;
		const isLike = old?.name === attempt.name && attempt.renews;
		if (old && !isLike && this.#rank(attempt.name) >= this.#rank(old.name))
			return this.#close(attempt);
		this.#queue = [];
		this.#nextStart = this.#waitUntil = this.#checkUntil = Infinity;
		const reason = isLike ? undefined : this.#reason(attempt.name, Boolean(old));
		this.#limited = '';
		this.#first = undefined;
		if (this.#retiring)
			this.#retire();
		const why = this.#explain(attempt, old);
		this.#current = attempt;
		attempt.used = now;
		this.#entry(attempt.name).why = '';
		if (old)
			this.#retiring = { attempt: old, until: now + this.times.retire };
		for (const other of this.#attempts.values())
			if (!old && isPolled(other.name) && other !== attempt)
				other.at = now; // where connections take long, it may bring the first message
			else if (other !== attempt && other !== old &&
				this.#rank(other.name) >= this.#rank(attempt.name))
				this.#close(other);
		for (const name of this.#better())
			if (!this.#isTried(name) && this.#entry(name).next <= now)
				this.#entry(name).next = now + this.times.promote[0];
		this.#actions.push(
			{ do: 'use', attempt: attempt.id, from: this.#from, to: attempt.name, why, reason });
		this.#from = attempt.name;
		this.#why = '';
		this.#remember();
		this.#setState('open', why);
	}

	/** @param {Attempt} attempt @param {Attempt} [old] */
	#explain(attempt, old) {
		const blocked = this.#better(attempt.name)
			.filter((name) => this.#entry(name).why)
			.map((name) => `${name}: ${this.#entry(name).why}`).join('; ');
		if (old?.name === attempt.name)
			return `a new ${attempt.name} has replaced the old one`;
		if (old)
			return `${attempt.name} has proved itself and is better than ${old.name}`;
		return [...new Set([this.#why, blocked])].filter(Boolean).join('; ') ||
			`${attempt.name} was the first to prove itself`;
	}

	#remember() {
		if (this.#current)
			this.#actions.push({ do: 'remember',
				known: { transport: this.#current.name, ...this.patience.known } });
	}

	/** Has those looked into that were lost, once it is known that the gateway answers: one
	 * that is down is left alone. */
	#ask() {
		const answers = this.#current || [...this.#attempts.values()].some(({ passed }) =>
			passed.has('open') || passed.has('answer'));
		for (const name of answers ? this.#suspects : []) {
			this.#suspects.delete(name);
			this.#actions.push({ do: 'diagnose', transport: name });
		}
	}

	/* ---- losing ---- */

	/** Gives an attempt up that has not ended by itself.
	 * @param {Attempt} attempt @param {Loss} loss @param {number} now */
	#give(attempt, loss, now) {
		this.#actions.push({ do: 'close', attempt: attempt.id, why: loss.why });
		this.#lose(attempt, loss, now);
	}

	/** @param {Attempt} attempt */
	#close(attempt) {
		this.#attempts.delete(attempt.id);
		this.#actions.push({ do: 'close', attempt: attempt.id });
	}

	/** @param {Attempt} attempt @param {Loss} loss @param {number} now */
	#lose(attempt, loss, now) {
		this.#attempts.delete(attempt.id);
		const isExcused = loss.excused || (attempt.renews && this.#current);
		this.#obey(loss, now);
		if (!attempt.proven && loss.retry === undefined && !isExcused)
			this.#suspects.add(attempt.name);
		if (attempt === this.#retiring?.attempt)
			this.#retiring = undefined;
		else if (attempt === this.#current)
			this.#loseCurrent(attempt, loss, now);
		else if (this.#current && attempt.renews)
			this.#staleNext = now + this.#renewals.next(loss.retry);
		else if (this.#current && (loss.excused || isLimited(loss)))
			this.#entry(attempt.name).next = Math.max(now + this.times.promote[0], this.#least);
		else if (this.#current)
			this.#block(attempt.name, loss.why, now);
		else
			this.#loseRacer(attempt, loss, now);
		this.#ask();
	}

	/** @param {Attempt} attempt @param {Loss} loss @param {number} now */
	#loseCurrent({ name, used, survived }, loss, now) {
		const entry = this.#entry(name);
		const isYoung = now - used < ((loss.size ?? 0) < MUCH ? this.times.young : 1000);
		const planned = loss.retry !== undefined;
		const learned = !planned && this.patience.learn(name, loss.silent ?? 0, survived, now);
		this.#current = undefined;
		this.#checkUntil = Infinity;
		this.#limited = isLimited(loss) ? name : '';
		this.#why = `${name}: ${loss.why}`;
		entry.young = isYoung && !planned && !learned ? entry.young + 1 : 0;
		if (!isYoung) {
			this.backoff.reset();
			entry.level = loss.damaged ? entry.level : -1;
			entry.why = '';
		}
		const isDemoted = loss.demote || (loss.damaged && entry.damaged > 0);
		entry.damaged += loss.damaged ? 1 : 0;
		const isHopeless = name === 'longpoll' && this.patience.hold < 2;
		if (isHopeless)
			this.patience.forget(); // when its turn comes again, it is held as long as at first
		const isFrail = entry.young >= YOUNG;
		if (isDemoted || isFrail || isHopeless) {
			const flaw = isFrail ? 'it ended early several times' : 'held answers are cut off';
			this.#block(name, isDemoted ? loss.why : flaw, now);
			entry.young = 0;
		}
		if (this.#retiring) { // the one before still runs
			const { attempt } = this.#retiring;
			this.#retiring = undefined;
			if (attempt.name === name) { // the path took one like it before
				this.#stale = attempt;
				this.#staleNext = now + this.#renewals.next(loss.retry);
			} else if (planned)
				entry.next = now + (loss.retry ?? 0);
			else
				this.#block(name, loss.why, now);
			this.#current = attempt;
			this.#actions.push({ do: 'use', attempt: attempt.id, from: name, to: attempt.name,
				why: this.#why, reason: attempt.name === name ? undefined : 'died' });
			this.#from = attempt.name;
		} else if (planned || (isYoung && !isDemoted))
			this.#away(loss, now);
		else
			this.#race(now);
	}

	/** @param {Attempt} attempt @param {Loss} loss @param {number} now */
	#loseRacer({ name }, loss, now) {
		if (loss.retry !== undefined) { // the gateway itself sends us away: no other way helps
			this.#why = loss.why;
			this.#away(loss, now);
			return;
		}
		this.#isForeign ||= loss.foreign ?? false;
		if (loss.status)
			this.#answer ??= loss;
		this.#block(name, loss.why, now);
		if (this.#queue.length)
			this.#startNext(now);
		else if ([...this.#attempts.values()].every(({ name: other }) => isPolled(other)))
			this.#isDown(now);
	}

	/** Everything fails, but for polls that still wait: that tells nothing about any transport.
	 * @param {number} now */
	#isDown(now) {
		if (!this.#answer && !this.#asked && !this.names.some(isPolled)) {
			this.#asked = true; // a browser tells nobody how it was refused
			this.#actions.push({ do: 'ask' });
			this.#waitUntil = now + this.times.refused;
			return;
		}
		this.#asked = false;
		this.#why = this.#answer?.why ?? 'the gateway cannot be reached';
		for (const entry of this.#entries.values())
			Object.assign(entry, { level: -1, next: 0, why: '' });
		const { status = 0 } = this.#answer ?? {};
		this.#refused = status >= 400 && status < 500;
		const isPortal = this.#isForeign && this.backoff.tries < PORTAL_TRIES;
		const ms = this.backoff.next(0, isPortal ? this.times.portal : undefined);
		this.#wait(this.#refused ? this.times.refused + ms : ms, now, true);
	}

	/** @param {Loss} answer @param {number} now */
	#takeAnswer(answer, now) {
		if (!this.#asked)
			return;
		this.#isForeign ||= answer.foreign ?? false;
		if (answer.why && !answer.foreign)
			this.#answer = answer;
		if (answer.retry === undefined)
			return this.#isDown(now);
		this.#asked = false;
		this.#why = answer.why;
		this.#away(answer, now);
	}

	/** Waits as long as the gateway asks for, if it does.
	 * @param {Loss} loss @param {number} now */
	#away(loss, now) {
		if (isLimited(loss))
			this.#excuse();
		this.#obey(loss, now);
		this.#wait(this.backoff.next(loss.retry), now);
	}

	/** Opens nothing before the time that the gateway told.
	 * @param {Loss} loss @param {number} now */
	#obey(loss, now) {
		if (!isLimited(loss))
			return;
		this.#least = Math.max(this.#least, now + (loss.retry ?? 0));
		for (const entry of this.#entries.values())
			entry.next = Math.max(entry.next, this.#least);
	}

	/** What was refused since the last race began is not the transports' fault. */
	#excuse() {
		for (const entry of this.#entries.values())
			if (entry.blocked >= this.#began)
				Object.assign(entry, { level: Math.max(-1, entry.level - 1), next: 0, why: '' });
	}

	/** @param {number} ms @param {number} now @param {boolean} [keep] what is still being tried */
	#wait(ms, now, keep) {
		for (const attempt of keep ? [] : this.#attempts.values())
			this.#close(attempt);
		this.#queue = [];
		this.#suspects.clear();
		this.#nextStart = Infinity;
		this.#waitUntil = now + ms;
		this.#setState('waiting', this.#why, ms);
	}

	/** @param {string} name @param {string} why @param {number} now */
	#block(name, why, now) {
		const { promote } = this.times;
		const entry = this.#entry(name);
		entry.level = Math.min(entry.level + 1, promote.length - 1);
		entry.next = now + promote[entry.level];
		entry.why = why;
		entry.blocked = now;
	}

	/* ---- renewing ---- */

	/** @param {string} why */
	#hold(why) {
		if (!this.#current)
			this.#excuse();
		this.#why = why;
		this.#stop();
		this.#setState('connecting', why);
	}

	/** Polls ask anew each time: nothing has to take their place.
	 * @param {number} now */
	#renew(now) {
		const current = this.#current;
		if (current && isPolled(current.name))
			this.#actions.push({ do: 'check', attempt: current.id });
		else if (current && this.#stale !== current) {
			this.#stale = current;
			this.#staleNext = now;
		}
	}

	/* ---- time ---- */

	/** @param {number} now */
	#tick(now) {
		if (now >= this.#waitUntil)
			this.#race(now);
		if (now >= this.#checkUntil && this.#current)
			this.#give(this.#current,
				{ why: 'the connection was found dead', demote: false }, now);
		for (const attempt of [...this.#attempts.values()])
			if (this.#attempts.has(attempt.id) && now >= this.#deadline(attempt))
				this.#give(attempt, attempt.proven ? { why: 'heartbeats stopped', demote: true } :
					{ why: gates[attempt.name][attempt.gate][2] }, now);
		if (this.#retiring && now >= this.#retiring.until)
			this.#retire();
		if (now >= this.#nextStart)
			this.#startNext(now);
		if (this.#current && this.#stale === this.#current && now >= this.#staleNext &&
			this.#canPromote())
			this.#open(this.#current.name, false, now, true);
		if (this.#canPromote())
			for (const name of this.#better())
				if (now >= this.#entry(name).next && this.#canPromote())
					this.#open(name, true, now);
	}

	/** One at a time, and not while a switch is under way. */
	#canPromote() {
		return this.#current && !this.#retiring && this.#attempts.size === 1;
	}

	/** @param {string | null} [name] */
	#better(name = this.current) {
		return this.names.slice(0, Math.max(0, this.#rank(name)));
	}

	/** @param {Attempt} [attempt] the one that has caught up */
	#retire(attempt) {
		if (!this.#retiring || (attempt && attempt !== this.#current))
			return;
		this.#close(this.#retiring.attempt);
		this.#retiring = undefined;
		this.#renewals.reset();
	}

	/** @param {Attempt} attempt @param {number} now */
	#checked(attempt, now) {
		attempt.alive = now;
		if (attempt === this.#current)
			this.#checkUntil = Infinity;
	}

	/** @param {number} now @param {boolean} [online] the network may be another one */
	#wake(now, online) {
		if (online) {
			this.patience.forget();
			this.#entries.forEach((entry) => { entry.damaged = 0; });
			for (const name of this.#better())
				this.#entry(name).next = Math.max(now, this.#least);
		}
		if (this.#waitUntil < Infinity)
			this.#race(now);
		else if (this.#current && this.#checkUntil === Infinity) {
			this.#current.alive = now;
			this.#checkUntil = now + this.times.check;
			this.#actions.push({ do: 'check', attempt: this.#current.id });
		}
	}

	#stop() {
		for (const attempt of this.#attempts.values())
			this.#close(attempt);
		this.#current = this.#retiring = this.#stale = undefined;
		this.#asked = false;
		this.#queue = [];
		this.#suspects.clear();
		this.#nextStart = this.#waitUntil = this.#checkUntil = Infinity;
	}

	/** @param {string} state @param {string} why @param {number} [wait] */
	#setState(state, why, wait) {
		this.#actions.push({ do: 'state', state, why, wait });
	}
}
