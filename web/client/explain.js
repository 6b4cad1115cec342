// Explains what is wrong with one answer, and what to do about it. Pure, but for the name of the
// program that it runs in.
import { gates } from './gates.js';

/** The answer to one request of a diagnosis.
 * @typedef {object} Answer
 * @property {number} ms from the request to the head of the answer, or to the failure
 * @property {number} [status] HTTP status; absent: no answer came
 * @property {boolean} [ours] the answer has the header `Sluice`, so the gateway sent it
 * @property {boolean} [good] the body is what the gateway sends
 * @property {string} [type] Content-Type without parameters
 * @property {string} [encoding] Content-Encoding
 * @property {boolean} [silent] nothing came in time; with `status`, the body did not end in time
 * @property {boolean} [cut] the connection broke before the body ended
 * @property {boolean} [stale] it answers another request: a cache sent it
 * @property {string} [error] the connection's error code, as Node.js names it
 * @property {string} [issuer] of a certificate that is not trusted
 * @property {boolean} [connect] a proxy refused the tunnel (CONNECT), with the status `refused`
 * @property {number} [refused]
 * @property {boolean} [opaque] something answers, but this page may not read the answer
 * @property {string} [code] of the gateway's refusal (PROTOCOL.md, Errors)
 * @property {string} [message] of the same
 * @property {any} [value] the parsed body
 * @property {Answer} [before] the first try, which failed; this is the second
 * @property {Answer} [again] the second try, which failed too; this is the first */

export const LIMIT_MS = gates.sse[0][1]; // for the first sign of anything but a poll
/** What this runs in, as sentences name it. */
export const PROGRAM = globalThis.document ? 'browser' : 'program';
export const BETWEEN = `between this ${PROGRAM} and the gateway`;
export const UNMARKED = 'a proxy removes the response header Sluice, by which the client ' +
	'recognizes the gateway: let the proxy pass this header';

export const titles = /** @type {Record<string, string>} */ ({ websocket: 'WebSocket',
	sse: 'Server-Sent Events', stream: 'HTTP streaming', longpoll: 'long-polling',
	poll: 'short polling' });
const CODES = /** @type {Record<string, string>} */ ({
	ECONNREFUSED: 'the connection is refused: nothing listens at this address and port, or a ' +
		'firewall blocks it',
	ECONNRESET: 'the connection is reset without an answer',
	UND_ERR_SOCKET: 'the connection is closed without an answer',
	ENOTFOUND: 'the gateway\'s name cannot be resolved: check the URL and the DNS server',
	EAI_AGAIN: 'the gateway\'s name cannot be resolved: check the URL and the DNS server',
});
/** What helps when the gateway refuses, by its code. */
const REFUSALS = /** @type {Record<string, string>} */ ({
	too_many_connections: 'wait for connections to end, or start the gateway with higher ' +
		'--max-connections and --max-connections-per-address (behind a proxy all clients share ' +
		'one address)',
	draining: 'try again after the gateway has restarted',
	unauthorized: 'give a valid token',
	not_found: 'end the URL with the --base-path of the gateway',
	bad_method: 'a proxy or a redirect changed the method, or the gateway is older than this ' +
		'client',
	upgrade_required: 'let the proxy pass the headers Upgrade and Connection',
	upgrade_swallowed: 'let the proxy pass the headers Upgrade and Connection',
	bad_handshake: 'let the proxy pass the WebSocket handshake unchanged',
	bad_version: 'let the proxy pass the WebSocket handshake unchanged',
});
const NO_ACCESS = ['bad_origin', 'bad_host'];

/** @param {number | undefined} ms */
export function time(ms = 0) {
	return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}

/** @param {string} name of a transport @param {string} gate
 * @returns {number} ms that the client waits for this gate */
export function limitOf(name, gate) {
	return gates[name].find(([stage]) => stage === gate)?.[1] ?? LIMIT_MS;
}

/** Whether the gateway refuses the page's origin or the Host, whatever is requested.
 * @param {Answer | undefined} answer */
export function isNoAccess(answer) {
	return Boolean(answer?.ours && NO_ACCESS.includes(answer.code ?? ''));
}

/** Whether the page cannot read the answer, and no error says why.
 * @param {Answer} answer */
export function isUnreadable({ status, silent, error, connect }) {
	return status === undefined && !silent && !error && !connect;
}

/** Codes of Node.js and OpenSSL (openssl-verification-options(1)).
 * @param {string} code @param {string} [issuer] */
export function explainCode(code, issuer) {
	const what = `(${code}${issuer ? `; its issuer is ${issuer}` : ''})`;
	if (/^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|ERROR_IN_CERT_NOT_)/.test(code))
		return `the certificate received is not valid at this time ${what}: renew it, or set ` +
			'the clock of this machine';
	if (/^(ERR_TLS_CERT_ALTNAME_|HOSTNAME_MISMATCH)/.test(code))
		return `the certificate received is for another name ${what}: use the certificate's name ` +
			'in the URL, or find out which server answers in the gateway\'s place';
	if (code === 'CERT_REVOKED')
		return `the certificate received is revoked ${what}: replace it`;
	if (/^ERR_SSL_|^EPROTO$/.test(code))
		return `the TLS handshake fails ${what}: use http:// if the gateway has no TLS, or find ` +
			'out which server answers in its place';
	if (/CERT|SELF_SIGNED|VERIFY|^INVALID_(CA|PURPOSE)$|^PATH_LENGTH_EXCEEDED$/.test(code))
		return `the certificate received is not trusted here ${what}: a proxy intercepts TLS, or ` +
			'the gateway uses a private certificate authority; to trust this authority, set ' +
			'NODE_EXTRA_CA_CERTS to the file with its certificate';
	return CODES[code] ?? `the connection fails with ${code}`;
}

/** @param {number | undefined} status of the proxy's answer */
export function explainConnect(status) {
	if (status === 407)
		return 'the proxy requires a login (status 407)';
	return 'the proxy refuses a tunnel to the gateway\'s port (it ' +
		`${status ? `answers CONNECT with status ${status}` : 'does not answer CONNECT'})`;
}

/** @param {Answer} answer */
function explainNone({ ms, silent, error, issuer, connect, refused, opaque }) {
	if (silent)
		return `no answer arrives within ${time(ms)}`;
	if (connect && (refused || !error))
		return explainConnect(refused);
	if (error)
		return explainCode(error, issuer);
	if (opaque)
		return 'a server answers at this address, but this page may not read the answer: find ' +
			'out which server answers in the gateway\'s place';
	return 'no answer arrives that this page may read: the request is refused or cut off, or ' +
		'another server answers';
}

/** @param {Answer} answer by which the gateway refuses */
function explainRefusal({ status, code = '', message }) {
	if (NO_ACCESS.includes(code) && message)
		return message;
	return `the gateway itself refuses the request with status ${status}` +
		(message ? ` (${message})` : '') + (REFUSALS[code] ? `: ${REFUSALS[code]}` : '');
}

/** @param {string} bye why the gateway ended a connection (PROTOCOL.md, ends) */
export function explainBye(bye) {
	return `the gateway itself ends the connection (${bye})` +
		(REFUSALS[bye] ? `: ${REFUSALS[bye]}` : '');
}

/** @param {Answer} answer of another server than the gateway */
function explainForeign({ ms, status = 0, type = '' }) {
	if (status === 407)
		return 'a proxy requires a login (status 407)';
	const when = ms < 1000 ? '' : `after ${time(Math.round(ms / 1000) * 1000)} `;
	if (status >= 400)
		return `a proxy answers ${when}in the gateway's place with status ${status}`;
	return `another server answers in the gateway's place (status ${status}` +
		`${type && `, ${type}`})` + (type.includes('html') ?
		', perhaps the login page of this network (captive portal)' : '');
}

/** What is wrong with an answer; '' for nothing.
 * @param {Answer} answer */
export function explain(answer) {
	const { status, ours, good, cut, silent } = answer;
	if (status === undefined)
		return explainNone(answer);
	if (!ours)
		return good ? UNMARKED : explainForeign(answer);
	if (status >= 400)
		return explainRefusal(answer);
	if (cut)
		return 'the connection breaks before the answer ends';
	if (silent && !good)
		return 'the answer begins, but does not end in time';
	return good ? '' : `something ${BETWEEN} changes the gateway's answers, as content filters ` +
		'and advertising do';
}
