// What is wrong with one answer, in words that say what to do. Pure.
import { gates } from './gates.js';

/** The answer to one request. Without `status` there was none: `silent`, or the connection
 * ended; with it, silent says that its end did not come in time, `cut` that it broke off.
 * ours: it is marked by the gateway; good: its body is what the gateway sends; stale: it is the
 * answer to another request; before: it is that of a second try, after this; again: the second
 * try failed too; code, message: of the gateway's refusal; connect: `refused` is the status by
 * which a proxy refused the tunnel; error: of the connection; issuer: of a certificate that is
 * not trusted; opaque: somebody answers, and this page may not read it.
 * @typedef {{ ms: number, status?: number, ours?: boolean, good?: boolean, type?: string,
 * 	cut?: boolean, silent?: boolean, stale?: boolean, error?: string, issuer?: string,
 * 	connect?: boolean, refused?: number, opaque?: boolean, code?: string, message?: string,
 * 	value?: any, encoding?: string, before?: Answer, again?: Answer }} Answer */

export const LIMIT_MS = gates.sse[0][1]; // for the first sign of anything but a poll
export const UNMARKED = 'a proxy removes the header Sluice from answers, by which a client knows ' +
	'the gateway: have the proxy pass that header';

export const titles = /** @type {Record<string, string>} */ ({ websocket: 'WebSocket',
	sse: 'Server-Sent Events', stream: 'HTTP streaming', longpoll: 'long-polling',
	poll: 'short polling' });
const CODES = /** @type {Record<string, string>} */ ({
	ECONNREFUSED: 'the connection is refused: nothing listens there, or it is blocked',
	ECONNRESET: 'the connection is reset without an answer',
	UND_ERR_SOCKET: 'the connection is closed without an answer',
	ENOTFOUND: 'the gateway\'s name is not known here',
	EAI_AGAIN: 'the gateway\'s name is not known here',
});
/** What the gateway refuses, and what helps; those without an entry are told as it says them. */
const REFUSALS = /** @type {Record<string, string>} */ ({
	too_many_connections: 'wait for connections to end, or start the gateway with higher ' +
		'--max-connections and --max-connections-per-address (behind a proxy all clients have ' +
		'one address)',
	draining: 'try again when it has restarted',
	unauthorized: 'give a token',
	not_found: 'end the URL with the --base-path of the gateway',
	bad_method: 'a proxy or a redirect changed the method, or the gateway is older than this ' +
		'client',
	upgrade_required: 'have the proxy pass Upgrade and Connection',
	upgrade_swallowed: 'have the proxy pass Upgrade and Connection',
	bad_handshake: 'have the proxy pass the handshake of WebSocket unchanged',
	bad_version: 'have the proxy pass the handshake of WebSocket unchanged',
});
const NO_ACCESS = ['bad_origin', 'bad_host'];

/** @param {number | undefined} ms */
export function time(ms = 0) {
	return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}

/** @param {string} name @param {string} gate
 * @returns {number} ms that the client waits for it */
export function limitOf(name, gate) {
	return gates[name].find(([stage]) => stage === gate)?.[1] ?? LIMIT_MS;
}

/** The refusal of a whole site, which every request meets that names it.
 * @param {Answer | undefined} answer */
export function isNoAccess(answer) {
	return Boolean(answer?.ours && NO_ACCESS.includes(answer.code ?? ''));
}

/** @param {Answer} answer nothing of it may be read, and nobody says why */
export function isUnreadable({ status, silent, error, connect }) {
	return status === undefined && !silent && !error && !connect;
}

/** Codes of Node.js and OpenSSL (openssl-verification-options(1)).
 * @param {string} code @param {string} [issuer] */
export function explainCode(code, issuer) {
	const what = `(${code}${issuer ? `; its issuer is ${issuer}` : ''})`;
	if (/^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|ERROR_IN_CERT_NOT_)/.test(code))
		return `the certificate that arrives is not valid at this time ${what}: renew it, or set ` +
			'the clock of this machine';
	if (/^(ERR_TLS_CERT_ALTNAME_|HOSTNAME_MISMATCH)/.test(code))
		return `the certificate that arrives is for another name ${what}: use the name that it ` +
			'has in the URL, or find out who answers in the gateway\'s place';
	if (code === 'CERT_REVOKED')
		return `the certificate that arrives is revoked ${what}: replace it`;
	if (/^ERR_SSL_|^EPROTO$/.test(code))
		return `what answers does not speak TLS as this program does ${what}: use http:// where ` +
			'the gateway has no TLS, or find out who answers in its place';
	if (/CERT|SELF_SIGNED|VERIFY|^INVALID_(CA|PURPOSE)$|^PATH_LENGTH_EXCEEDED$/.test(code))
		return `the certificate that arrives is not trusted here ${what}: a proxy intercepts ` +
			'TLS, or the gateway\'s authority is private; to trust it, start Node.js with the ' +
			'authority\'s certificate in NODE_EXTRA_CA_CERTS';
	return CODES[code] ?? `the connection fails with ${code}`;
}

/** @param {number | undefined} status of the proxy's answer */
export function explainConnect(status) {
	if (status === 407)
		return 'the proxy wants a login first (status 407)';
	return 'the proxy refuses a tunnel to the gateway\'s port (CONNECT was answered with ' +
		`${status ? `status ${status}` : 'nothing'})`;
}

/** @param {Answer} answer */
function explainNone({ ms, silent, error, issuer, connect, refused, opaque }) {
	if (silent)
		return `nothing is answered within ${time(ms)}`;
	if (connect && (refused || !error))
		return explainConnect(refused);
	if (error)
		return explainCode(error, issuer);
	if (opaque)
		return 'somebody answers at this address, but not so that this page may read it: find ' +
			'out who answers in the gateway\'s place';
	return 'no answer comes that this page may read: it is refused, cut off, or given by ' +
		'somebody else';
}

/** In the gateway's own words.
 * @param {Answer} answer */
function explainRefusal({ status, code = '', message }) {
	if (NO_ACCESS.includes(code) && message)
		return message;
	return `the gateway itself refuses it with status ${status}${message ? ` (${message})` : ''}` +
		(REFUSALS[code] ? `: ${REFUSALS[code]}` : '');
}

/** @param {string} bye why the gateway ended a connection (PROTOCOL.md, ends) */
export function explainBye(bye) {
	return `the gateway itself ends it (${bye})${REFUSALS[bye] ? `: ${REFUSALS[bye]}` : ''}`;
}

/** @param {Answer} answer that another gave than the gateway */
function explainForeign({ ms, status = 0, type = '' }) {
	if (status === 407)
		return 'a proxy wants a login first (status 407)';
	const when = ms < 1000 ? '' : `after ${time(Math.round(ms / 1000) * 1000)} `;
	if (status >= 400)
		return `${when}a proxy answers in the gateway's place with status ${status}`;
	return `somebody between answers with something else (status ${status}${type && `, ${type}`})` +
		(type.includes('html') ? ', as a captive portal does' : '');
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
		return 'the answer breaks off on its way';
	if (silent && !good)
		return 'the answer begins and does not end in time';
	return good ? '' : 'something between you and the gateway changes its answers on their way, ' +
		'as a filter or an advertiser does';
}
