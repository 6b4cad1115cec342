// What the page says, in words for somebody who knows nothing of transports. Pure.

/** @typedef {import('./report.js').Report} Report */

/** The transports, best first. */
export const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];

/** @type {Record<string, { title: string, how: string }>} */
export const ways = {
	websocket: { title: 'WebSocket',
		how: 'One connection stays open, and both sides send over it at any time.' },
	sse: { title: 'Server-Sent Events',
		how: 'One answer never ends, and the gateway adds each message to it.' },
	stream: { title: 'HTTP streaming',
		how: 'As Server-Sent Events, but in a form that fewer filters know.' },
	longpoll: { title: 'Long-polling',
		how: 'The browser asks, and the gateway answers when there is a message.' },
	poll: { title: 'Short polling',
		how: 'The browser asks again and again. It gets through nearly everywhere, but late.' },
};

/** @type {Record<string, string>} */
export const states = { works: 'works', degraded: 'works with a flaw', dead: 'does not work' };

/** What the class adds to the state.
 * @type {Record<string, string>} */
export const classes = {
	slow: 'late',
	flaky: 'not every time',
	buffered: 'held back on the way',
	cached: 'old answers',
	compressed: 'held back by compression',
	cut: 'cut off',
	refused: 'refused',
	swallowed: 'never answered',
	missing: 'not in this browser',
};

/** @type {Record<string, string>} */
export const steps = {
	channel: 'Asking the gateway for a channel of its own for this check …',
	paths: 'Trying each of the five ways …',
	'round trips': 'Sending test messages, and timing them …',
	payloads: 'Sending larger messages …',
	silence: 'Listening in silence for a minute, to see what the network cuts …',
	done: 'The check is complete.',
};

/** @param {number} ms */
export function formatMs(ms) {
	if (ms < 1)
		return 'less than 1 ms';
	if (ms < 9.95)
		return `${Number(ms.toFixed(1))} ms`;
	return ms < 999.5 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}

/** @param {number} bytes */
export function formatBytes(bytes) {
	return bytes < 1024 ? `${bytes} bytes` : `${bytes / 1024} KB`;
}

/** @param {string} words
 * @returns {string} with a capital, and with a full stop */
export function toSentence(words) {
	const whole = words.charAt(0).toUpperCase() + words.slice(1);
	return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/** @param {Report} report
 * @returns {'good' | 'detour' | 'bad'} */
export function getLevel({ choice, transports }) {
	if (!choice)
		return 'bad';
	return choice === names[0] && transports[choice].state === 'works' ? 'good' : 'detour';
}

export const headlines = {
	good: 'This connection works well',
	detour: 'This connection works, with a detour',
	bad: 'Live messages do not get through here',
};

/** @param {Report} report */
export function explainChoice({ choice, latency_ms: latency, transports }) {
	if (!choice)
		return 'None of the five ways works between this browser and the gateway.';
	const over = choice === names[0] ? 'WebSocket, the quickest way' :
		`${ways[choice].title} instead of WebSocket`;
	const flaw = transports[choice].state === 'degraded' ? ', which has a flaw here' : '';
	const time = latency === null ? '' : ` Each takes about ${formatMs(latency)}.`;
	return `Messages will arrive over ${over}${flaw}.${time}`;
}

/** @param {string} code
 * @returns {string} for a screen reader: letter by letter */
export function spell(code) {
	return code.split('-').map((group) => group.split('').join(' ')).join(', ');
}
