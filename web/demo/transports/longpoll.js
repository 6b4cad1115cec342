// Long-poll: a request that waits for its answer, then the next at the cursor it brought.
import { check } from './check.js';

export const name = 'longpoll';
export const how = 'fetch: a request waits up to 25 s for its answer, then the next one goes out.';

/** @type {import('../lane.js').Open} */
export const open = (address, since, lane) => {
	const abort = new AbortController();
	async function ask() {
		for (let number = 0; ; number++) {
			const url = address('poll', since);
			url.searchParams.set('n', String(number)); // equal requests would wait for one another
			const response = await check(await fetch(url, { signal: abort.signal }));
			const answer = await response.json();
			since = answer.cursor;
			lane.takeAll(answer);
		}
	}
	ask().catch((error) => abort.signal.aborted || lane.lost(error.retry));
	return () => abort.abort();
};
