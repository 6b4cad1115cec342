// What both servers share: POST /publish?channel=NAME with the payload as the body, GET /ok, and
// the line on standard output that tells the port.
import { createServer } from 'node:http';

/** @param {(channel: string, payload: string) => void} publish */
export function createPublishServer(publish) {
	return createServer((request, response) => {
		const url = new URL(request.url, 'http://127.0.0.1');
		if (request.method !== 'POST' || url.pathname !== '/publish') {
			const ok = url.pathname === '/ok';
			response.writeHead(ok ? 200 : 404, { 'Content-Length': 2 }).end(ok ? 'ok' : 'no');
			return;
		}
		const chunks = [];
		request.on('data', (chunk) => chunks.push(chunk));
		request.on('end', () => {
			publish(url.searchParams.get('channel'), Buffer.concat(chunks).toString());
			response.writeHead(200, { 'Content-Length': 0 }).end();
		});
	});
}

/** A port of the system's choice; as many waiting connections as the other servers take. */
export function listen(server) {
	server.keepAliveTimeout = 600_000;
	server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
		process.stdout.write(`listening http://127.0.0.1:${server.address().port}\n`);
	});
}
