// A frame's header as RFC 6455 draws it in section 5.2: rows of 32 bits, with what they are.
import { create } from '../panel.js';
import { toHex } from './bytes.js';
import { layOut } from './frame.js';

/** @typedef {import('./frame.js').Frame} Frame */
/** @typedef {import('./frame.js').Field} Field */

/** @param {Frame} frame @param {Uint8Array} raw the frame as it was sent */
export function drawBits(frame, raw) {
	const grid = create('div', { className: 'bits', 'aria-hidden': 'true' });
	for (let bit = 0; bit < 32; bit++)
		grid.append(place(create('span', 'bits-number', bit % 8 ? '' : String(bit)), 1, bit, 1));
	const start = raw.slice(frame.header, frame.header + 4);
	/** @type {Field} */
	const payload = { name: frame.masked ? 'payload, masked' : 'payload', at: frame.header * 8,
		bits: start.length * 8, value: toHex(start), means: '' };
	const fields = start.length ? [...frame.fields, payload] : frame.fields;
	for (const { name, row, column, bits, value, continued } of layOut(fields)) {
		const kinds = (bits === 1 ? ' is-narrow' : '') +
			(name.startsWith('payload') ? ' is-data' : '');
		const cell = create('div', `bits-cell${kinds}`,
			create('b', {}, value), create('span', {}, continued ? `${name} …` : name));
		cell.title = name;
		grid.append(place(cell, row + 2, column, bits));
	}
	return grid;
}

/** @param {any} element @param {number} row @param {number} column @param {number} bits */
function place(element, row, column, bits) {
	element.style.gridRow = String(row);
	element.style.gridColumn = `${column + 1} / span ${bits}`;
	return element;
}

/** The same in words, for every reader.
 * @param {Frame} frame */
export function listBits({ fields, rsv }) {
	const [fin, one, two, three, ...others] = fields;
	const reserved = rsv.some(Boolean) ? [one, two, three] :
		[{ ...one, name: 'RSV1 to 3', value: '000', means: 'no extension is in use' }];
	const rows = [fin, ...reserved, ...others].map(({ name, value, means }) =>
		create('tr', {}, create('th', { scope: 'row' }, name),
			create('td', {}, create('code', {}, value), create('span', 'means', means))));
	return create('table', 'fields', create('tbody', {}, ...rows));
}
