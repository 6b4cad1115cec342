// Long-poll: a request that is held until there is something to say.
import { Polls } from './polled.js';

export const name = 'longpoll';

/** @param {import('./request.js').Host} host
 * @returns {import('./request.js').Link} */
export function open(host) {
	return new Polls(host, () => Math.floor(host.hold), 0);
}
