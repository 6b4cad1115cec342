// Short poll: a request every so often, answered at once.
import { openPolled } from './polled.js';

export const name = 'poll';

/** @param {import('./request.js').Host} host
 * @returns {import('./request.js').Link} */
export function open(host) {
	return openPolled(host, () => 0, host.interval);
}
