// A gateway that lets nobody in without a token, and a backend that makes them (JWT, HS256).
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const encode = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');
const KEY = randomBytes(48).toString('base64url');
export const LEEWAY = 30; // s, after which a token that has expired counts no more

/** @param {number} ttl s, below 0 for one that has expired; it was made long before then
 * @param {object} [claims] @param {string} [key] */
export function mint(ttl, claims = {}, key = KEY) {
	const now = Math.floor(Date.now() / 1000);
	const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: 'ann', iat: now, exp: now + ttl,
		...ttl < 0 && { iat: now + ttl - 3600 }, jti: randomBytes(6).toString('hex'),
		sluice: { subscribe: ['*'], publish: ['*'] }, ...claims })}`;
	return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

/** A function that is asked for tokens: of these first, of the last again and again. Each is a number
 * of s, or makes a token, or throws. */
export function createBackend(...lives) {
	const backend = async () => {
		const life = lives[Math.min(backend.asked++, lives.length - 1)];
		const token = typeof life === 'number' ? mint(life) : await life();
		backend.tokens.push(token);
		return token;
	};
	return Object.assign(backend, { asked: 0, tokens: [] });
}

const admin = { Authorization: `Bearer ${mint(3600, { sub: 'root', sluice: { publish: ['*'], admin: true } })}` };

export class Door {
	#folder = mkdtempSync(join(tmpdir(), 'sluice-door-'));

	/** Options for the gateway. */
	get options() {
		writeFileSync(join(this.#folder, 'key'), KEY, { mode: 0o600 });
		return ['--token-key', join(this.#folder, 'key'), '--secret', join(this.#folder, 'secret')];
	}

	/** @param {{ url: string, stop: () => Promise<any> }} gateway */
	open(gateway) {
		this.gateway = gateway;
		return this;
	}

	async #ask(path, init) {
		const response = await fetch(`${this.gateway.url}${path}`, { ...init, headers: { ...admin, ...init?.headers } });
		if (!response.ok)
			throw new Error(`${path}: ${response.status} ${await response.text()}`);
		return response;
	}

	async publish(channel, data) {
		return (await (await this.#ask(`publish?channel=${channel}`, { method: 'POST', body: JSON.stringify(data),
			headers: { 'Content-Type': 'application/json' } })).json()).id;
	}

	/** Publishes 1, 2, 3, ... until it is stopped; how many there were, then. */
	feed(channel) {
		let stop = false;
		let sent = 0;
		const over = (async () => {
			for (; !stop; await new Promise((done) => setTimeout(done, 5)))
				await this.publish(channel, ++sent);
			return sent;
		})();
		return () => {
			stop = true;
			return over;
		};
	}

	async disconnect(subject) {
		return (await this.#ask('admin/disconnect', { method: 'POST', body: JSON.stringify({ subject }),
			headers: { 'Content-Type': 'application/json' } })).json();
	}

	/** A line of /metrics. */
	async count(name) {
		const text = await (await this.#ask('metrics')).text();
		return Number(text.split('\n').find((line) => line.startsWith(`${name} `))?.slice(name.length));
	}

	async stop() {
		await this.gateway?.stop();
		rmSync(this.#folder, { recursive: true, force: true });
	}
}

export const numbers = (last, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
