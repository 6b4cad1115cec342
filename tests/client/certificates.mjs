// Certificates as a path may show them, made by openssl, and a TLS server before a gateway.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const CONFIG = `[ca]
default_ca=here
[here]
database=index
new_certs_dir=.
rand_serial=yes
default_md=sha256
policy=any
[any]
commonName=supplied
`;

/** An authority of its own, in a folder of its own. */
export class Authority {
	async create() {
		this.folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
		this.path = join(this.folder, 'ca.pem');
		writeFileSync(join(this.folder, 'ca.cnf'), CONFIG);
		writeFileSync(join(this.folder, 'index'), '');
		await this.#openssl('req', '-x509', ...KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/O=Inspector Ltd/CN=Inspector Root', '-days', '2');
		return this;
	}

	/** @param {string} name of the files
	 * @param {{ address?: string, from?: string, to?: string, key?: string[] }} [options] from, to:
	 * YYYYMMDDHHMMSSZ; key: words of openssl req */
	async issue(name, { address = 'IP:127.0.0.1', from, to, key = KEY } = {}) {
		writeFileSync(join(this.folder, `${name}.ext`), `subjectAltName=${address}\n`);
		await this.#openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
		await this.#openssl('ca', '-batch', '-notext', '-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key', '-in', `${name}.csr`,
			'-out', `${name}.pem`, '-extfile', `${name}.ext`, ...from ? ['-startdate', from] : [], ...to ? ['-enddate', to] : ['-days', '2']);
		return this.#read(name);
	}

	/** One that no authority has issued. */
	async issueAlone(name) {
		await this.#openssl('req', '-x509', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`, '-days', '2',
			'-addext', 'subjectAltName=IP:127.0.0.1');
		return this.#read(name);
	}

	/** The options of a gateway that shows it. */
	optionsOf(name) {
		return ['--tls-cert', join(this.folder, `${name}.pem`), '--tls-key', join(this.folder, `${name}.key`)];
	}

	get certificate() {
		return readFileSync(this.path);
	}

	remove() {
		rmSync(this.folder, { recursive: true });
	}

	#read(name) {
		const read = (extension) => readFileSync(join(this.folder, `${name}.${extension}`));
		return { cert: read('pem'), key: read('key') };
	}

	#openssl(...args) {
		return promisify(execFile)('openssl', args, { cwd: this.folder });
	}
}

/** Ends TLS before a port, as a gateway's proxy does, or one that intercepts. */
export class TlsProxy {
	#sockets = new Set();
	#server;

	async start(port, identity) {
		this.#server = tls.createServer(identity, (client) => {
			const gateway = net.connect(port, '127.0.0.1');
			for (const [from, to] of [[client, gateway], [gateway, client]]) {
				this.#sockets.add(from);
				from.on('error', () => {}).on('close', () => to.destroy()).pipe(to);
			}
		}).on('tlsClientError', () => {});
		this.#server.listen(0, '127.0.0.1');
		await once(this.#server, 'listening');
		this.url = `https://127.0.0.1:${this.#server.address().port}/`;
		return this;
	}

	stop() {
		this.#server.close();
		this.#sockets.forEach((socket) => socket.destroy());
	}
}
