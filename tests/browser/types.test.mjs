// The scripts of the pages and of the report are checked as the client is: strictly, against its
// and uPlot's own types.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const require = createRequire(import.meta.url);
const run = promisify(execFile);

/** What tsc has to complain about the scripts of a folder. @param {string} folder
 * @param {...string} include */
async function check(folder, ...include) {
	writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
		compilerOptions: { allowJs: true, checkJs: true, strict: true, noEmit: true, target: 'ES2022', module: 'ES2022',
			moduleResolution: 'bundler', lib: ['ES2022', 'DOM', 'DOM.Iterable'], types: [] },
		include,
	}));
	await run(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', folder]).catch(({ stdout, message }) =>
		assert.fail(stdout || message));
}

test('tsc --checkJs --strict finds nothing in the pages', async () => {
	const copy = mkdtempSync(join(tmpdir(), 'sluice-types-'));
	try {
		const web = process.env.SLUICE_WEB;
		cpSync(join(web, 'demo'), join(copy, 'demo'), { recursive: true, filter: (path) => !/uPlot\.esm\.js$|socket\.io\.esm\.min\.js$/.test(path) });
		cpSync(join(process.env.SLUICE_CLIENT, '../check'), join(copy, 'check'), { recursive: true }); // not minified
		cpSync(join(web, 'client'), join(copy, 'client'), { recursive: true,
			filter: (path) => !path.endsWith('.js') || path.endsWith('.d.ts') });
		cpSync(require.resolve('uplot/dist/uPlot.d.ts'), join(copy, 'demo/vendor/uplot/uPlot.esm.d.ts'));
		writeFileSync(join(copy, 'demo/vendor/socket.io/socket.io.esm.min.d.ts'), 'export const io: any;');
		await check(copy, 'demo/**/*.js', 'check/**/*.js');
	} finally {
		rmSync(copy, { recursive: true });
	}
});

test('nor in the modules of the bench\'s report', async () => {
	const copy = mkdtempSync(join(tmpdir(), 'sluice-types-'));
	try {
		cpSync(join(process.env.SLUICE_DOC, '../bench/report'), copy, { recursive: true });
		await check(copy, '*.mjs');
	} finally {
		rmSync(copy, { recursive: true });
	}
});
