// WebSocket: one text frame an object, both ways (this page only listens).
export const name = 'websocket';
export const how = 'One connection, frames both ways after an upgrade (RFC 6455).';

/** @type {import('../lane.js').Open} */
export const open = (address, since, lane) => {
	const url = address('ws', since);
	url.protocol = url.protocol.replace('http', 'ws');
	const socket = new WebSocket(url);
	/** @type {number | undefined} */
	let retry; // what bye asked for
	socket.onmessage = ({ data }) => {
		const object = JSON.parse(data);
		if (object.type === 'bye')
			retry = object.retry;
		lane.take(object);
	};
	socket.onclose = () => lane.lost(retry);
	return () => {
		socket.onclose = null;
		socket.onmessage = null;
		socket.close();
	};
};
