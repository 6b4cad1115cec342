// Which paths are run: the profiles of sluice-obstacle, the real proxies that are installed.
import { readFileSync } from 'node:fs';
import { proxies } from './proxies/index.mjs';

/** @typedef {import('./matrix.mjs').Path} Path */

const read = (/** @type {string} */ file) => readFileSync(new URL(file, import.meta.url), 'utf8');

/** @returns {string[]} the names in the quick list */
function readQuickList() {
	return read('quick.txt').split('\n').map((line) => line.replace(/#.*/, '').trim()).filter(Boolean);
}

/** Those of sluice-obstacle.
 * @returns {import('./plan.mjs').Profile[]} */
export function readProfiles() {
	return JSON.parse(read('profiles.json')).profiles;
}

/** Every path there is; a real proxy that is not installed says so in `missing`.
 * @returns {(Path & { missing?: string })[]} */
export function listPaths() {
	return [...readProfiles(), ...proxies.flatMap((proxy) => proxy.paths())];
}

/** @param {{ quick: boolean, profiles?: string[] }} options names are of paths, or of products
 * @returns {(Path & { missing?: string })[]} */
export function choosePaths({ quick, profiles }) {
	const all = listPaths();
	if (!profiles) {
		const list = quick ? readQuickList() : all.map(({ name }) => name);
		const unknown = list.find((name) => !all.some((path) => path.name === name));
		if (unknown)
			throw new Error(`quick.txt: the path "${unknown}" is unknown`);
		return all.filter(({ name }) => list.includes(name));
	}
	const unknown = profiles.find((name) => !all.some((path) => path.name === name || path.product === name));
	if (unknown)
		throw new Error(`--profiles: "${unknown}" is unknown; --list names the paths`);
	return all.filter(({ name, product }) => profiles.includes(name) || (product && profiles.includes(product)));
}
