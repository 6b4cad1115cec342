// fetch over the connections of a route: an idle one that turns out to be dead is replaced as
// browsers do it, and answers are unpacked as they come.
import zlib from 'node:zlib';
import { toWeb } from './web_stream.mjs';

const EMPTY = new Set([204, 205, 304]);
const UNPACKED = { Accept: '*/*', 'Accept-Encoding': 'gzip, deflate' };

/** @param {import('./route.mjs').Route} route
 * @returns {typeof fetch} */
export function createFetch(route) {
	return async (/** @type {any} */ url, /** @type {any} */ init = {}) => {
		try {
			return await send(route, url, init);
		} catch (/** @type {any} */ error) {
			if (!error.wasReused || init.signal?.aborted)
				throw error;
			return send(route, url, init);
		}
	};
}

/** @param {import('./route.mjs').Route} route @param {string} url @param {any} init
 * @returns {Promise<Response>} */
function send(route, url, { method, headers, body, signal }) {
	const bytes = body === undefined || body === null ? undefined : Buffer.from(body);
	return new Promise((done, fail) => {
		const request = route.request(url, { method, signal, headers: { ...UNPACKED, ...headers,
			...(bytes ? { 'Content-Length': bytes.length } : {}) } });
		request.on('response', (response) => {
			try {
				done(asResponse(response));
			} catch (error) {
				response.destroy();
				fail(error);
			}
		});
		request.on('error', (error) => fail(Object.assign(error, { wasReused: request.reusedSocket })));
		request.end(bytes);
	});
}

/** Throws when it is none that fetch may give.
 * @param {import('node:http').IncomingMessage} response */
function asResponse(response) {
	const status = response.statusCode ?? 0;
	if (status < 200 || status > 599)
		throw Object.assign(new TypeError('there is no such status'), { code: `status ${status}` });
	const headers = new Headers();
	for (let i = 0; i < response.rawHeaders.length; i += 2)
		headers.append(response.rawHeaders[i], response.rawHeaders[i + 1]);
	if (EMPTY.has(status)) {
		response.resume();
		return new Response(null, { status, headers });
	}
	const body = asUnpacked(response, headers.get('Content-Encoding'));
	return new Response(toWeb(body), { status, headers });
}

/** @param {import('node:http').IncomingMessage} response @param {string | null} encoding */
function asUnpacked(response, encoding) {
	if (encoding !== 'gzip' && encoding !== 'deflate')
		return response;
	const unpacker = zlib.createUnzip({ flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH });
	response.on('error', (error) => unpacker.destroy(error));
	unpacker.on('close', () => response.destroy());
	return response.pipe(unpacker);
}
