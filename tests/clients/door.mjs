// A way to a server that can be cut: a port of its own, whose connections are relayed byte by byte until somebody
// destroys them all, on both sides at once.
import { once } from 'node:events';
import net from 'node:net';

export class Door {
	/** Pairs that are open. @type {Set<[net.Socket, net.Socket]>} */
	#pairs = new Set();
	opened = 0;

	/** @param {number} port of the server */
	constructor(port) {
		this.server = net.createServer((client) => this.#relay(client, net.connect(port, '127.0.0.1')));
	}

	async open() {
		this.server.listen(0, '127.0.0.1');
		await once(this.server, 'listening');
		this.url = `http://127.0.0.1:${this.server.address().port}`;
		return this;
	}

	#relay(client, server) {
		const pair = [client, server];
		this.#pairs.add(pair);
		this.opened++;
		for (const [from, to] of [pair, [server, client]]) {
			from.setNoDelay(true).pipe(to);
			from.on('error', () => {}).on('close', () => {
				this.#pairs.delete(pair);
				to.destroy();
			});
		}
	}

	/** Connections that are through to the server. */
	get count() {
		return this.#pairs.size;
	}

	/** Destroys all connections; says how many there were. @param {boolean} [isHard] by RST, else by FIN */
	cut(isHard = false) {
		const pairs = [...this.#pairs];
		this.#pairs.clear();
		for (const socket of pairs.flat())
			if (isHard)
				socket.resetAndDestroy();
			else
				socket.destroy();
		return pairs.length;
	}

	async close() {
		const closed = once(this.server, 'close');
		this.server.close();
		this.cut();
		await closed;
	}
}
