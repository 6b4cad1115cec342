// What streams carry, whatever pieces they come in: event-stream lines (WHATWG HTML,
// section 9.2.5) and newline-delimited JSON.

/** @typedef {{ name: string, value: string, is: 'field' | 'comment' | 'end' }} EventLine
 * 	end: the empty line that dispatches the event */

/** Lines of text that arrives in pieces. */
class Lines {
	#decoder = new TextDecoder();
	#rest = '';

	/** @param {Uint8Array} bytes
	 * @returns {string[]} the lines that are complete now */
	push(bytes) {
		const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
		this.#rest = lines.pop() ?? '';
		return lines.map((line) => line.replace(/\r$/, ''));
	}

	/** The beginning of a line whose end has not come. */
	get rest() {
		return this.#rest;
	}

	/** Something is missing: begin anew. */
	reset() {
		this.#decoder = new TextDecoder();
		this.#rest = '';
	}
}

export class EventStream {
	#lines = new Lines();

	/** @param {Uint8Array} bytes
	 * @returns {EventLine[]} */
	push(bytes) {
		return this.#lines.push(bytes).map((line) => {
			if (line === '')
				return { name: '', value: '', is: 'end' };
			if (line.startsWith(':'))
				return { name: '', value: line.slice(1).replace(/^ /, ''), is: 'comment' };
			const colon = line.indexOf(':');
			if (colon < 0)
				return { name: line, value: '', is: 'field' };
			const value = line.slice(colon + 1).replace(/^ /, '');
			return { name: line.slice(0, colon), value, is: 'field' };
		});
	}

	reset() {
		this.#lines.reset();
	}
}

export class JsonLines {
	#lines = new Lines();

	/** @param {Uint8Array} bytes
	 * @returns {string[]} */
	push(bytes) {
		return this.#lines.push(bytes);
	}

	reset() {
		this.#lines.reset();
	}
}

/** @param {string} text
 * @returns {any} undefined when it is no JSON */
export function parseObject(text) {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** What one of the gateway's JSON objects is, in a few words.
 * @param {any} object */
export function describe(object) {
	if (typeof object !== 'object' || object === null)
		return '';
	if (object.id && object.channel)
		return `message ${String(object.id).replace(/^\w+-/, '')}`;
	const count = object.messages?.length;
	if (Array.isArray(object.messages))
		return `${count} ${count === 1 ? 'message' : 'messages'}, cursor ${object.cursor}`;
	return typeof object.type === 'string' ? object.type : '';
}
