// fetch as a browser has it: six connections a host, an idle one that turns out to be dead is
// replaced, answers are unpacked as they come, and a forward proxy may be in the way.
import http from 'node:http';
import zlib from 'node:zlib';
import { toWeb } from './web_stream.mjs';

const CONNECTIONS = 6;
const EMPTY = new Set([101, 204, 205, 304]);

/** @param {string} [proxy] the URL of a forward proxy
 * @returns {typeof fetch & { close: () => void }} */
export function createFetch(proxy) {
	const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
	const fetch = async (/** @type {string} */ url, /** @type {any} */ init = {}) => {
		try {
			return await send(agent, proxy, url, init);
		} catch (/** @type {any} */ error) {
			if (!error.wasReused || init.signal?.aborted)
				throw error;
			return send(agent, proxy, url, init);
		}
	};
	return Object.assign(/** @type {any} */ (fetch), { close: () => agent.destroy() });
}

/** @param {http.Agent} agent @param {string | undefined} proxy @param {string} url @param {any} init
 * @returns {Promise<Response>} */
function send(agent, proxy, url, { method = 'GET', headers = {}, body, signal }) {
	const to = new URL(url);
	const { hostname, port } = proxy ? new URL(proxy) : to;
	const bytes = body === undefined || body === null ? undefined : Buffer.from(body);
	return new Promise((done, fail) => {
		const request = http.request({ host: hostname, port, agent, method, signal, setHost: false,
			path: proxy ? to.href : to.pathname + to.search,
			headers: { Host: to.host, Accept: '*/*', 'Accept-Encoding': 'gzip, deflate', ...headers,
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

/** @param {http.IncomingMessage} response */
function asResponse(response) {
	const status = response.statusCode ?? 0;
	const headers = new Headers();
	for (let i = 0; i < response.rawHeaders.length; i += 2)
		headers.append(response.rawHeaders[i], response.rawHeaders[i + 1]);
	if (EMPTY.has(status)) {
		response.resume();
		return new Response(null, { status, headers });
	}
	const body = unpack(response, headers.get('Content-Encoding'));
	return new Response(toWeb(body), { status, headers });
}

/** @param {http.IncomingMessage} response @param {string | null} encoding */
function unpack(response, encoding) {
	if (encoding !== 'gzip' && encoding !== 'deflate')
		return response;
	const unpacker = zlib.createUnzip({ flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH });
	response.on('error', (error) => unpacker.destroy(error));
	unpacker.on('close', () => response.destroy());
	return response.pipe(unpacker);
}
