// The words of the page, for readers who know nothing about transports. Pure.
import { titles } from '../client/explain.js';
import { meanings } from './write.js';

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
		how: 'Like Server-Sent Events, but in a format that fewer filters block.' },
	longpoll: { title: 'Long-polling',
		how: 'The browser asks, and the gateway answers when there is a message.' },
	poll: { title: 'Short polling',
		how: 'The browser asks once a second. This works nearly everywhere, but is slow.' },
};

/** What the class adds to the state.
 * @type {Record<string, string>} */
export const classes = { ...meanings, works: '' };

/** @type {Record<string, string>} */
export const steps = {
	channel: 'Asking the gateway for a test channel …',
	paths: 'Trying each of the five transports …',
	'round trips': 'Sending and timing test messages …',
	payloads: 'Sending larger messages …',
	silence: 'Leaving connections idle for a minute, to see which ones the network closes …',
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
	detour: 'This connection works, but something limits it',
	bad: 'Live messages do not reach this browser',
};

/** @param {Report} report */
export function explainChoice({ choice, latency_ms: latency, transports }) {
	if (!choice)
		return 'None of the five transports works between this browser and the gateway.';
	const over = titles[choice] + (choice === names[0] ? '' : ', not over WebSocket');
	const flaw = transports[choice].state === 'degraded' ? ' This transport has a flaw here.' : '';
	const time = latency === null ? '' : ` Each takes about ${formatMs(latency)}.`;
	return `Messages arrive over ${over}.${time}${flaw}`;
}

/** @param {string} code
 * @returns {string} letter by letter, for a screen reader */
export function spell(code) {
	return code.split('-').map((group) => group.split('').join(' ')).join(', ');
}
