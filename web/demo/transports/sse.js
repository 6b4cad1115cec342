// Server-Sent Events. EventSource reconnects by itself, at the id of the last event it got;
// only a status other than 200 ends it for good, and then the lane opens a new one.
export const name = 'sse';
export const how = 'EventSource: a response that never ends, reconnected by the browser itself.';

/** @type {import('../lane.js').Open} */
export const open = (address, since, lane) => {
	const source = new EventSource(address('sse', since));
	// The gateway's `open` has data; the event of the same name that EventSource makes has none.
	const take = (/** @type {any} */ { data }) => data && lane.take(JSON.parse(data));
	for (const type of ['message', 'open', 'gap', 'heartbeat', 'bye'])
		source.addEventListener(type, take);
	source.onerror = () => {
		if (source.readyState === EventSource.CLOSED)
			lane.lost();
		else
			lane.waits('browser reconnects');
	};
	return () => source.close();
};
