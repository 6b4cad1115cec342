// Prepares text for a report: within its limits, without control characters and addresses. Pure.

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/g;
const LONE = /^[\ud800-\udfff]$/;
const ADDRESSES = new RegExp([
	/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/, // IPv4
	/\[[0-9a-f:.]*:[0-9a-f:.]*\](?::\d{1,5})?/, // IPv6 in a URL, and by itself
	/\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b/,
	/(?:\b[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?/,
].map(({ source }) => source).join('|'), 'gi');

/** @param {string} text @param {number} most characters
 * @param {string} [host] that may be named, being the gateway's own */
export function clip(text, most, host) {
	const plain = [...hideAddresses(text, host).replace(CONTROL, ' ')]
		.filter((character) => !LONE.test(character));
	const short = plain.length > most ? [...plain.slice(0, most - 3), '...'] : plain;
	return short.join('').trim();
}

/** @param {string} text @param {string} [host] */
export function hideAddresses(text, host) {
	return text.replace(ADDRESSES, (address) => address === host ? address : '[address]');
}

/** @param {number | null | undefined} ms
 * @returns {number | null} as a report has it */
export function round(ms) {
	return ms === null || ms === undefined || !Number.isFinite(ms) ? null :
		Math.round(Math.min(600000, Math.max(0, ms)) * 10) / 10;
}
