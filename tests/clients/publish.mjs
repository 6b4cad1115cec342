// What a backend does: POST /publish, as curl sends it.
import http from 'node:http';

const TYPES = { json: 'application/json', text: 'text/plain', binary: 'application/octet-stream' };

/** @param {string} url of a server @param {string} channel
 * @param {unknown} payload a Buffer goes as binary, a string as text, anything else as JSON
 * @param {{ event?: string, args?: string, token?: string, agent?: http.Agent }} [how]
 * @returns {Promise<string>} the message's id */
export async function publishTo(url, channel, payload, { event, args, token, agent } = {}) {
	const params = Object.entries({ channel, event, args }).filter(([, value]) => value)
		.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
	const kinds = { string: 'text', object: Buffer.isBuffer(payload) ? 'binary' : 'json' };
	const type = TYPES[kinds[typeof payload] ?? 'json'];
	const headers = { 'Content-Type': type, ...token && { Authorization: `Bearer ${token}` } };
	const body = type === TYPES.json ? JSON.stringify(payload) : payload;
	const { status, text } = await post(`${url}/publish?${params}`, headers, body, agent);
	if (status !== 200)
		throw new Error(`publish: ${status} ${text}`);
	return JSON.parse(text).id;
}

/** @returns {Promise<{ status: number, text: string }>} */
export function post(url, headers, body, agent) {
	return new Promise((resolve, reject) => {
		const request = http.request(url, { method: 'POST', headers, agent }, (response) => {
			let text = '';
			response.setEncoding('utf8').on('data', (piece) => text += piece);
			response.on('end', () => resolve({ status: response.statusCode, text })).on('error', reject);
		});
		request.on('error', reject).end(body);
	});
}
