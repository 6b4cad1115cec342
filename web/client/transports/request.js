// What the transports share: requests whose answers are checked to be the gateway's, and streams
// that replace each other without a gap.
import { Backoff } from '../backoff.js';
import { now } from '../clock.js';
import { isRefusal } from '../source.js';

/** @typedef {import('../policy.js').Loss} Loss */
/** @typedef {import('../deliver.js').Control} Control */
/** @typedef {import('../deliver.js').Message} Message */
/** @typedef {{ cursor: string, messages: Message[], gaps: Control[], n?: string,
 * 	limits?: object }} Answer */

/** What a transport gets from its connection: settings, and callbacks.
 * @typedef {object} Host
 * @property {(path: string, params?: object) => string} url with channels and the position
 * @property {number} version of the list of channels, as url() writes it now
 * @property {number | undefined} heartbeat s
 * @property {number} hold s
 * @property {number} interval ms between short polls
 * @property {string | undefined} token the present one, for what does not go by fetch
 * @property {typeof fetch} fetch sets the header Authorization
 * @property {any} WebSocket
 * @property {any} EventSource
 * @property {(stage: string) => void} stage a gate was passed
 * @property {(then: () => void) => () => void} start runs what starts a request: at once, or as
 * 	soon as the pace allows it; returns what calls it off. A link is opened by it.
 * @property {(object: any, version: number) => boolean} take an object of the gateway; true: a
 * 	message or gap that is new
 * @property {(code: string, message: string) => void} warn an error that ends nothing
 * @property {() => void} alive something arrived
 * @property {() => void} checked the answer to check()
 * @property {(loss: Loss) => void} lost the end, said once
 * @property {() => void} replace another link has to take its place */

/** What a transport returns.
 * @typedef {object} Link
 * @property {() => void} close
 * @property {() => void} check prove that it lives, by checked()
 * @property {(added: string[], removed: string[]) => void} change the list of channels is another
 * @property {() => void} [use] it was chosen
 * @property {(text: string) => void} [send] takes publishes, as JSON */

/** diagnose: what is in the way, in words; '' for nothing that could be found.
 * @typedef {{ name: string, open: (host: Host) => Link,
 * 	diagnose?: (host: Host) => Promise<string> }} Transport */

/** Throws a Loss unless the gateway itself sent the answer, with a status below 300.
 * @param {Response} response */
export async function check(response) {
	if (response.headers.get('Sluice') === null) {
		response.body?.cancel().catch(() => {});
		throw { why: `another server answered, with status ${response.status}`,
			foreign: response.status < 500 };
	}
	if (response.ok)
		return response;
	const { error } = await response.json().catch(() => ({}));
	throw { why: error?.message ?? `status ${response.status}`, code: error?.code,
		status: response.status, retry: getRetry(response) };
}

/** @param {Response} response
 * @returns {number | undefined} ms to wait, where it asks for that and refuses nothing */
export function getRetry({ status, headers }) {
	return status === 429 ? Number(headers.get('Retry-After')) * 1000 || 1000 : undefined;
}

/** The Loss that a goodbye stands for, as the answer to a request would give it.
 * @param {any} bye
 * @returns {Loss} */
export function readBye({ reason, message, retry }) {
	const why = message ?? `the gateway ended the connection (${reason})`;
	if (isRefusal(reason))
		return { why, code: reason, status: 401, retry };
	if (reason === 'rate_limited')
		return { why, code: reason, retry };
	return reason === 'forbidden' ? { why, code: reason, status: 403 } : { why, retry };
}

/** Buys a ticket, which stands for the token in the query of one request (PROTOCOL.md, Tickets).
 * @param {Pick<Host, 'fetch' | 'url'> & { token?: string }} way
 * @returns {Promise<string | undefined>} undefined: none is needed */
export async function buyTicket({ fetch, token, url }) {
	if (token === undefined)
		return undefined;
	const response = await fetch(url('ticket'), { method: 'POST', cache: 'no-store' });
	const { ticket } = await check(response).then((answer) => answer.json(), (loss) => {
		if (loss.status !== 404) // which says that this gateway asks nobody
			throw loss;
		return {};
	});
	return ticket;
}

/** A plain question to the gateway.
 * @param {typeof fetch} fetch @param {string} url @param {number} ms to wait for the answer
 * @param {string} [method] */
export async function ask(fetch, url, ms, method) {
	const signal = AbortSignal.timeout?.(ms);
	return check(await fetch(url, { method, cache: 'no-store', signal }));
}

/** @param {any} error @param {string} why
 * @returns {Loss} */
export function asLoss(error, why) {
	return typeof error?.why === 'string' ? error : { why };
}

/** @param {string} text
 * @returns {any} {} for a text that is not JSON, and so not from the gateway */
export function parse(text) {
	try {
		return JSON.parse(text);
	} catch {
		return {};
	}
}

/** An object as the gateway sends them: a message or one with a type.
 * @param {string} text
 * @returns {any} undefined for what the path has altered */
export function parseObject(text) {
	const object = parse(text);
	return typeof object?.type === 'string' || (object?.id && object.channel) ? object : undefined;
}

/** The loss of a transport whose data cannot be parsed. */
export const garbled = { why: 'the path alters what it carries: it cannot be parsed',
	damaged: true };

/** Reads the lines of a stream.
 * @param {Host} host @param {string} url @param {(line: string) => void} onLine
 * @param {(loss: Loss) => void} onEnd */
export function readLines(host, url, onLine, onEnd) {
	const abort = new AbortController();
	(async () => {
		const response = await check(
			await host.fetch(url, { signal: abort.signal, cache: 'no-store' }));
		const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
		const decoder = new TextDecoder();
		for (let rest = ''; ;) {
			const { done, value } = await reader.read();
			if (done)
				throw { why: 'the stream ended' };
			const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
			rest = /** @type {string} */ (lines.pop());
			lines.forEach((line) => onLine(line.replace(/\r$/, '')));
		}
	})().catch((error) => abort.signal.aborted || onEnd(asLoss(error, 'the stream broke')));
	return () => abort.abort();
}

/** What links over a socket or a stream have in common: when one ends, it tells what it carried. */
export class Carrier {
	closed = false;
	/** @type {number | undefined} */
	retry; // ms, which the gateway asked for
	#at = now(); // of the last object
	#size = 0;

	/** @param {Host} host */
	constructor(host) {
		this.host = host;
	}

	close() {
		this.closed = true;
	}

	/** @param {string} text @param {string[] | false} first the types that may come first, if
	 * 	it is the first
	 * @returns {any} its object; undefined where it was the end */
	read(text, first) {
		this.#at = now();
		this.#size += text.length;
		const object = parseObject(text);
		if (first && !first.includes(object?.type))
			this.lose({ why: 'the gateway did not send what arrived' });
		else if (!object)
			this.lose(garbled);
		else
			return object;
	}

	/** @param {Loss} loss */
	lose(loss) {
		if (this.closed)
			return;
		this.close();
		this.host.lost({ silent: now() - this.#at, size: this.#size, retry: this.retry, ...loss });
	}
}

/** @typedef {{ version: number, opened: boolean, end: () => void }} Request */

/** A stream as a link. A probe, a dead stream and one with other channels are replaced by a
 * new request, and run until it has opened. */
export class Streams extends Carrier {
	#path;
	#connect;
	/** @type {Set<Request>} */
	#requests = new Set(); // that run
	#waits = false;

	/** @param {Host} host @param {string} path @param {import('./sse.js').Connect} connect */
	constructor(host, path, connect) {
		super(host);
		this.#path = path;
		this.#connect = connect;
		this.#begin(createKey());
		host.start(() => echo(host).catch((error) =>
			this.lose(asLoss(error, 'requests beside the stream fail'))));
	}

	close() {
		super.close();
		this.#requests.forEach((request) => this.#stop(request));
	}

	/** A new request takes the place of those that run. As many changes as come meanwhile need
	 * one. */
	change() {
		if (this.closed || this.#waits)
			return;
		this.#waits = true;
		this.host.start(() => {
			this.#waits = false;
			if (!this.closed)
				this.#begin();
		});
	}

	check() {
		this.change();
	}

	use() {
		this.change();
	}

	/** @param {string} [probe] a key, for one that has to prove itself */
	#begin(probe) {
		const { version, heartbeat, url } = this.host;
		/** @type {Request} */
		const request = { version, opened: false, end: () => {} };
		this.#requests.add(request);
		request.end = this.#connect(url(this.#path, { heartbeat, probe }),
			(text) => this.#requests.has(request) && this.#take(request, text),
			(loss) => this.#requests.has(request) && this.#end(request, loss));
	}

	/** One that the gateway has no room for yet is asked for later, while the one before runs.
	 * @param {Request} request @param {Loss} loss */
	#end(request, loss) {
		if (loss.code !== 'rate_limited' || request.opened || this.#requests.size < 2)
			return this.lose(loss);
		this.#stop(request);
		this.host.checked();
		setTimeout(() => this.change(), new Backoff().next(loss.retry));
	}

	/** @param {Request} request */
	#stop(request) {
		this.#requests.delete(request);
		request.end();
	}

	/** @param {Request} request @param {string} text */
	#take(request, text) {
		const host = this.host;
		const object = this.read(text, !request.opened && ['open', 'bye']);
		if (!object)
			return;
		const { type } = object;
		host.alive();
		host.take(object, request.version); // may close it
		if (this.closed)
			return;
		if (type === 'bye')
			this.#end(request, readBye(object));
		else if (type === 'open') {
			request.opened = true;
			for (const other of this.#requests) {
				if (other === request)
					break; // those behind it were begun later, and are for more
				this.#stop(other);
			}
			host.stage('open');
			host.checked();
		} else if (type === 'mark')
			host.stage('mark');
	}
}

/** @param {Host} host */
async function echo(host) {
	const body = createKey();
	const response = await check(await host.fetch(host.url('probe/echo'),
		{ method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body }));
	if (await response.text() !== body)
		throw { why: 'the echo differs from what was sent' };
	host.stage('echo');
}

/** How late an answer may be that is held for the first time.
 * @param {number} took ms, the first answer that was not
 * @returns {number} ms */
export function getSlack(took) {
	return Math.max(700, 4 * took);
}

/** Random, and fit for a nonce and an idempotency key. */
export function createKey() {
	let key = '';
	while (key.length < 22)
		key += Math.random().toString(36).slice(2);
	return key.slice(0, 22);
}
