// WebSocket: one text frame an object, both ways (RFC 6455).
import { now } from '../clock.js';
import { check, createKey, garbled, parse, parseObject } from './request.js';

export const name = 'websocket';

const LARGE = 'x'.repeat(4200); // with what is around it more than 4 KB, both ways

/** @param {import('./request.js').Host} host
 * @returns {import('./request.js').Link} */
export function open(host) {
	let { version } = host;
	let closed = false;
	let opened = false;
	let retry = /** @type {number | undefined} */ (undefined);
	let why = '';
	let at = now();
	let size = 0;
	const changes = /** @type {{ added: string[], removed: string[] }[]} */ ([]); // wait for open
	const versions = /** @type {Map<string, number>} */ (new Map()); // of changes not yet answered
	const socket = createSocket(host, { heartbeat: host.heartbeat });
	const sendText = (/** @type {string} */ text) => socket.readyState === 1 && socket.send(text);
	const send = (/** @type {object} */ object) => sendText(JSON.stringify(object));
	let large = LARGE;
	const ping = (/** @type {string} */ data) => send({ type: 'ping', data });
	const close = () => {
		closed = true;
		// One that is still connecting ends in onopen: browsers complain of any earlier end, and
		// open one at a time (RFC 6455, section 4.1), so it is not left for long.
		if (socket.readyState)
			socket.close();
		else
			setTimeout(() => socket.close(), 2000);
	};
	/** @param {string} words @param {object} [more] of the loss */
	const lose = (words, more) => {
		if (closed)
			return;
		close();
		host.lost({ why: why || words, retry, silent: now() - at, size, ...more });
	};
	/** @param {string[]} added @param {string[]} removed */
	const change = (added, removed) => {
		if (!opened)
			return void changes.push({ added, removed });
		// In this order, since there may be no room for both; only the last makes the new list.
		for (const [type, channels] of [['unsubscribe', removed], ['subscribe', added]])
			if (channels.length) {
				const ref = `${type} ${versions.size} ${now()}`;
				versions.set(ref, type === 'unsubscribe' && added.length ? 0 : host.version);
				send({ type, channels, ref });
			}
	};
	/** @param {any} object */
	const take = (object) => {
		at = now();
		if (!opened && object?.type !== 'open')
			return lose('what came is not of the gateway');
		if (!object)
			return lose('', garbled);
		if (object.type === 'bye') {
			retry = object.retry;
			why = `the gateway said goodbye (${object.reason})`;
		}
		if (versions.has(object.ref)) {
			if (object.type === 'error')
				return lose(object.message, { code: object.code, ...object.code === 'limit' ? { retry: 1000 } : { status: 400 } });
			version = Math.max(version, versions.get(object.ref) ?? 0);
			versions.delete(object.ref);
			host.checked();
		}
		host.alive();
		host.take(object, version);
		if (closed)
			return;
		if (object.type === 'open') {
			opened = true;
			host.stage('open');
			ping('');
			large = LARGE.slice(0, object.limits?.message); // more would be the end of the socket
			ping(large);
			changes.splice(0).forEach(({ added, removed }) => change(added, removed));
		} else if (object.type === 'pong') {
			host.stage(object.data === large ? 'large' : 'small');
			host.checked();
		}
	};
	socket.onopen = () => closed ? socket.close() : host.stage('handshake');
	socket.onmessage = (/** @type {{ data: any }} */ { data }) => {
		size += data.length;
		if (!closed)
			take(parseObject(data));
	};
	socket.onerror = () => {}; // close follows, and says no less
	socket.onclose = (/** @type {{ code: number }} */ { code }) => {
		if (code === 1012 || code === 1013)
			retry ??= 1000;
		lose(opened ? `the socket was closed (${code})` : 'the upgrade was refused', code === 1009 ? { code: 'too_large' } : {});
	};
	return { close, change, send: sendText, check: () => ping('check') };
}

/** @param {import('./request.js').Host} host @param {object} params */
function createSocket(host, params) {
	return new host.WebSocket(host.url('ws', { token: host.token, ...params }).replace(/^http/, 'ws'));
}

/** Why no socket comes about. A browser may not see how its upgrade was refused, so one more
 * is sent with a nonce, and the gateway asked over plain HTTP what it saw of it. (A nonce
 * makes the gateway silent for 2 s, so the socket that is meant to be used has none.)
 * @param {import('./request.js').Host} host */
export async function diagnose(host) {
	const probe = createKey();
	const socket = createSocket(host, { probe });
	const answered = await new Promise((resolve) => {
		socket.onopen = () => {
			socket.send('{"type":"ping"}');
			setTimeout(resolve, 1500);
		};
		socket.onmessage = (/** @type {{ data: any }} */ { data }) => parse(data).type === 'pong' && resolve(true);
		socket.onerror = socket.onclose = () => resolve(false);
		setTimeout(resolve, 3000);
	});
	socket.onerror = () => {};
	socket.close();
	const response = await check(await host.fetch(host.url('probe/seen', { nonce: probe }), { cache: 'no-store' }));
	const { seen } = await response.json();
	if (seen === 'plain_get')
		return 'the upgrade was taken out of the request on its way';
	if (seen === 'upgraded_no_frame')
		return 'the upgrade was answered by the gateway, but what is sent over the socket does not arrive';
	if (seen === 'upgraded')
		return answered ? '' : 'the upgrade was answered by the gateway, but nothing of the gateway came within 1.5 s after it';
	// What answers the same request without an upgrade? Without it a page's own origin is in a
	// POST alone.
	for (const method of ['GET', 'POST']) {
		const { why, status } = await ask(host, method);
		if (why && !status)
			return `the upgrade did not reach the gateway: ${why}`;
		if (status && status !== 426 && status !== 405)
			return `the gateway itself refused it: ${why}`;
	}
	return 'the upgrade did not reach the gateway: refused or swallowed on its way';
}

/** @param {import('./request.js').Host} host @param {string} method
 * @returns {Promise<{ why?: string, status?: number }>} the refusal */
async function ask(host, method) {
	try {
		await check(await host.fetch(host.url('ws'), { method, cache: 'no-store', signal: AbortSignal.timeout?.(3000) }));
		return {};
	} catch (/** @type {any} */ error) {
		return error;
	}
}
