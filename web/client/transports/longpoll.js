// Long-poll: a request that is held until there is something to say.
import { openPolled } from './polled.js';

export const name = 'longpoll';

/** @param {import('./request.js').Host} host
 * @returns {import('./request.js').Link} */
export function open(host) {
	return openPolled(host, () => Math.floor(host.hold), 0);
}
