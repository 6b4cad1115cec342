// WebSocket: one text frame an object, both ways (RFC 6455).
import { parse } from './request.js';

export const name = 'websocket';

const LARGE = 'x'.repeat(4000);

/** @param {import('./request.js').Host} host
 * @returns {import('./request.js').Link} */
export function open(host) {
	let { version } = host;
	let closed = false;
	let opened = false;
	let retry = /** @type {number | undefined} */ (undefined);
	let why = '';
	let at = Date.now();
	const changes = /** @type {{ added: string[], removed: string[] }[]} */ ([]); // wait for open
	const versions = /** @type {Map<string, number>} */ (new Map()); // of changes not yet answered
	const socket = new host.WebSocket(host.url('ws', { heartbeat: host.heartbeat }).replace(/^http/, 'ws'));
	const send = (/** @type {object} */ object) => socket.readyState === 1 && socket.send(JSON.stringify(object));
	const ping = (/** @type {string} */ data) => send({ type: 'ping', data });
	const close = () => {
		closed = true;
		try {
			socket.close();
		} catch {} // it had not opened
	};
	/** @param {string} words */
	const lose = (words) => {
		if (closed)
			return;
		close();
		host.lost({ why: why || words, retry, silent: Date.now() - at });
	};
	/** @param {string[]} added @param {string[]} removed */
	const change = (added, removed) => {
		if (!opened)
			return void changes.push({ added, removed });
		for (const [type, channels] of [['subscribe', added], ['unsubscribe', removed]])
			if (channels.length) {
				const ref = `${type} ${versions.size} ${Date.now()}`;
				versions.set(ref, host.version);
				send({ type, channels, ref });
			}
	};
	/** @param {any} object */
	const take = (object) => {
		at = Date.now();
		if (!opened && object.type !== 'open')
			return lose('what came is not of the gateway');
		if (object.type === 'bye') {
			retry = object.retry;
			why = `the gateway said goodbye (${object.reason})`;
		}
		if (versions.has(object.ref)) {
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
			ping(LARGE);
			changes.splice(0).forEach(({ added, removed }) => change(added, removed));
		} else if (object.type === 'pong') {
			host.stage(object.data === LARGE ? 'large' : 'small');
			host.checked();
		}
	};
	socket.onopen = () => closed ? socket.close() : host.stage('handshake');
	socket.onmessage = (/** @type {{ data: any }} */ { data }) => {
		if (!closed)
			take(parse(data));
	};
	socket.onerror = () => {}; // close follows, and says no less
	socket.onclose = (/** @type {{ code: number }} */ { code }) => {
		if (code === 1012 || code === 1013)
			retry ??= 1000;
		lose(opened ? `the socket was closed (${code})` : 'the upgrade was refused');
	};
	return { close, change, send, check: () => ping('check') };
}
