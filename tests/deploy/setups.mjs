// The set-ups of doc/deploy.md: its files as they stand, but for ports, paths and addresses of
// other hosts, all on this host. SLUICE is the gateway, SLUICE_WEB the folder that it serves,
// SLUICE_DOC the folder doc, SLUICE_LAB the lab, whose authority issues the certificates.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findPort, Program, until } from './program.mjs';

const { SLUICE, SLUICE_WEB, SLUICE_DOC, SLUICE_LAB } = process.env;
const { createIdentity } = await import(pathToFileURL(resolve(SLUICE_LAB, 'certificate.mjs')).href);
const activate = fileURLToPath(new URL('activate.py', import.meta.url));

/** What users have in their address bar, and the certificate's name. */
export const hostName = 'push.example.org';

/** What the files say that is of a real host, and may not be left in a file that a test runs. */
const OF_A_HOST = /\/etc\/|\/run\/|\/var\/|:443\b|listen 443|=443\b|\b8080\b|\b8443\b|\b9090\b|192\.0\.2|-g ssl-cert|User sluice|\.internal:/;

/** @typedef {object} Setup
 * @property {string} config the gateway's
 * @property {string} [socket] which systemd passes to the gateway
 * @property {string[]} front what stands before the gateway, the outermost last
 * @property {'x_forwarded_for' | 'v2'} [tells] by what the gateway learns of the client, as the metric calls it
 * @property {'h2' | 'http/1.1'} speaks to a browser that knows both
 * @property {boolean} [asksAll] whether everybody needs a token, as the files say; else nobody does */

/** Options that let tests of a path do without tokens. */
const OPEN = ['--anonymous-subscribe', '*', '--anonymous-publish', '*'];

/** @type {Record<string, Setup>} */
export const setups = {
	'TLS in the process': { config: 'tls.json', socket: 'sluice-tls.socket', front: [], speaks: 'http/1.1' },
	'nginx in front': { config: 'proxy.json', front: ['nginx'], tells: 'x_forwarded_for', speaks: 'h2' },
	'haproxy in front': { config: 'proxy.json', front: ['haproxy'], tells: 'x_forwarded_for', speaks: 'h2' },
	'caddy in front': { config: 'proxy.json', front: ['caddy'], tells: 'x_forwarded_for', speaks: 'h2' },
	'a TLS relay': { config: 'proxy.json', front: ['haproxy-relay'], tells: 'v2', speaks: 'http/1.1' },
	'a relay that passes TLS on': { config: 'through.json', front: ['haproxy-through'], tells: 'v2', speaks: 'http/1.1' },
	'TLS to a gateway far away': { config: 'far.json', front: ['haproxy-far'], tells: 'x_forwarded_for', speaks: 'h2' },
	'a tunnel of ssh': { config: 'tunnel.json', socket: 'sluice-tunnel.socket', front: ['ssh', 'nginx'], tells: 'x_forwarded_for', speaks: 'h2' },
};

/** How each program is started: with its file of the document, or with what holds files, users and
 * modules around it. */
const fronts = {
	nginx: { config: 'nginx.conf', start: (place, file) => place.run('nginx', '-e', 'stderr', '-p', place.folder, '-c',
		place.write('around.conf', `pid ${place.folder}/pid; daemon off; master_process off; error_log stderr warn;
			events { worker_connections 4096; } http { access_log off; include ${file}; }`)) },
	haproxy: { config: 'haproxy.cfg', start: startHaproxy },
	'haproxy-relay': { config: 'haproxy-relay.cfg', start: startHaproxy },
	'haproxy-through': { config: 'haproxy-through.cfg', start: startHaproxy },
	'haproxy-far': { config: 'haproxy-far.cfg', start: startHaproxy },
	caddy: { config: 'Caddyfile', start: (place, file) => place.run('caddy', 'run', '--adapter', 'caddyfile', '--config',
		place.write('around', `{\n\tadmin off\n\tauto_https off\n\tlog {\n\t\tlevel ERROR\n\t}\n}\nimport ${file}\n`)) },
	ssh: { config: 'sshd.conf', start: startTunnel },
};

function startHaproxy(place, file) {
	return place.run('haproxy', '-q', '-db', '-f', file);
}

/** Both ends on this host: a user's key, and a host's. */
function startTunnel(place, file) {
	for (const name of ['tunnel_key', 'host_key'])
		execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(place.folder, name)]);
	const read = (name) => readFileSync(join(place.folder, `${name}.pub`), 'utf8');
	place.write('known_hosts', `[127.0.0.1]:${place.tunnelPort} ${read('host_key')}`);
	const isRoot = process.getuid() === 0;
	if (isRoot)
		mkdirSync('/run/sshd', { recursive: true }); // as systemd does for sshd
	const around = place.write('sshd', [`Port ${place.tunnelPort}`, 'ListenAddress 127.0.0.1', `HostKey ${place.folder}/host_key`,
		'PidFile none', `AuthorizedKeysFile ${place.write('keys', read('tunnel_key'))}`, 'StrictModes no', 'PasswordAuthentication no',
		`UsePAM ${isRoot ? 'yes' : 'no'}`, `Include ${file}`, ''].join('\n'));
	place.run('/usr/sbin/sshd', '-D', '-e', '-f', around);
	return place.untilListening(place.tunnelPort).then(() => {
		const [program, ...words] = /^ExecStart=(.*)$/m.exec(place.adapt('sluice-tunnel.service'))[1].split(' ');
		return place.run(program, ...words.map((word) => word === place.path('ssh.conf') ? place.writeAdapted('ssh.conf') : word));
	});
}

/** @type {Set<string>} */
const folders = new Set();
process.on('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A set-up that runs. */
export class Place {
	/** What runs, each behind the one before it. @type {Program[]} */
	programs = [];
	/** That of the token key. */
	secret = randomBytes(48).toString('base64');
	#replacements = [];

	/** @param {Setup} setup */
	constructor(setup) {
		this.setup = setup;
		this.folder = mkdtempSync(join(tmpdir(), 'sluice-deploy-'));
		chmodSync(this.folder, 0o755);
		folders.add(this.folder);
	}

	/** @param {...string} options of the gateway, beside those of the document */
	async start(...options) {
		[this.port, this.innerPort, this.tunnelPort, this.adminPort] =
			await Promise.all([findPort(), findPort(), findPort(), findPort()]);
		await this.#prepareCertificates();
		this.#prepareReplacements();
		this.write('token.key', `${this.secret}\n`);
		try {
			await this.#startGateway(options);
			for (const name of this.setup.front)
				await this.#startFront(name);
		} catch (error) {
			await this.stop();
			throw error;
		}
		return this;
	}

	async stop() {
		for (const program of this.programs.reverse())
			await program.stop();
		rmSync(this.folder, { recursive: true, force: true });
		folders.delete(this.folder);
	}

	get origin() {
		return `https://${hostName}:${this.port}`;
	}

	/** What the gateway has logged. */
	get log() {
		return this.gateway.said;
	}

	path(...names) {
		return join(this.folder, ...names);
	}

	write(name, text) {
		writeFileSync(this.path(name), text, { mode: 0o600 });
		return this.path(name);
	}

	run(program, ...words) {
		const child = new Program(program, words, { cwd: this.folder, env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`,
			HOME: this.folder, XDG_DATA_HOME: this.folder, XDG_CONFIG_HOME: this.folder } });
		this.programs.push(child);
		return child;
	}

	/** A file of the document, for this host. */
	adapt(name) {
		let text = readFileSync(resolve(SLUICE_DOC, 'deploy', name), 'utf8');
		for (const [from, to] of this.#replacements)
			text = text.replaceAll(from, to);
		const left = text.split('\n').find((line) => !/^\s*#/.test(line) && OF_A_HOST.test(line.replaceAll(this.folder, '')));
		if (left)
			throw new Error(`${name} says something of a real host that is not replaced: ${left}`);
		return text;
	}

	/** @returns {string} its path */
	writeAdapted(name) {
		return this.write(name, this.adapt(name));
	}

	untilListening(port, program) {
		const hex = port.toString(16).toUpperCase().padStart(4, '0');
		return until(() => {
			if (program?.hasEnded)
				throw new Error(`${program.name} has ended: ${program.said}`);
			const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
			return lines.some((line) => line.includes(`:${hex} 00000000:0000 0A`)) ? '' : `something to listen at ${port}; ${
				program ? `${program.name} said: ${program.said}` : ''}`;
		});
	}

	/** The certificate of the public name where certbot puts it, as haproxy reads it, and where the
	 * gateway reads it. */
	async #prepareCertificates() {
		const { authority, certificate, key } = await createIdentity(this.folder, `DNS:${hostName}`);
		const [chain, privateKey] = [certificate, key].map((file) => readFileSync(file, 'utf8'));
		this.authority = readFileSync(authority);
		this.renew(chain, privateKey);
		this.write('combined.pem', chain + privateKey);
		mkdirSync(this.path('tls'));
		this.write('tls/fullchain.pem', chain);
		this.write('tls/privkey.pem', privateKey);
	}

	/** What certbot does. */
	renew(chain, privateKey) {
		mkdirSync(this.path('live'), { recursive: true });
		this.write('live/fullchain.pem', chain);
		this.write('live/privkey.pem', privateKey);
	}

	#prepareReplacements() {
		const { folder, port, innerPort } = this;
		const user = userInfo();
		this.#replacements = [
			['/etc/letsencrypt/live/push.example.org', `${folder}/live`], ['/etc/haproxy/push.example.org.pem', `${folder}/combined.pem`],
			['/etc/haproxy/gateway.pem', `${folder}/tls/gateway.pem`], ['/etc/sluice/tls', `${folder}/tls`],
			['/etc/sluice/', `${folder}/`], ['/var/lib/sluice/', `${folder}/`], ['/run/', `${folder}/`], ['/var/log/nginx/', `${folder}/`],
			['https://push.example.org"', `${this.origin}"`],
			['HostName push.example.org', `HostName 127.0.0.1\n\tPort ${this.tunnelPort}`],
			['User sluice-tunnel', `User ${user.username}`], ['-g ssl-cert', `-g ${user.gid}`],
			['192.0.2.20:8443', `127.0.0.1:${innerPort}`], ['"192.0.2.10"', '"127.0.0.1"'],
			['127.0.0.1:9090', `127.0.0.1:${this.adminPort}`], ['127.0.0.1:8443', `127.0.0.1:${innerPort}`], ['127.0.0.1:8080', `127.0.0.1:${innerPort}`],
			['bind :443', `bind 127.0.0.1:${port}`], ['listen 443', `listen 127.0.0.1:${port}`], ['ListenStream=443', `ListenStream=${port}`],
			['push.example.org {', `${this.origin} {\n\tbind 127.0.0.1\n\ttls ${folder}/live/fullchain.pem ${folder}/live/privkey.pem`],
		];
	}

	async #startGateway(options) {
		if (this.setup.config === 'far.json')
			execFileSync('sh', [resolve(SLUICE_DOC, 'deploy/make-certificate.sh')], { cwd: this.path('tls'), stdio: 'pipe' });
		const words = [SLUICE, '--config', this.writeAdapted(this.setup.config), '--web', SLUICE_WEB, '--drain', '1',
			'--log-level', 'debug', ...this.setup.asksAll ? [] : OPEN, ...options];
		const read = (text, name) => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1];
		if (this.setup.socket) {
			const socket = this.adapt(this.setup.socket);
			words.unshift('/usr/bin/python3', activate, read(socket, 'ListenStream'), read(socket, 'FileDescriptorName') ?? 'sluice');
		}
		this.gateway = this.run(...words);
		await this.gateway.untilSaid(/^listening /m);
	}

	async #startFront(name) {
		const { config, start } = fronts[name];
		const program = await start(this, this.writeAdapted(config));
		const port = name === this.setup.front.at(-1) ? this.port : this.innerPort;
		await this.untilListening(port, program);
	}
}
