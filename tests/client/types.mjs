// Checks the client's types and makes its .d.ts, from a copy: beside a module its old .d.ts
// would be believed instead of it. `npm run types` writes them to web/client.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The paths below `folder` that end so. */
export function list(folder, extension) {
	return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
		const path = join(folder, entry.name);
		return entry.isDirectory() ? list(path, extension) : path.endsWith(extension) ? [path] : [];
	}).sort();
}

/** Throws what tsc complains about.
 * @returns {Promise<Map<string, string>>} path below the folder -> text */
export async function makeTypes(folder) {
	const copy = mkdtempSync(join(tmpdir(), 'sluice-types-'));
	try {
		for (const path of [...list(folder, '.js'), join(folder, 'package.json')]) {
			mkdirSync(dirname(join(copy, relative(folder, path))), { recursive: true });
			cpSync(path, join(copy, relative(folder, path)));
		}
		cpSync(fileURLToPath(new URL('tsconfig.json', import.meta.url)), join(copy, 'tsconfig.json'));
		const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
		await promisify(execFile)(process.execPath, [tsc, '-p', copy]).catch(({ stdout, message }) => {
			throw new Error(stdout || message);
		});
		return new Map(list(copy, '.d.ts').map((path) => [relative(copy, path), readFileSync(path, 'utf8')]));
	} finally {
		rmSync(copy, { recursive: true });
	}
}

if (process.argv[2] === '--write') {
	const folder = fileURLToPath(new URL('../../web/client', import.meta.url));
	list(folder, '.d.ts').forEach((path) => rmSync(path));
	for (const [path, text] of await makeTypes(folder))
		writeFileSync(join(folder, path), text);
}
