// Short poll: asks every two seconds and is answered at once.
import { check } from './check.js';

export const name = 'poll';
export const how = 'fetch: asks every 2 s what is new. Late, and works everywhere.';

/** @type {import('../lane.js').Open} */
export const open = (address, since, lane) => {
	const abort = new AbortController();
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer;
	async function ask() {
		const url = address('poll', since);
		url.searchParams.set('wait', '0');
		const response = await check(await fetch(url, { signal: abort.signal }));
		const answer = await response.json();
		timer = setTimeout(start, since ? 2000 : 0); // the first answer is only the cursor
		since = answer.cursor;
		lane.takeAll(answer);
	}
	const start = () => ask().catch((error) => abort.signal.aborted || lane.lost(error.retry));
	start();
	return () => {
		abort.abort();
		clearTimeout(timer);
	};
};
