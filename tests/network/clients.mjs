// Runs in the client's host: a Sluice for each of the options given. Each listens to the
// channel and publishes numbers to one of its own, one after the other, as many as `numbers`
// says and at most until standard input ends. What happens is written to standard output, one JSON
// object a line.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import WebSocket from 'ws';

const { Sluice } = await import(pathToFileURL(resolve(process.env.SLUICE_WEB, 'client/sluice.js')).href);
const { url, channel, options } = JSON.parse(process.argv[2]);
let isOver = false;
process.stdin.on('end', () => isOver = true).resume();

for (const [name, { numbers = Infinity, ...given }] of Object.entries(options)) {
	const tell = (event, fields) => console.log(JSON.stringify({ name, event, ...fields }));
	const sluice = new Sluice(url, { WebSocket, storage: null, channels: [channel], since: '0', ...given });
	sluice.addEventListener('message', ({ data }) => tell('message', { data }));
	sluice.addEventListener('gap', ({ after, resumed }) => tell('gap', { after, resumed }));
	sluice.addEventListener('transport', ({ from, to, why }) => tell('transport', { from, to, why }));
	sluice.addEventListener('error', ({ code, transport, message }) => tell('error', { message: `${transport}: ${code}: ${message}` }));
	publishNumbers(sluice, `from.${name}`, numbers, tell);
}

async function publishNumbers(sluice, to, last, tell) {
	for (let number = 1; number <= last && !isOver; number++) {
		await sluice.publish(to, number).then(() => tell('published', { number }),
			({ code, message }) => tell('failed', { why: `${number}: ${code}: ${message}` }));
		await new Promise((done) => setTimeout(done, 100));
	}
	tell('stopped');
}
