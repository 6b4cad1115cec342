// A program that trusts an authority from its start (NODE_EXTRA_CA_CERTS): the client over each
// transport, at the gateway whose address is given. Says what it got, in JSON.
import { EventSource } from 'eventsource';
import { listen, until } from './setup.mjs';

const [url] = process.argv.slice(2);

/** Subscribes, publishes, and resumes at its cursor.
 * @param {string} name of the way @param {object} options of the client */
async function use(name, options) {
	const channel = `tls.${name}.${process.pid}`;
	const sluice = listen(url, { channels: [channel], pollInterval: 50, ...options });
	await sluice.opened;
	const transport = sluice.transport;
	await sluice.publish(channel, 1);
	await sluice.publish(channel, 2);
	await until(`two messages on ${name}`, () => sluice.log.messages.length >= 2);
	const { cursor } = sluice;
	sluice.close();
	const publisher = listen(url, { channels: [channel], transports: ['poll'], pollInterval: 50 });
	await publisher.publish(channel, 3);
	publisher.close();
	const again = listen(url, { channels: [channel], pollInterval: 50, ...options, since: cursor });
	await until(`what came meanwhile, on ${name}`, () => again.log.messages.length >= 1);
	again.close();
	return { transport, data: [...sluice.data(), ...again.data()], gaps: again.log.gaps.length };
}

const ways = Object.fromEntries(['websocket', 'sse', 'stream', 'longpoll', 'poll']
	.map((name) => [name, { transports: [name] }]));
ways.eventsource = { transports: ['sse'], EventSource };
/** @type {Record<string, object>} */
const got = {};
for (const [name, options] of Object.entries(ways))
	got[name] = await use(name, options);
console.log(JSON.stringify(got));
process.exit(0); // connections that are kept need not end first
