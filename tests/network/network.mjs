// Two hosts and a router between them, each a network namespace with a stack of its own
// (ip-netns(8)): a client's packets really travel, and really get lost.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const clientNet = '10.81.1';
const otherNet = '10.81.2'; // where the client moves
const gatewayNet = '10.81.3';
let count = 0;

/** What is missing for it here, in words; '' for nothing. */
export function findWhyNot() {
	for (const [program, option] of [['ip', '-V'], ['nft', '-v'], ['ss', '-V']])
		if (spawnSync(program, [option]).error)
			return `the program ${program} is missing`;
	const network = new Network();
	try {
		network.create();
		return '';
	} catch (error) {
		return `network namespaces are not permitted here: ${String(error.stderr ?? error).trim()}`;
	} finally {
		network.remove();
	}
}

function run(program, ...words) {
	return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const isRunning = ({ exitCode, signalCode }) => exitCode === null && signalCode === null;

function killHard(pid) {
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// it has gone meanwhile
	}
}

export class Network {
	gatewayAddress = `${gatewayNet}.2`;
	clientAddress = `${clientNet}.2`;
	#prefix = `sluice-${process.pid}-${++count}`;
	/** @type {import('node:child_process').ChildProcess[]} */
	#processes = [];
	#names = [];
	#remove = () => this.remove();

	create() {
		process.on('exit', this.#remove);
		for (const host of ['client', 'router', 'gateway']) {
			run('ip', 'netns', 'add', this.#name(host));
			this.#names.push(this.#name(host));
			run('ip', '-n', this.#name(host), 'link', 'set', 'lo', 'up');
		}
		for (const [host, net] of [['client', clientNet], ['gateway', gatewayNet]]) {
			run('ip', '-n', this.#name(host), 'link', 'add', 'wire', 'type', 'veth',
				'peer', 'name', host, 'netns', this.#name('router'));
			this.#addAddress(host, 'wire', `${net}.2`);
			this.#addAddress('router', host, `${net}.1`);
			run('ip', '-n', this.#name('router'), 'link', 'set', host, 'up');
			run('ip', '-n', this.#name(host), 'link', 'set', 'wire', 'up');
			run('ip', '-n', this.#name(host), 'route', 'add', 'default', 'via', `${net}.1`);
		}
		this.#addAddress('router', 'client', `${otherNet}.1`);
		this.run('router', 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
		this.run('router', 'nft', 'add table ip path');
		this.run('router', 'nft', 'add chain ip path forward { type filter hook forward priority 0; }');
		return this;
	}

	/** Every packet vanishes between the hosts: no FIN, no RST, no ICMP. */
	cut() {
		this.#drop('');
	}

	/** @param {number} percent of the packets vanish, both ways */
	lose(percent) {
		this.#drop(`numgen random mod 100 < ${percent}`);
	}

	mend() {
		this.run('router', 'nft', 'flush chain ip path forward');
	}

	/** How many packets have vanished since the path was last mended. */
	get dropped() {
		const rules = this.run('router', 'nft', 'list chain ip path forward');
		return Number(/counter packets (\d+)/.exec(rules)?.[1] ?? 0);
	}

	/** The client's host gets another address in another network, as when somebody walks out
	 * of the Wi-Fi; nobody tells the gateway. */
	move() {
		const client = this.#name('client');
		run('ip', '-n', client, 'addr', 'del', `${this.clientAddress}/24`, 'dev', 'wire');
		this.clientAddress = `${otherNet}.2`;
		this.#addAddress('client', 'wire', this.clientAddress);
		run('ip', '-n', client, 'route', 'replace', 'default', 'via', `${otherNet}.1`);
	}

	/** The addresses of those that the gateway's host holds connections with. */
	get peers() {
		const lines = this.run('gateway', 'ss', '-H', '-t', '-n', 'state', 'established');
		return [...lines.matchAll(/\s([\d.]+):\d+\s*$/gm)].map(([, address]) => address);
	}

	/** Whether something in the gateway's host accepts connections at the port. */
	isListening(port) {
		return new RegExp(`:${port}\\s`).test(this.run('gateway', 'ss', '-H', '-l', '-t', '-n'));
	}

	/** What a program prints in one of the hosts. */
	run(host, ...words) {
		return run('ip', 'netns', 'exec', this.#name(host), ...words);
	}

	/** @param {'client' | 'gateway'} host @param {string} program @param {string[]} words
	 * @param {import('node:child_process').SpawnOptions} options */
	spawn(host, program, words, options) {
		const child = spawn('ip', ['netns', 'exec', this.#name(host), program, ...words], options);
		this.#processes.push(child);
		return child;
	}

	/** Ends what runs in it, then the network. */
	async destroy() {
		await Promise.all(this.#processes.filter(isRunning).reverse().map((child) => {
			const gone = once(child, 'exit');
			child.kill();
			const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
			return gone.finally(() => clearTimeout(timer));
		}));
		this.remove();
	}

	remove() {
		process.off('exit', this.#remove);
		for (const name of this.#names.splice(0)) {
			const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
			for (const pid of stdout.split('\n').filter(Boolean))
				killHard(Number(pid));
			spawnSync('ip', ['netns', 'delete', name]);
		}
	}

	#name(host) {
		return `${this.#prefix}-${host}`;
	}

	#addAddress(host, device, address) {
		run('ip', '-n', this.#name(host), 'addr', 'add', `${address}/24`, 'dev', device);
	}

	#drop(which) {
		this.mend();
		this.run('router', 'nft', `add rule ip path forward ${which} counter drop`);
	}
}
