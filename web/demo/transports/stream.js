// HTTP streaming: one long response, one JSON object a line, read as it comes.
import { check } from './check.js';

export const name = 'stream';
export const how = 'fetch: one long response, a JSON object a line, read as it comes.';

/** @type {import('../lane.js').Open} */
export const open = (address, since, lane) => {
	const abort = new AbortController();
	/** @type {number | undefined} */
	let retry; // what bye asked for
	async function read() {
		const response = await check(await fetch(address('stream', since), { signal: abort.signal }));
		const body = /** @type {ReadableStream} */ (response.body);
		const reader = body.pipeThrough(new TextDecoderStream()).getReader();
		for (let rest = '', part; !(part = await reader.read()).done;) {
			const lines = (rest + part.value).split('\n');
			rest = lines.pop() ?? '';
			for (const object of lines.map((line) => JSON.parse(line))) {
				if (object.type === 'bye')
					retry = object.retry;
				lane.take(object);
			}
		}
	}
	read().then(() => lane.lost(retry),
		(error) => abort.signal.aborted || lane.lost(error.retry ?? retry));
	return () => abort.abort();
};
