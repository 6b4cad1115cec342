// What the tests stand on: a real gateway, an obstacle before it, a list of what came.
// SLUICE is the program, SLUICE_WEB the folder that is served, SLUICE_CLIENT the source of the
// client.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import WebSocket from 'ws';

const { SLUICE, SLUICE_WEB, SLUICE_CLIENT } = process.env;
if (!SLUICE || !SLUICE_WEB || !SLUICE_CLIENT)
	throw new Error('SLUICE, SLUICE_WEB and SLUICE_CLIENT must name the program, the folder of the page and the client\'s source');

export const clientFolder = resolve(SLUICE_WEB, 'client');
export const sourceFolder = resolve(SLUICE_CLIENT);
export const load = (file) => import(pathToFileURL(resolve(clientFolder, file)).href);
const { Sluice } = await load('sluice.js');

/** @param {string[]} options */
const isAboutLimits = (options) => options.includes('--limits') || options.includes('--max-connections-per-address');

export class Gateway {
	#process;
	#port = 0; // until the system has chosen one

	/** With a --tls-listen among its options it listens at that alone. Its clients have no limits unless
	 * --limits is among them. The slow backend is in a program of its own. */
	async start(...options) {
		const listen = options.includes('--tls-listen') ? [] : ['--listen', `127.0.0.1:${this.#port}`];
		this.#process = spawn(SLUICE + (options.includes('slow') ? '-slow' : ''), [...listen, '--drain', '1', '--log-level', 'error', '--web',
			SLUICE_WEB, ...isAboutLimits(options) ? [] : ['--limits', 'off'], ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
		for await (const line of createInterface({ input: this.#process.stdout })) {
			const found = /^listening (https?:\S+)$/.exec(line);
			if (found) {
				this.url = found[1];
				this.#port = Number(new URL(this.url).port);
				return this;
			}
		}
		throw new Error('the gateway did not start');
	}

	get port() {
		return this.#port;
	}

	async stop(signal = 'SIGTERM') {
		if (this.#process.exitCode !== null || this.#process.signalCode !== null)
			return;
		const gone = once(this.#process, 'exit');
		this.#process.kill(signal);
		await gone;
	}

	/** To the process. */
	signal(name) {
		this.#process.kill(name);
	}

	async publish(channel, data) {
		const response = await fetch(`${this.url}publish?channel=${channel}`, { method: 'POST',
			headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(data) });
		if (!response.ok)
			throw new Error(`publish: ${response.status} ${await response.text()}`);
		return (await response.json()).id;
	}

	async getStats() {
		return (await fetch(`${this.url}stats`)).json();
	}
}

/** A proxy before the gateway that does wrong what `faults` says, and may change its mind. A
 * request's first line chooses: the fault of the first pattern that it matches. */
export class Obstacle {
	/** @type {[RegExp, string][]} */
	faults = [];
	requests = [];
	#sockets = new Set();
	#server;

	async start(port) {
		this.#server = net.createServer((client) => this.#serve(client, port));
		this.#server.listen(0, '127.0.0.1');
		await once(this.#server, 'listening');
		this.url = `http://127.0.0.1:${this.#server.address().port}/`;
		return this;
	}

	async stop() {
		this.#sockets.forEach((socket) => socket.destroy());
		this.#server.close();
	}

	/** Ends what runs, as a proxy that restarts does. */
	cut() {
		this.#sockets.forEach((socket) => socket.destroy());
	}

	#serve(client, port) {
		this.#sockets.add(client);
		client.on('error', () => {}).on('close', () => this.#sockets.delete(client));
		client.once('data', (head) => {
			const line = String(head).split('\r\n')[0];
			this.requests.push(line);
			const fault = this.faults.find(([pattern]) => pattern.test(line))?.[1];
			if (fault === 'reset')
				return client.destroy();
			if (fault === 'hole')
				return;
			if (fault === '403' || fault === '504')
				return client.end(`HTTP/1.1 ${fault} Not today\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno`);
			if (fault === 'captive')
				return client.end('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\nConnection: close\r\n\r\n<p>hello ');
			if (fault === 'strip')
				head = Buffer.from(String(head).replace(/^(Upgrade|Connection): .*\r\n/gmi, ''));
			if (fault === 'foreign') // an Origin as a browser sends it
				head = Buffer.from(String(head).replace('\r\n', '\r\nOrigin: http://elsewhere.example\r\n'));
			// One request a connection, so that each is judged by its own line.
			if (!/^upgrade:/mi.test(String(head)))
				head = Buffer.from(String(head).replace(/^connection: .*\r\n/mi, '').replace('\r\n', '\r\nConnection: close\r\n'));
			this.#forward(client, net.connect(port, '127.0.0.1'), head, fault);
		});
	}

	#forward(client, gateway, head, fault) {
		this.#sockets.add(gateway);
		gateway.on('close', () => { this.#sockets.delete(gateway); client.end(); }).on('error', () => client.destroy());
		client.on('close', () => gateway.destroy());
		gateway.write(head);
		client.on('data', (data) => fault === 'deaf' || (fault?.startsWith('small') && data.length > Number(fault.slice(6) || 1000)) || gateway.write(data));
		const held = [];
		let last = Date.now();
		const timer = fault?.startsWith('idle') && setInterval(() => {
			if (Date.now() - last > Number(fault.slice(4)))
				client.destroy();
		}, 50);
		gateway.on('data', (data) => {
			last = Date.now();
			if (fault === 'hold')
				held.push(data);
			else if (fault === 'mute') // the 101, and nothing after it
				client.write(data.subarray(0, held.push(data) > 1 ? 0 : data.indexOf('\r\n\r\n') + 4));
			else if (fault?.startsWith('delay'))
				setTimeout(() => client.write(data), Number(fault.slice(5)));
			else if (fault === 'lag') {
				held.push(data);
				if (held.length > 1)
					client.write(held.shift());
			} else if (fault?.startsWith('heap')) {
				held.push(data);
				if (held.length === 1)
					setTimeout(() => client.write(Buffer.concat(held.splice(0))), Number(fault.slice(4)));
			} else
				client.write(data);
		});
		gateway.on('end', () => fault?.startsWith('delay') || client.end(Buffer.concat(fault === 'mute' ? [] : held)));
		client.on('close', () => clearInterval(timer));
	}
}

/** sluice-obstacle, which stands beside the gateway's program, before it. */
export class RealObstacle {
	#process;

	async start(port, faults = [], ...options) {
		this.#process = spawn(resolve(dirname(SLUICE), 'sluice-obstacle'), ['--listen', '0', '--to', `127.0.0.1:${port}`,
			'--seed', '7', ...options, ...faults.flatMap((fault) => ['--fault', fault])], { stdio: ['ignore', 'pipe', 'inherit'] });
		for await (const line of createInterface({ input: this.#process.stdout })) {
			const found = /^listening .*:(\d+)$/.exec(line);
			if (found) {
				this.url = `http://127.0.0.1:${found[1]}/`;
				return this;
			}
		}
		throw new Error('the obstacle did not start');
	}

	async stop() {
		const gone = once(this.#process, 'exit');
		this.#process.kill();
		await gone;
	}
}

/** A Sluice that writes down what happens to it. */
export function listen(url, options) {
	const sluice = new Sluice(url, { WebSocket, storage: null, ...options });
	const log = { messages: [], transports: [], gaps: [], states: [], errors: [] };
	for (const [type, list] of [['message', 'messages'], ['transport', 'transports'], ['gap', 'gaps'],
		['state', 'states'], ['error', 'errors']])
		sluice.addEventListener(type, (event) => log[list].push(event));
	sluice.log = log;
	sluice.opened = new Promise((done) => sluice.addEventListener('open', done, { once: true }));
	sluice.data = () => log.messages.map(({ data }) => data);
	return sluice;
}

/** Waits until `test()` gives something true, and returns it. The limit is for what never comes: a
 * busy machine takes its time. */
export async function until(what, test, ms = 60000) {
	for (const end = Date.now() + ms; ;) {
		const result = await test();
		if (result)
			return result;
		if (Date.now() > end)
			throw new Error(`waited ${ms} ms in vain: ${what}`);
		await new Promise((done) => setTimeout(done, 20));
	}
}
