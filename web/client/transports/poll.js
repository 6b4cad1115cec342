// Short poll: a request every so often, answered at once.
import { Polls } from './polled.js';

export const name = 'poll';

/** @param {import('./request.js').Host} host
 * @returns {import('./request.js').Link} */
export function open(host) {
	return new Polls(host, () => 0, host.interval);
}
