// Why no WebSocket comes about, or none that is of use, in words. Pure.
import { LIMIT_MS, explain, explainBye, explainCode, explainConnect, limitOf,
	time } from './explain.js';

/** @typedef {import('./explain.js').Answer} Answer */
/** @typedef {import('./verdict.js').WebSocketFacts} WebSocketFacts */

const BETWEEN = 'between you and the gateway';

/** Why there was no handshake.
 * @param {WebSocketFacts} facts */
function explainUpgrade({ ended, status, connect, error, ms, seen, plain }) {
	const how = error ? `${explainCode(error)}, ` : '';
	const took = time(ended ?? ms);
	if (connect)
		return status || !error ? explainConnect(status) : explainCode(error);
	if (seen?.startsWith('upgraded'))
		return 'the gateway accepted the upgrade and its answer did not arrive ' +
			(ended === undefined ? `within ${time(ms)}` :
				`intact (${how}it failed after ${time(ended)})`);
	if (plain?.ours && plain.status && plain.status !== 426)
		return explain(plain);
	if (seen === 'plain_get' || (status === 426 && seen === undefined))
		return `a proxy ${BETWEEN} removes the Upgrade header (it answered in ${took} and the ` +
			`gateway ${seen ? 'saw' : 'says that it got'} an ordinary request)`;
	const saw = seen === 'nothing' ? ' and the gateway saw nothing of it' : '';
	if (plain && !plain.ours)
		return plain.error && plain.error === error ? explain(plain) :
			'the gateway\'s path for WebSocket is blocked, with an upgrade or without ' +
			`(${explain(plain)})`;
	if (status)
		return `a proxy ${BETWEEN} refuses the upgrade with status ${status} (in ${took}${saw})`;
	return ended === undefined ?
		`something ${BETWEEN} swallows the upgrade (nothing came in ${took}${saw})` :
		`something ${BETWEEN} refuses the upgrade (${how}in ${took}${saw})`;
}

/** What came, and later than the client waits for it; '' for nothing.
 * @param {WebSocketFacts} facts */
export function findLate({ handshake = 0, open = Infinity, small = Infinity, large = Infinity }) {
	const steps = /** @type {[string, number, string][]} */ ([
		['open', open - handshake, 'the first frame of the gateway'],
		['small', small - open, 'the answer to a small frame'],
		['large', large - small, 'the answer to a frame of 4 KB'],
	]);
	for (const [gate, took, what] of steps)
		if (took < Infinity && took > limitOf('websocket', gate))
			return `the path is too slow for WebSocket: ${what} comes after ${time(took)}, and ` +
				`the client waits ${time(limitOf('websocket', gate))} for it`;
	return '';
}

/** Small frames come back.
 * @param {number | undefined} ended ms @param {Answer} echo of 4 KB, by POST */
function explainSmall(ended, echo) {
	if (ended === undefined && echo.ours && echo.silent)
		return 'the path is too slow for WebSocket: a frame of 4 KB does not come back within ' +
			`${time(LIMIT_MS)}, nor do 4 KB by POST`;
	let end = `within ${time(LIMIT_MS)}`;
	if (ended !== undefined)
		end = `the connection ended after ${time(ended)}`;
	return `a proxy ${BETWEEN} lets small WebSocket frames pass, but none of 4 KB (${end})`;
}

/** @param {WebSocketFacts} facts that have a handshake @param {Answer} echo of 4 KB, by POST
 * @returns {string} what is in the way, '' for nothing */
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
		return `something ${BETWEEN} puts bytes of its own into the socket`;
	if (seen === 'nothing')
		return `somebody ${BETWEEN} answers the upgrade in its place (the gateway saw nothing ` +
			'of it)';
	const passes = `a proxy ${BETWEEN} lets the upgrade pass and `;
	const within = `within ${time(LIMIT_MS)}`;
	if (ended !== undefined)
		return `${passes}ends the connection (after ${time(ended)})`;
	if (open === undefined)
		return `${passes}then nothing from the gateway` +
			`${seen === 'upgraded_no_frame' ? ', nor to it' : ''} (${within})`;
	if (!seen)
		return `${passes}then no answer (${within})`;
	return seen === 'upgraded' ?
		`${passes}holds back what the gateway answers (nothing of it came ${within})` :
		`${passes}then nothing of what you send (the gateway saw the upgrade and no frame)`;
}

/** @param {WebSocketFacts} facts @param {Answer} echo
 * @returns {string} what is in the way, '' for nothing */
export function findObstacle(facts, echo) {
	if (facts.missing)
		return `this ${facts.missing} has no WebSocket`;
	return facts.handshake === undefined ? explainUpgrade(facts) : explainSocket(facts, echo);
}
