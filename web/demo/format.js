// How figures are counted and written.

const encoder = new TextEncoder();

/** The payload's size, as far as it can be told from what the client hands on.
 * @param {any} data */
export function countBytes(data) {
	if (data instanceof Uint8Array)
		return data.byteLength;
	return encoder.encode(typeof data === 'string' ? data : JSON.stringify(data)).length;
}

/** @param {number} count */
export function formatCount(count) {
	return count.toLocaleString('en');
}

/** @param {number | undefined} ms */
export function formatMs(ms) {
	if (ms === undefined || Number.isNaN(ms))
		return '–';
	if (ms < 9.95)
		return `${Math.max(0, ms).toFixed(1)} ms`;
	if (ms < 999.5)
		return `${Math.round(ms)} ms`;
	return `${(ms / 1000).toFixed(ms < 9950 ? 2 : 1)} s`;
}

/** @param {number} bytes */
export function formatBytes(bytes) {
	if (bytes < 9999.5)
		return `${formatCount(Math.round(bytes))} B`;
	return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` :
		`${(bytes / 1048576).toFixed(1)} MiB`;
}

/** A figure a message: small ones with decimals, since most are small.
 * @param {number} value */
export function formatShare(value) {
	if (value === 0)
		return '0';
	if (value < 0.995)
		return value.toFixed(2);
	return formatCount(Number(value.toFixed(value < 9.95 ? 1 : 0)));
}

/** What the demo feeds send is said shortly, anything else as it is.
 * @param {any} data */
export function describe(data) {
	if (typeof data === 'string')
		return data;
	if (data instanceof Uint8Array)
		return `${data.byteLength} bytes`;
	if (typeof data?.symbol === 'string')
		return `${data.symbol} ${data.price?.toFixed?.(2)} ${data.change < 0 ? '▼' : '▲'}`;
	if (typeof data?.utc === 'string')
		return `${data.utc} UTC`;
	if (typeof data?.text === 'string')
		return data.text;
	return JSON.stringify(data) ?? '';
}
