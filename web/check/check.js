// The check of a path, without a page: which transports work, how well, and what to ask for. Its
// result is a report.
import { createWay, gather, judge, watchIdle } from '../client/diagnose.js';
import { now } from '../client/ask.js';
import { toBase } from '../client/base.js';
import { isNoAccess } from '../client/explain.js';
import { borrow } from './channel.js';
import { Guard } from './guard.js';
import { buildReport, findBase, withoutAddresses } from './report.js';
import { measure } from './rounds.js';

export { decodeCode, encodeCode } from './code.js';
export { computeClean } from './clean.js';
export { writeText } from './write.js';

/** @typedef {import('../client/ask.js').Way} Way */
/** @typedef {import('../client/verdict.js').Evidence} Evidence */
/** @typedef {import('../client/verdict.js').Facts} Facts */
/** @typedef {import('./report.js').Report} Report */
/** @typedef {import('./report.js').TransportReport} TransportReport */
/** How far a check is.
 * @typedef {object} Progress
 * @property {'channel' | 'paths' | 'round trips' | 'payloads' | 'silence' | 'done'} step
 * @property {number} done the share of the whole check, 0 to 1
 * @property {Record<string, TransportReport>} transports by name, as soon as something is known
 * @property {boolean} reports the gateway accepts reports
 * @property {Evidence[]} evidence of the diagnosis; empty before the step `round trips` */
/** The options of runCheck().
 * @typedef {object} Options
 * @property {boolean} [patient] also finds out when the network closes idle connections, which
 * 	takes a minute; default: false
 * @property {AbortSignal} [signal] ends the check, which then rejects with the signal's reason
 * @property {(progress: Progress) => void} [onProgress] called four times a second, and at each
 * 	step
 * @property {any} [WebSocket] null: there is none; default: the platform's
 * @property {any} [EventSource] the same
 * @property {typeof globalThis.fetch} [fetch] default: the platform's
 * @property {boolean} [streams] whether fetch can read an answer before it ends; default: found out
 * @property {any} [performance] tells the HTTP version of answers; default: the platform's */

const TOTAL_MS = 14000; // without patience
const CHANNEL_MS = 3000; // to wait for a channel, which may come later
const TICK_MS = 250;
const MESSAGE = 65536; // bytes, where the gateway does not say

/** For each step: where its share of the bar begins and ends, and how long it takes. */
const STEPS = /** @type {Record<string, { from: number, to: number, ms: number }>} */ ({
	channel: { from: 0, to: 0.04, ms: 1000 },
	paths: { from: 0.04, to: 0.4, ms: 5000 },
	'round trips': { from: 0.4, to: 0.85, ms: Infinity },
	payloads: { from: 0.85, to: 1, ms: Infinity },
	silence: { from: 0, to: 1, ms: 64000 },
});
const PATIENT_SHARE = 0.2; // of the bar, for what comes before the silence

/** @param {number} ms
 * @returns {Promise<undefined>} */
function sleep(ms) {
	return new Promise((done) => setTimeout(done, ms));
}

/** Reports how far the check is. The bar never goes back, and also moves during long steps. */
class Bar {
	#step = /** @type {Progress['step']} */ ('channel');
	#began = now();
	#share = 0; // of the step
	#done = 0;
	#options;
	#timer;
	reports = false;
	/** @type {Record<string, TransportReport>} */
	transports = {};
	/** @type {Evidence[]} */
	evidence = [];

	/** @param {Options} options */
	constructor(options) {
		this.#options = options;
		this.#timer = setInterval(() => this.#tell(), TICK_MS);
		this.#tell();
	}

	stop() {
		clearInterval(this.#timer);
	}

	/** @param {Progress['step']} step @param {number} [share] of it that is done */
	show(step, share = 0) {
		if (step !== this.#step)
			this.#began = now();
		this.#step = step;
		this.#share = share;
		this.#tell();
	}

	#tell() {
		const { patient, onProgress } = this.#options;
		const { from, to, ms } = STEPS[this.#step] ?? { from: 1, to: 1, ms: Infinity };
		const share = Math.max(this.#share, 1 - Math.exp(-2 * (now() - this.#began) / ms));
		const within = from + (to - from) * Math.min(1, share);
		const isLast = this.#step === 'silence' || this.#step === 'done';
		const [begin, end] = isLast ? [PATIENT_SHARE, 1] : [0, PATIENT_SHARE];
		this.#done = Math.max(this.#done, patient ? begin + (end - begin) * within : within);
		onProgress?.({ step: this.#step, done: this.#done, transports: this.transports,
			reports: this.reports, evidence: this.evidence });
	}
}

/** The HTTP version of answers, if the browser reports it.
 * @param {any} performance @param {string} base */
function readHttp(performance, base) {
	const entries = performance?.getEntriesByType?.('resource') ?? [];
	const own = entries.filter((/** @type {any} */ { name, nextHopProtocol }) =>
		name.startsWith(base) && nextHopProtocol);
	const name = String(own[own.length - 1]?.nextHopProtocol ?? '').toLowerCase();
	return /^[a-z0-9./-]{1,16}$/.test(name) ? name : '';
}

/** Whether the path allows one or two connections only; then transports are measured in turn.
 * @param {Facts} facts */
function hasFewConnections({ sse, stream, echo }) {
	return [sse, stream].some((one) => one.next?.silent || (one.echo?.silent && echo.good));
}

/** Whether the gateway refuses the channel, not the page.
 * @param {import('../client/explain.js').Answer} answer */
function wantsLeave(answer) {
	const { ours, status = 0 } = answer;
	return ours && [401, 403].includes(status) && !isNoAccess(answer);
}

/** One check: its parts in turn, and what they found. */
class Check {
	#began = now();
	#options;
	#base;
	#bar;
	#signal;
	#network;
	/** @type {import('./channel.js').Loan | undefined} */
	#loan;

	/** @param {string | URL} base @param {Options} options @param {AbortSignal} signal */
	constructor(base, options, signal) {
		const { WebSocket = globalThis.WebSocket, EventSource = globalThis.EventSource } = options;
		const fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
		this.#base = toBase(base);
		this.#options = options;
		this.#signal = signal;
		this.#network = new Guard({ fetch, WebSocket, EventSource }, signal).network;
		this.#bar = new Bar(options);
	}

	/** @returns {Promise<Report>} */
	async run() {
		try {
			return await this.#run();
		} finally {
			this.#bar.stop();
		}
	}

	stop() {
		this.#bar.stop();
	}

	/** @param {string} [channel] none: one of its own
	 * @returns {Way} */
	#createWay(channel) {
		const { streams } = this.#options;
		const { WebSocket = null, EventSource = null, fetch } = this.#network;
		return createWay(this.#base, { fetch, WebSocket: WebSocket ?? null, streams,
			EventSource: EventSource ?? null, channel });
	}

	async #run() {
		const { patient = false } = this.#options;
		const bar = this.#bar;
		const lent = borrow(this.#createWay()).then((loan) => {
			this.#loan = loan;
			bar.reports = loan.reports;
		});
		await Promise.race([lent, sleep(CHANNEL_MS)]);
		bar.show('paths');
		const { way, facts } = await this.#gather();
		facts.delay = this.#loan?.ms;
		const verdict = this.#judge(facts, {}, []);
		bar.evidence = verdict.verdict.evidence;
		bar.transports = verdict.report.transports;
		const { measured, posted } = await this.#measure(way, facts, verdict.verdict);
		if (patient && !this.#signal.aborted) {
			bar.show('silence');
			const { transports, choice } = verdict.report;
			const names = Object.keys(transports);
			const alive = names.filter((name) => transports[name].state !== 'dead');
			// Where few connections pass, they would only wait for each other.
			facts.idle = await watchIdle(way, facts,
				hasFewConnections(facts) ? [`${choice}`] : alive);
		}
		const { report, verdict: last } = this.#judge(facts, measured, posted);
		bar.evidence = last.evidence;
		bar.transports = report.transports;
		bar.show('done', 1);
		return report;
	}

	/** Uses the lent channel only if the gateway allows no other one. A diagnosis may need more
	 * connections than a lent channel has, since a proxy may notice late that a client has left.
	 * @returns {Promise<{ way: Way, facts: Facts }>} */
	async #gather() {
		const way = this.#createWay();
		const facts = await gather(way);
		const { channel } = this.#loan ?? {};
		if (!channel || !wantsLeave(facts.poll))
			return { way, facts: withoutAddresses(facts) };
		const lent = this.#createWay(channel);
		return { way: lent, facts: withoutAddresses(await gather(lent)) };
	}

	/** @param {Facts} facts @param {Record<string, import('./rounds.js').Measured>} measured
	 * @param {number[]} posted ms */
	#judge(facts, measured, posted) {
		const { patient = false, performance = globalThis.performance } = this.#options;
		const verdict = judge(facts);
		const report = buildReport({ facts, verdict, measured, posted, patient,
			refused: this.#loan?.refused, limit: this.#getLimit(facts), made: new Date(),
			seconds: (now() - this.#began) / 1000, http: readHttp(performance, this.#base.href) });
		return { verdict, report };
	}

	/** @param {Facts} facts
	 * @returns {number} bytes of a message */
	#getLimit({ gateway }) {
		return gateway.value?.limits?.message_bytes ?? MESSAGE;
	}

	/** @param {Way} way @param {Facts} facts
	 * @param {import('../client/verdict.js').Verdict} verdict */
	async #measure(way, facts, { transports }) {
		const { post, echo, sse, stream } = facts;
		const names = Object.keys(transports).filter((name) => transports[name].state !== 'dead');
		const posts = Boolean(echo.good || sse.echo?.good || stream.echo?.good);
		this.#bar.show('round trips');
		if (!posts && !names.includes('websocket')) // nobody publishes
			return { measured: {}, posted: [] };
		const { channel } = this.#loan ?? {};
		const asks = channel ? { ...this.#createWay(channel), echoes: way.echoes } : way;
		const { measured, meter } = await measure(asks, { names,
			base: findBase(facts) ?? 100, few: hasFewConnections(facts), posts,
			polls: Boolean(post?.good && !post.stale), limit: this.#getLimit(facts),
			until: this.#began + TOTAL_MS, signal: this.#signal,
			onStep: (step, done) => this.#bar.show(step, done) });
		return { measured, posted: meter.posted };
	}
}

/** Checks the path to a gateway: up to 15 s, with `patient` a minute more. Rejects with a TypeError
 * for a wrong URL. A gateway that cannot be reached is a report, not an error.
 * @param {string | URL} base of the gateway, with its base path
 * @param {Options} [options]
 * @returns {Promise<Report>} */
export async function runCheck(base, options = {}) {
	const { signal } = options;
	const abort = new AbortController();
	const check = new Check(base, options, abort.signal);
	if (!signal)
		return check.run();
	return new Promise((done, fail) => {
		const end = () => {
			abort.abort();
			check.stop();
			fail(signal.reason ?? new Error('the check was stopped'));
		};
		signal.addEventListener('abort', end, { once: true });
		if (signal.aborted)
			return end();
		check.run().then(done, fail).finally(() => {
			signal.removeEventListener('abort', end);
			abort.abort(); // what a diagnosis no longer waits for
		});
	});
}
