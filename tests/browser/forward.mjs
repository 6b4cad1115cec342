// Real forward proxies, Debian's, each with a configuration, a port and files of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './gateway.mjs';

/** What each is told: `ports` are those that CONNECT may reach, undefined: the default of the
 * program itself. */
const programs = {
	// The lists are those of Debian's squid.conf, where only 443 is open for CONNECT.
	squid: (port, folder, ports = [443]) => [`http_port 127.0.0.1:${port}
		acl SSL_ports port ${ports.join(' ')}
		acl Safe_ports port 80 443 1025-65535
		http_access deny !Safe_ports
		http_access deny CONNECT !SSL_ports
		http_access allow localhost
		http_access deny all
		pid_filename none
		access_log none
		cache_log /dev/null
		coredump_dir ${folder}
		pinger_enable off
		visible_hostname localhost
		shutdown_lifetime 0 seconds
		`, 'squid', '-N', '-f'],
	tinyproxy: (port, folder, ports = []) => [`Port ${port}
		Listen 127.0.0.1
		Timeout 600
		LogFile "${folder}/log"
		LogLevel Error
		MaxClients 100
		Allow 127.0.0.1
		${ports.map((one) => `ConnectPort ${one}`).join('\n')}
		`, 'tinyproxy', '-d', '-c'],
	privoxy: (port, folder, ports) => {
		writeFileSync(join(folder, 'own.action'), ports ? `{+limit-connect{${ports.join()}}}\n/\n` : '');
		return [`confdir /etc/privoxy
			logdir ${folder}
			actionsfile match-all.action
			actionsfile default.action
			actionsfile user.action
			actionsfile ${folder}/own.action
			filterfile default.filter
			filterfile user.filter
			listen-address 127.0.0.1:${port}
			`, 'privoxy', '--no-daemon'];
	},
};

async function findPort() {
	const server = net.createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address();
	server.close();
	await once(server, 'close');
	return port;
}

async function answers(port) {
	const socket = net.connect(port, '127.0.0.1');
	try {
		await once(socket, 'connect');
		return true;
	} catch {
		return false;
	} finally {
		socket.destroy();
	}
}

export class ForwardProxy {
	#folder = mkdtempSync(join(tmpdir(), 'sluice-proxy-'));
	#process;

	/** @param {keyof typeof programs} name @param {number[]} [ports] */
	async start(name, ports) {
		chmodSync(this.#folder, 0o755); // squid reads it as another user
		const port = await findPort();
		const [config, program, ...words] = programs[name](port, this.#folder, ports);
		const file = join(this.#folder, 'config');
		writeFileSync(file, config.replace(/^\s+/gm, ''));
		this.#process = spawn(program, [...words, file], { stdio: ['ignore', 'ignore', 'inherit'] });
		this.#process.on('error', () => {}); // then it does not answer
		await until(`${name} to answer`, () => answers(port));
		this.url = `http://127.0.0.1:${port}`;
		return this;
	}

	async stop() {
		const { pid, exitCode, signalCode } = this.#process ?? {};
		if (pid && exitCode === null && signalCode === null) {
			const gone = once(this.#process, 'exit');
			this.#process.kill();
			await gone;
		}
		rmSync(this.#folder, { recursive: true, force: true });
	}
}
