// Explains why a WebSocket does not open, or is of no use. Pure.
import { BETWEEN, LIMIT_MS, explain, explainBye, explainCode, explainConnect, limitOf,
	time } from './explain.js';

/** @typedef {import('./explain.js').Answer} Answer */
/** @typedef {import('./verdict.js').WebSocketFacts} WebSocketFacts */

/** Why there was no handshake.
 * @param {WebSocketFacts} facts */
function explainUpgrade({ ended, status, connect, error, ms, seen, plain }) {
	const how = error ? `${explainCode(error)}, ` : '';
	const took = time(ended ?? ms);
	if (connect)
		return status || !error ? explainConnect(status) : explainCode(error);
	if (seen?.startsWith('upgraded'))
		return 'the gateway accepts the upgrade, but its answer does not arrive ' +
			(ended === undefined ? `within ${time(ms)}` :
				`intact (${how}the connection failed after ${time(ended)})`);
	if (plain?.ours && plain.status && plain.status !== 426)
		return explain(plain);
	if (seen === 'plain_get' || (status === 426 && seen === undefined))
		return `a proxy ${BETWEEN} removes the Upgrade header (the answer took ${took}, and the ` +
			`gateway ${seen ? 'saw' : 'reports'} an ordinary request)`;
	const saw = seen === 'nothing' ? ', and the gateway did not see the request' : '';
	if (plain && !plain.ours)
		return plain.error && plain.error === error ? explain(plain) :
			'something blocks the gateway\'s URL for WebSocket, with an upgrade or without ' +
			`(${explain(plain)})`;
	if (status)
		return `a proxy ${BETWEEN} refuses the upgrade with status ${status} (after ${took}${saw})`;
	return ended === undefined ?
		`something ${BETWEEN} drops the upgrade (no answer within ${took}${saw})` :
		`something ${BETWEEN} refuses the upgrade (${how}after ${took}${saw})`;
}

/** @param {WebSocketFacts} facts
 * @returns {string} which step took longer than the client waits, '' for none */
export function findLate({ handshake = 0, open = Infinity, small = Infinity, large = Infinity }) {
	const steps = /** @type {[string, number, string][]} */ ([
		['open', open - handshake, 'the first frame of the gateway'],
		['small', small - open, 'the answer to a small frame'],
		['large', large - small, 'the answer to a frame of 4 KB'],
	]);
	for (const [gate, took, what] of steps)
		if (took < Infinity && took > limitOf('websocket', gate))
			return `the path is too slow for WebSocket: ${what} arrives after ${time(took)}, but ` +
				`the client waits at most ${time(limitOf('websocket', gate))}`;
	return '';
}

/** Small frames come back, large ones do not.
 * @param {number | undefined} ended ms @param {Answer} echo of 4 KB, by POST */
function explainSmall(ended, echo) {
	if (ended === undefined && echo.ours && echo.silent)
		return 'the path is too slow for WebSocket: neither a frame nor a POST of 4 KB comes ' +
			`back within ${time(LIMIT_MS)}`;
	const end = ended === undefined ? `no answer within ${time(LIMIT_MS)}` :
		`the connection ended after ${time(ended)}`;
	return `a proxy ${BETWEEN} passes small WebSocket frames, but none of 4 KB (${end})`;
}

/** @param {WebSocketFacts} facts that have a handshake @param {Answer} echo of 4 KB, by POST
 * @returns {string} the obstacle, '' for none */
function explainSocket(facts, echo) {
	const { open, small, large, foreign, ended, bye, seen } = facts;
	const late = findLate(facts);
	if (late || large !== undefined)
		return late;
	if (bye)
		return explainBye(bye);
	if (open !== undefined && small !== undefined)
		return explainSmall(ended, echo);
	if (foreign)
		return `something ${BETWEEN} inserts bytes into the WebSocket`;
	if (seen === 'nothing')
		return `another server ${BETWEEN} answers the upgrade (the gateway did not see the ` +
			'request)';
	const passes = `a proxy ${BETWEEN} passes the upgrade, but `;
	const within = `within ${time(LIMIT_MS)}`;
	if (ended !== undefined)
		return `${passes}closes the connection after ${time(ended)}`;
	if (open === undefined)
		return `${passes}no data ${seen === 'upgraded_no_frame' ? 'in either direction' :
			'from the gateway'} (${within})`;
	if (!seen)
		return `${passes}then no answer arrives (${within})`;
	return seen === 'upgraded' ?
		`${passes}holds back the gateway's answers (none arrives ${within})` :
		`${passes}no data to the gateway (which saw the upgrade and no frame)`;
}

/** @param {WebSocketFacts} facts @param {Answer} echo
 * @returns {string} the obstacle, '' for none */
export function findObstacle(facts, echo) {
	if (facts.missing)
		return `this ${facts.missing} has no WebSocket`;
	return facts.handshake === undefined ? explainUpgrade(facts) : explainSocket(facts, echo);
}
