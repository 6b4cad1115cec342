// Bytes as people read them: hexadecimal, text, counts.

/** @param {string} base64 */
export function fromBase64(base64) {
	return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

/** Text of bytes that may be cut anywhere; what is no UTF-8 shows as U+FFFD.
 * @param {Uint8Array} bytes */
export function toText(bytes) {
	return new TextDecoder().decode(bytes);
}

/** One character a byte, so that an index in the text is one in the bytes.
 * @param {Uint8Array} bytes */
export function toLatin1(bytes) {
	let text = '';
	for (const byte of bytes)
		text += String.fromCharCode(byte);
	return text;
}

/** @param {Uint8Array} bytes */
export function toHex(bytes) {
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** Offset, sixteen bytes (or as many as `width`), and their ASCII, a line each.
 * @param {Uint8Array} bytes @param {number} [width] */
export function toDump(bytes, width = 16) {
	const lines = [];
	for (let at = 0; at < bytes.length; at += width) {
		const row = bytes.subarray(at, at + width);
		const offset = at.toString(16).padStart(4, '0');
		const ascii = toLatin1(row).replace(/[^ -~]/g, '.');
		lines.push(`${offset}  ${toHex(row).padEnd(width * 3 - 1)}  ${ascii}`);
	}
	return lines.join('\n');
}

/** @param {number} count */
export function formatBytes(count) {
	if (count < 1000)
		return `${Math.round(count)} B`;
	if (count < 1e6)
		return `${(count / 1000).toFixed(count < 1e4 ? 1 : 0)} kB`;
	return `${(count / 1e6).toFixed(1)} MB`;
}
