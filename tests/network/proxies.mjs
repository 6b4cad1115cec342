// The configurations of doc/proxies, word for word, in the gateway's host: the gateway at
// 127.0.0.1:8080, the proxy at port 80, as the document says. SLUICE_DOC is the folder doc.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const configFolder = resolve(process.env.SLUICE_DOC ?? '', 'proxies');
const apacheModules = '/usr/lib/apache2/modules';

/** The configuration of each; what is put around it where it is but a part, which is nothing
 * but files, users and modules; the command that starts it. */
const proxies = {
	nginx: {
		config: 'nginx.conf',
		around: (config, folder) => `pid ${folder}/pid; daemon off; master_process off; error_log stderr warn;
			events {} http { access_log off; include ${config}; }`,
		command: (file, folder) => ['nginx', '-e', 'stderr', '-p', folder, '-c', file],
	},
	haproxy: {
		config: 'haproxy.cfg',
		command: (file) => ['haproxy', '-q', '-db', '-f', file],
	},
	apache: {
		config: 'apache.conf',
		around: (config, folder) => ['ServerName localhost', `ServerRoot ${folder}`, `DefaultRuntimeDir ${folder}`,
			`PidFile ${folder}/pid`, 'ErrorLog /dev/null', 'User www-data', 'Group www-data',
			...['mpm_event', 'authz_core', 'proxy', 'proxy_http'].map((name) =>
				`LoadModule ${name}_module ${apacheModules}/mod_${name}.so`),
			`Include ${config}`].join('\n'),
		command: (file) => ['apache2', '-DFOREGROUND', '-f', file],
	},
	varnish: {
		config: 'varnish.vcl', // its first line says how it is started
		command: (file, folder) => /^# (varnishd .*)/.exec(readFileSync(file, 'utf8'))[1].split(' ')
			.map((word) => word === 'varnish.vcl' ? file : word).concat('-F', '-n', folder, '-s', 'malloc,16m'),
	},
	caddy: {
		config: 'Caddyfile',
		command: (file) => ['caddy', 'run', '--config', file, '--adapter', 'caddyfile'],
	},
	squid: {
		config: 'squid.conf',
		around: (config, folder) => ['pid_filename none', 'access_log none', 'cache_log /dev/null', `coredump_dir ${folder}`,
			'pinger_enable off', 'visible_hostname localhost', 'shutdown_lifetime 0 seconds', `include ${config}`, ''].join('\n'),
		command: (file) => ['squid', '-N', '-f', file],
	},
};

export const names = Object.keys(proxies);

/** @param {import('./network.mjs').Network} network @param {string} name
 * @returns {{ said: string, removeFiles: () => void }} what it complains about; takes away its
 * 	files once it has ended */
export function startProxy(network, name) {
	const folder = mkdtempSync(join(tmpdir(), `sluice-${name}-`));
	const { config, around, command } = proxies[name];
	let file = join(configFolder, config);
	chmodSync(folder, 0o755); // some read it as another user
	if (around) {
		writeFileSync(join(folder, 'config'), around(file, folder));
		file = join(folder, 'config');
	}
	const [program, ...words] = command(file, folder);
	const child = network.spawn('gateway', program, words, { stdio: ['ignore', 'ignore', 'pipe'],
		env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder } });
	const proxy = { said: '', removeFiles: () => rmSync(folder, { recursive: true, force: true }) };
	child.stderr.on('data', (bytes) => proxy.said += bytes);
	return proxy;
}
