// The check of a path, without a page: what of a gateway gets through to here, how well, and what
// to ask for. Its answer is a report.
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
/** done: 0 to 1, of all; transports: those that something is known of; reports: the gateway takes
 * reports; evidence: what was asked and what came back, known after the paths.
 * @typedef {object} Progress
 * @property {'channel' | 'paths' | 'round trips' | 'payloads' | 'silence' | 'done'} step
 * @property {number} done
 * @property {Record<string, TransportReport>} transports
 * @property {boolean} reports
 * @property {Evidence[]} evidence */
/** @typedef {object} Options
 * @property {boolean} [patient] finds out too after which silence connections are cut: a minute
 * @property {AbortSignal} [signal] ends it; it rejects with the signal's reason then
 * @property {(progress: Progress) => void} [onProgress]
 * @property {any} [WebSocket] null: there is none
 * @property {any} [EventSource]
 * @property {typeof globalThis.fetch} [fetch]
 * @property {boolean} [streams] fetch can read an answer as it comes
 * @property {any} [performance] where a browser says which HTTP it speaks */

const TOTAL_MS = 14000; // without patience
const CHANNEL_MS = 3000; // is waited for one; it may come later
const TICK_MS = 250;
const MESSAGE = 65536; // bytes, where the gateway does not say

/** Where the shares of the bar begin and end, and how long a step takes there. */
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

/** Tells how far the check is; the bar never goes back, and moves in long steps too. */
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

/** By which HTTP answers come, where a browser says so.
 * @param {any} performance @param {string} base */
function readHttp(performance, base) {
	const entries = performance?.getEntriesByType?.('resource') ?? [];
	const own = entries.filter((/** @type {any} */ { name, nextHopProtocol }) =>
		name.startsWith(base) && nextHopProtocol);
	const name = String(own[own.length - 1]?.nextHopProtocol ?? '').toLowerCase();
	return /^[a-z0-9./-]{1,16}$/.test(name) ? name : '';
}

/** Two connections pass at most, or one: then transports are measured one after another.
 * @param {Facts} facts */
function hasFewConnections({ sse, stream, echo }) {
	return [sse, stream].some((one) => one.next?.silent || (one.echo?.silent && echo.good));
}

/** The gateway refuses this channel, not this page.
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

	/** On the channel that was lent only where the gateway allows no other: a proxy that learns
	 * late that a client left keeps its connections to the gateway, and those of a diagnosis are
	 * more than the lent channel may have.
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

/** @param {string | URL} base of the gateway, with its base path
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
			fail(signal.reason ?? new Error('the check was ended'));
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
