// What the transports share: fetch with a check whose answer it is, streams that are
// replaced without a seam, polls in a row.
import { now } from '../clock.js';

/** @typedef {import('../policy.js').Loss} Loss */
/** @typedef {import('../deliver.js').Control} Control */
/** @typedef {import('../deliver.js').Message} Message */
/** @typedef {{ cursor: string, messages: Message[], gaps: Control[], n?: string,
 * 	limits?: object }} Answer */

/** What a transport is given: where to ask, and whom to tell.
 * @typedef {object} Host
 * @property {(path: string, params?: object) => string} url with channels and the position
 * @property {number} version of the list of channels, as url() writes it now
 * @property {boolean} probed the stream is to be opened as a probe
 * @property {number | undefined} heartbeat s
 * @property {number} hold s
 * @property {number} interval ms between short polls
 * @property {string | undefined} token for the query, where no header can be set
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
 * @property {(loss: Loss & { code?: string }) => void} lost the end, said once */

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

/** Throws a Loss unless the answer is the gateway's own and a good one.
 * @param {Response} response */
export async function check(response) {
	if (response.headers.get('Sluice') === null) {
		response.body?.cancel().catch(() => {});
		throw { why: `somebody between answered, with status ${response.status}`, foreign: response.status < 500 };
	}
	if (response.ok)
		return response;
	const { error } = await response.json().catch(() => ({}));
	const seconds = Number(response.headers.get('Retry-After'));
	throw { why: error?.message ?? `status ${response.status}`, code: error?.code,
		status: response.status, retry: response.status === 429 ? seconds * 1000 || 1000 : undefined };
}

/** @param {any} error @param {string} why
 * @returns {Loss & { code?: string }} */
export function asLoss(error, why) {
	return typeof error?.why === 'string' ? error : { why };
}

/** What is no JSON is taken for what it is: not of the gateway.
 * @param {string} text */
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

/** The loss of a transport on which something came that cannot be parsed. */
export const garbled = { why: 'the path alters what it carries: what came cannot be parsed',
	damaged: true };

/** Reads the lines of a stream.
 * @param {Host} host @param {string} url @param {(line: string) => void} onLine
 * @param {(loss: Loss) => void} onEnd */
export function readLines(host, url, onLine, onEnd) {
	const abort = new AbortController();
	(async () => {
		const response = await check(await host.fetch(url, { signal: abort.signal, cache: 'no-store' }));
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

/** A stream as a link. A probe, a dead stream and one with other channels are replaced by a
 * new request, and run until it has opened.
 * @param {Host} host @param {string} path
 * @param {import('./sse.js').Connect} connect
 * @returns {Link} */
export function openStreamed(host, path, connect) {
	/** @type {Set<() => void>} */
	const requests = new Set();
	let closed = false;
	let at = now();
	let size = 0;
	let waits = false;
	const close = () => {
		closed = true;
		requests.forEach((end) => end());
	};
	/** @param {Loss} loss */
	const lose = (loss) => {
		if (closed)
			return;
		close();
		host.lost({ silent: now() - at, size, ...loss });
	};
	/** @param {boolean} probed */
	const begin = (probed) => {
		const { version } = host;
		let opened = false;
		let over = false;
		const url = host.url(path, { heartbeat: host.heartbeat, probe: probed ? createKey() : undefined });
		const end = connect(url, (text) => {
			if (over || closed)
				return;
			at = now();
			size += text.length;
			const object = parseObject(text);
			if (!opened && object?.type !== 'open' && object?.type !== 'bye')
				return lose({ why: 'what came is not of the gateway' });
			if (!object)
				return lose(garbled);
			host.alive();
			host.take(object, version); // may close it
			if (closed)
				return;
			if (object.type === 'bye')
				return lose({ why: `the gateway said goodbye (${object.reason})`, retry: object.retry });
			if (object.type === 'open') {
				opened = true;
				requests.forEach((other) => other !== stop && other());
				host.stage('open');
				host.checked();
			} else if (object.type === 'mark')
				host.stage('mark');
		}, (loss) => over || lose(loss));
		const stop = () => {
			over = true;
			requests.delete(stop);
			end();
		};
		requests.add(stop);
	};
	begin(host.probed);
	if (host.probed)
		host.start(() => echo(host).catch((error) =>
			lose(asLoss(error, 'what is sent beside the stream does not arrive'))));
	/** As many changes as come meanwhile need one new request. */
	const replace = () => {
		if (closed || waits)
			return;
		waits = true;
		host.start(() => {
			waits = false;
			if (!closed)
				begin(false);
		});
	};
	return { close, check: replace, change: replace, use: replace };
}

/** @param {Host} host */
async function echo(host) {
	const body = createKey();
	const response = await check(await host.fetch(host.url('probe/echo'),
		{ method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body }));
	if (await response.text() !== body)
		throw { why: 'the echo is not what was sent' };
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
