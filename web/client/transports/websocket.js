// WebSocket: one text frame an object, both ways (RFC 6455).
import { Backoff } from '../backoff.js';
import { now } from '../clock.js';
import { Carrier, ask, createKey, parse, readBye } from './request.js';

export const name = 'websocket';

export const LARGE = 'x'.repeat(4200); // with what is around it more than 4 KB, both ways
const SEEN_MS = 10000; // for what the gateway saw of an upgrade
const UPGRADE_MS = 3000; // for what answers the same request without one
const LIMITED = 'rate_limited';
const ANSWERED = 'the gateway answered the upgrade, but ';

/** @typedef {import('./request.js').Host} Host */

/** @param {Host} host
 * @returns {import('./request.js').Link} */
export function open(host) {
	return new SocketLink(host);
}

class SocketLink extends Carrier {
	#socket;
	#version;
	#opened = false;
	/** @type {import('./request.js').Loss | undefined} */
	#bye;
	#large = LARGE;
	/** @type {[string[], string[]][]} */
	#changes = []; // wait for open
	/** @type {Map<string, number>} */
	#versions = new Map(); // of changes not yet answered
	#lacks = false; // channels, since it asked for too many too fast

	/** @param {Host} host */
	constructor(host) {
		super(host);
		this.#version = host.version;
		const socket = this.#socket = createSocket(host, { heartbeat: host.heartbeat });
		socket.onopen = () => host.stage('handshake');
		socket.onmessage = (/** @type {{ data: any }} */ { data }) =>
			this.closed || this.#take(this.read(data, !this.#opened && ['open']));
		socket.onerror = () => {}; // close follows, and says no less
		socket.onclose = (/** @type {{ code: number, reason: string }} */ { code, reason }) =>
			this.#end(code, reason);
	}

	close() {
		super.close();
		closeSocket(this.#socket);
	}

	check() {
		this.#ping('check');
	}

	/** @param {string[]} added @param {string[]} removed */
	change(added, removed) {
		if (!this.#opened)
			return void this.#changes.push([added, removed]);
		if (this.#lacks) // the link that takes its place will have them all
			return;
		// In this order, since there may be no room for both; only the last makes the new list.
		this.#ask('unsubscribe', removed, added.length ? 0 : this.host.version);
		this.#ask('subscribe', added, this.host.version);
	}

	/** @param {string} type @param {string[]} channels @param {number} version of the list then */
	#ask(type, channels, version) {
		if (!channels.length)
			return;
		const ref = `${type} ${this.#versions.size} ${now()}`;
		this.#versions.set(ref, version);
		this.send(JSON.stringify({ type, channels, ref }));
	}

	/** Handed on by itself, and compared.
	 * @param {string} text */
	send = (text) => this.#socket.readyState === 1 && this.#socket.send(text);

	/** @param {string} data */
	#ping(data) {
		this.send(JSON.stringify({ type: 'ping', data }));
	}

	/** @param {any} object */
	#take(object) {
		const host = this.host;
		if (!object)
			return;
		if (object.type === 'bye')
			this.#bye = readBye(object);
		if (this.#versions.has(object.ref))
			this.#takeAnswer(object);
		if (this.closed)
			return;
		host.alive();
		host.take(object, this.#version);
		if (this.closed)
			return;
		if (object.type === 'open')
			this.#begin(object);
		else if (object.type === 'pong') {
			host.stage(object.data === this.#large ? 'large' : 'small');
			host.checked();
		}
	}

	/** To a change of the channels.
	 * @param {any} object */
	#takeAnswer({ type, ref, code, message, retry }) {
		if (this.#lacks)
			return;
		if (code === LIMITED) {
			this.#lacks = true;
			setTimeout(this.host.replace, new Backoff().next(retry));
			return;
		}
		if (type === 'error')
			return this.#lose(message, { code, // as the answer to a request would be
				...code === 'limit' ? { retry: 1000 } : { status: 400 } });
		this.#version = Math.max(this.#version, this.#versions.get(ref) ?? 0);
		this.#versions.delete(ref);
		this.host.checked();
	}

	/** @param {{ limits?: { message: number } }} object */
	#begin({ limits }) {
		this.#opened = true;
		this.host.stage('open');
		this.#ping('');
		this.#large = LARGE.slice(0, limits?.message); // more would be the end of the socket
		this.#ping(this.#large);
		this.#changes.splice(0).forEach((change) => this.change(...change));
	}

	/** @param {number} code of the close @param {string} reason */
	#end(code, reason) {
		const known = code === 1009 ? 'too_large' : LIMITED;
		if (code === 1012 || code === 1013 || reason === LIMITED)
			this.retry ??= 1000;
		this.#lose(this.#opened ? `the socket was closed (${code})` : 'the upgrade failed',
			code === 1009 || reason === LIMITED ? { code: known } : {});
	}

	/** @param {string} words @param {object} [more] of the loss */
	#lose(words, more) {
		this.lose({ why: words, ...more, ...this.#bye });
	}
}

/** Opens a WebSocket. A token goes into the list of subprotocols; the gateway chooses `sluice.v1`.
 * @param {{ WebSocket: any, url: Host['url'], token?: string }} way @param {object} params */
export function createSocket({ WebSocket, url, token }, params) {
	const address = url('ws', params).replace(/^http/, 'ws');
	return token === undefined ? new WebSocket(address) :
		new WebSocket(address, ['sluice.v1', `bearer.${token}`]);
}

/** Closes a WebSocket. If it is still connecting, it closes once it is open, after 2 s at the
 * latest: browsers complain about an earlier end, and open one at a time (RFC 6455, section 4.1).
 * @param {any} socket */
export function closeSocket(socket) {
	socket.onopen = () => socket.close();
	if (socket.readyState)
		socket.close();
	else
		setTimeout(() => socket.close(), 2000);
}

/** Why no WebSocket opens; '' for nothing found. A browser cannot see how an upgrade was refused.
 * So the client sends another one with a nonce, and asks the gateway over plain HTTP what it saw.
 * (A nonce makes the gateway silent for 2 s, so the WebSocket for messages has none.)
 * @param {Host} host */
export async function diagnose(host) {
	const probe = createKey();
	const answered = await tryProbe(host, probe);
	const seen = await ask(host.fetch, host.url('probe/seen', { nonce: probe }), SEEN_MS)
		.then(async (response) => (await response.json()).seen, checkRefusal);
	if (seen === 'plain_get')
		return 'a proxy removed the header Upgrade';
	if (seen === 'upgraded_no_frame')
		return ANSWERED + 'no frame reached it';
	if (seen === 'upgraded')
		return answered ? '' : `${ANSWERED}no data came from it within 1.5 s`;
	// What answers the same request without an upgrade? Without it a page's own origin is in a
	// POST alone.
	for (const method of ['GET', 'POST']) {
		const { why = '', status } = await ask(host.fetch, host.url('ws'), UPGRADE_MS, method)
			.then(() => ({}), (error) => error);
		if (why && !status)
			return `the upgrade did not reach the gateway: ${why}`;
		if (status === 401 || status === 429) // of the token or the rate, not of the path
			return '';
		if (status && status !== 426 && status !== 405)
			return why.startsWith('the gateway') ? why : `the gateway refused the upgrade: ${why}`;
	}
	// Another gateway of the same bus may have seen it.
	return seen === 'unknown' ? 'the upgrade or its answer was lost' :
		'the upgrade did not reach the gateway: something refused or dropped it';
}

/** @param {Host} host @param {string} probe
 * @returns {Promise<boolean>} if a frame over it is answered */
async function tryProbe(host, probe) {
	const socket = createSocket(host, { probe });
	const answered = await new Promise((resolve) => {
		socket.onopen = () => {
			socket.send('{"type":"ping"}');
			setTimeout(resolve, 1500);
		};
		socket.onmessage = (/** @type {{ data: any }} */ { data }) =>
			parse(data).type === 'pong' && resolve(true);
		socket.onerror = socket.onclose = () => resolve(false);
		setTimeout(resolve, 3000);
	});
	socket.onerror = () => {};
	socket.close();
	return answered;
}

/** @param {any} error */
function checkRefusal(error) {
	if (!error?.why)
		throw error;
}
