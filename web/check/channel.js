// The channel of the check, which the gateway lends to pages without a token for two minutes.
import { askOnce } from '../client/ask.js';
import { parse } from '../client/transports/request.js';

/** @typedef {import('../client/ask.js').Way} Way */
/** @typedef {import('../client/explain.js').Answer} Answer */
/** channel: the lent one, if any; reports: the gateway accepts reports; refused: why it lends none,
 * in its own words; ms: until it answered.
 * @typedef {{ channel?: string, reports: boolean, refused?: string, ms?: number }} Loan */

const LATE_MS = 2000; // then POST may be what does not pass
const LIMIT_MS = 8000;

/** Borrows a channel by POST, and by GET too if the POST is late or fails. The first good answer
 * counts.
 * @param {Way} way
 * @returns {Promise<Loan>} */
export async function borrow(way) {
	const posted = ask(way, 'POST');
	const early = await Promise.race([posted, sleep(LATE_MS)]);
	if (early && isFinal(early))
		return conclude(early);
	return conclude(await pickGood([posted, ask(way, 'GET')]));
}

/** @param {number} ms
 * @returns {Promise<undefined>} */
function sleep(ms) {
	return new Promise((done) => setTimeout(done, ms));
}

/** @param {Way} way @param {string} method */
function ask(way, method) {
	return askOnce(way, 'check/channel', { method }, (text) => {
		const object = parse(text);
		return typeof object.channel === 'string' && object.channel[0] === '~' ? object : undefined;
	}, LIMIT_MS);
}

/** The gateway itself has answered, and would answer the same to a GET.
 * @param {Answer} answer */
function isFinal({ good, ours, status }) {
	return good || (ours && status !== 405);
}

/** @param {Promise<Answer>[]} asked
 * @returns {Promise<Answer>} the first that is good, else the last */
function pickGood(asked) {
	let left = asked.length;
	return new Promise((done) => {
		for (const one of asked)
			one.then((answer) => --left && !answer.good || done(answer));
	});
}

/** @param {Answer} answer
 * @returns {Loan} */
function conclude({ good, value, ours, message, ms }) {
	if (good)
		return { ms, channel: value.channel, reports: value.reports === true };
	return ours ? { ms, reports: false, refused: message } : { reports: false };
}
