// The three hosts of doc/cluster.md on this one: its files and its commands as they stand, but for hosts, ports and
// paths. SLUICE is the gateway, SLUICE_WEB the folder that it serves, SLUICE_DOC the folder doc, SLUICE_LAB the lab, whose
// authority issues the certificate of the load balancer.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findPort, Program, until } from './program.mjs';

const { SLUICE, SLUICE_WEB, SLUICE_DOC, SLUICE_LAB } = process.env;
const { createIdentity } = await import(pathToFileURL(resolve(SLUICE_LAB, 'certificate.mjs')).href);

const HOST_NAME = 'push.example.org';
const HOSTS = [1, 2, 3];

/** What the files say that is of real hosts, and may not be left in a file that a test runs. */
const OF_A_HOST = /\/etc\/|\/var\/|:443\b|listen 443|\.internal|\b(8080|9090|4222|6222|8222)\b|192\.0\.2/;

/** A command of the page, as it stands there. @param {RegExp} pattern of its line */
export function findCommand(pattern) {
	const blocks = readFileSync(resolve(SLUICE_DOC, 'cluster.md'), 'utf8').matchAll(/^```sh\n([^]*?)^```$/gm);
	const line = [...blocks].flatMap(([, text]) => text.split('\n')).find((text) => pattern.test(text));
	if (!line)
		throw new Error(`doc/cluster.md has no command ${pattern}`);
	return line;
}

/** Three NATS servers, three gateways, and load balancers before them. */
export class Cluster {
	/** @type {Program[]} */
	programs = [];
	/** @type {Program[]} the nth host's at n - 1 */
	servers = [];
	/** @type {Program[]} */
	gateways = [];
	/** @type {Record<string, { port: number, authority: Buffer }>} load balancers, as clients.mjs takes a place */
	fronts = {};
	#ports = {};

	constructor() {
		this.folder = mkdtempSync(join(tmpdir(), 'sluice-cluster-'));
		chmodSync(this.folder, 0o755);
	}

	async start() {
		const names = ['nats', 'routes', 'monitor', 'gateway', 'admin'];
		for (const name of names)
			this.#ports[name] = await Promise.all(HOSTS.map(findPort));
		this.#prepareFiles();
		for (const host of HOSTS)
			this.servers.push(this.#startServer(host));
		for (const host of HOSTS)
			await until(() => this.#askHealth(host));
		for (const host of HOSTS)
			this.gateways.push(this.#startGateway(host));
		for (const gateway of this.gateways)
			await gateway.untilSaid(/^listening /m);
		await this.#startFronts();
		return this;
	}

	async stop() {
		for (const program of this.programs.reverse())
			await program.stop();
		rmSync(this.folder, { recursive: true, force: true });
	}

	/** What a gateway's listener for admins answers. @param {number} n of the gateway, from 0 */
	async ask(n, path) {
		const response = await fetch(`http://127.0.0.1:${this.#ports.admin[n]}${path}`).catch(() => null);
		return { status: response?.status, text: await response?.text() };
	}

	/** The place of the server that leads the bus, from 0. */
	async findLeader() {
		for (const port of this.#ports.monitor) {
			const response = await fetch(`http://127.0.0.1:${port}/jsz?accounts=true&streams=true`).catch(() => null);
			const streams = response ? (await response.json()).account_details?.[0]?.stream_detail ?? [] : [];
			const leader = streams.find(({ name }) => name === 'sluice-main')?.cluster?.leader;
			if (leader)
				return Number(leader.slice(-1)) - 1;
		}
		throw new Error('nobody leads');
	}

	#path(...names) {
		return join(this.folder, ...names);
	}

	#write(name, text) {
		writeFileSync(this.#path(name), text, { mode: 0o600 });
		return this.#path(name);
	}

	#run(program, ...words) {
		const child = new Program(program, words, { cwd: this.folder, env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
		this.programs.push(child);
		return child;
	}

	/** A file or a command of the page, for one of the hosts. @param {string} name of a file @param {number} host from 1 */
	#adapt(text, host, name = text) {
		const { nats, routes, monitor, gateway, admin } = this.#ports;
		const replacements = [
			...HOSTS.flatMap((other) => [[`nats-${other}.internal:4222`, `localhost:${nats[other - 1]}`],
				[`nats-${other}.internal:6222`, `localhost:${routes[other - 1]}`],
				[`gateway-${other}.internal:8080`, `127.0.0.1:${gateway[other - 1]}`]]),
			['server_name: nats-1', `server_name: nats-${host}`], ['0.0.0.0:4222', `127.0.0.1:${nats[host - 1]}`],
			['0.0.0.0:6222', `127.0.0.1:${routes[host - 1]}`], ['127.0.0.1:8222', `127.0.0.1:${monitor[host - 1]}`],
			['0.0.0.0:8080', `127.0.0.1:${gateway[host - 1]}`], ['127.0.0.1:8080', `127.0.0.1:${gateway[host - 1]}`], ['127.0.0.1:9090', `127.0.0.1:${admin[host - 1]}`],
			['"192.0.2.10"', '"127.0.0.1"'], ['DNS:%s.internal', 'DNS:localhost'], ['/CN=$name.internal', '/CN=$name'],
			['/etc/nats/tls', this.#path(`tls-${host}`)], ['/var/lib/nats', this.#path(`store-${host}`)],
			['/var/lib/sluice', this.#path(`state-${host}`)], ['/etc/sluice', this.folder],
			['/etc/letsencrypt/live/push.example.org', this.folder], ['/etc/haproxy/push.example.org.pem', this.#path('combined.pem')],
			['/var/log/nginx', this.folder], ['bind :443', `bind 127.0.0.1:${this.#ports.haproxy}`],
			['listen 443', `listen 127.0.0.1:${this.#ports.nginx}`],
		];
		for (const [from, to] of replacements)
			text = text.replaceAll(from, to);
		const left = text.split('\n').find((line) => !/^\s*#/.test(line) && OF_A_HOST.test(line.replaceAll(this.folder, '')));
		if (left)
			throw new Error(`${name} says something of a real host that is not replaced: ${left}`);
		return text;
	}

	#read(name, host) {
		return this.#adapt(readFileSync(resolve(SLUICE_DOC, 'cluster', name), 'utf8'), host, name);
	}

	#prepareFiles() {
		execFileSync('sh', [this.#write('make-certificates.sh', this.#read('make-certificates.sh', 1))], { cwd: this.folder, stdio: 'pipe' });
		for (const name of ['token.key', 'secret'])
			execFileSync('sh', ['-c', this.#adapt(findCommand(new RegExp(`^openssl rand .*> ${name}$`)), 1)], { cwd: this.folder });
		for (const host of HOSTS) {
			for (const name of [`tls-${host}`, `state-${host}`, `host-${host}`])
				mkdirSync(this.#path(name));
			for (const name of ['cert', 'key'])
				copyFileSync(this.#path(`nats-${host}-${name}.pem`), this.#path(`tls-${host}`, `${name}.pem`));
			copyFileSync(this.#path('ca.pem'), this.#path(`tls-${host}`, 'ca.pem'));
			this.#write(`host-${host}/nats-server.conf`, this.#read('nats.conf', host));
			this.#write(`host-${host}/nats-users.conf`, this.#read('nats-users.conf', host));
			this.#write(`host-${host}/gateway.json`, this.#read('gateway.json', host));
		}
		copyFileSync(this.#path('ca.pem'), this.#path('nats-ca.pem'));
		this.#write('nats-password', 'change this\n');
		for (const name of ['token.key', 'secret'])
			chmodSync(this.#path(name), 0o600);
	}

	#startServer(host) {
		return this.#run(process.env.NATS_SERVER ?? 'nats-server', '--config', this.#path(`host-${host}`, 'nats-server.conf'));
	}

	/** What a command of the page prints on a host. @param {RegExp} pattern of its line @param {number} host from 1 */
	type(pattern, host, env = {}) {
		return execFileSync('sh', ['-c', this.#adapt(findCommand(pattern), host)],
			{ encoding: 'utf8', stdio: 'pipe', env: { ...process.env, ...env } });
	}

	#askHealth(host) {
		if (this.servers[host - 1].hasEnded)
			throw new Error(`nats-server has ended: ${this.servers[host - 1].said}`);
		try {
			const said = this.type(/^curl .*healthz/, host);
			return said.includes('"ok"') ? '' : said;
		} catch {
			return `server ${host} to answer`;
		}
	}

	#startGateway(host) {
		return this.#run(SLUICE, '--config', this.#path(`host-${host}`, 'gateway.json'), '--web', SLUICE_WEB, '--drain', '1');
	}

	async #startFronts() {
		const { authority, certificate, key } = await createIdentity(this.folder, `DNS:${HOST_NAME}`);
		const [chain, privateKey] = [certificate, key].map((file) => readFileSync(file, 'utf8'));
		this.#write('fullchain.pem', chain);
		this.#write('privkey.pem', privateKey);
		this.#write('combined.pem', chain + privateKey);
		for (const name of ['haproxy', 'nginx']) {
			this.#ports[name] = await findPort();
			this.fronts[name] = { port: this.#ports[name], authority: readFileSync(authority) };
		}
		this.#run('haproxy', '-q', '-db', '-f', this.#write('haproxy.cfg', this.#read('haproxy.cfg', 1)));
		this.#run('nginx', '-e', 'stderr', '-p', this.folder, '-c', this.#write('around.conf', `pid ${this.folder}/pid; daemon off;
			master_process off; error_log stderr warn; events { worker_connections 4096; }
			http { access_log off; include ${this.#write('nginx.conf', this.#read('nginx.conf', 1))}; }`));
	}
}
