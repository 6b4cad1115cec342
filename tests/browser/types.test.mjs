// The pages' scripts are checked as the client's are: in strict mode, against the client's
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

test('tsc --checkJs --strict finds nothing in the pages', async () => {
	const copy = mkdtempSync(join(tmpdir(), 'sluice-types-'));
	try {
		const web = process.env.SLUICE_WEB;
		cpSync(join(web, 'demo'), join(copy, 'demo'), { recursive: true, filter: (path) => !path.endsWith('uPlot.esm.js') });
		cpSync(join(process.env.SLUICE_CLIENT, '../check'), join(copy, 'check'), { recursive: true }); // not minified
		cpSync(join(web, 'client'), join(copy, 'client'), { recursive: true,
			filter: (path) => !path.endsWith('.js') || path.endsWith('.d.ts') });
		cpSync(require.resolve('uplot/dist/uPlot.d.ts'), join(copy, 'demo/vendor/uplot/uPlot.esm.d.ts'));
		writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify({
			compilerOptions: { allowJs: true, checkJs: true, strict: true, noEmit: true, target: 'ES2022', module: 'ES2022',
				moduleResolution: 'bundler', lib: ['ES2022', 'DOM', 'DOM.Iterable'], types: [] },
			include: ['check/**/*.js', 'demo/**/*.js'],
		}));
		await run(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', copy]).catch(({ stdout, message }) =>
			assert.fail(stdout || message));
	} finally {
		rmSync(copy, { recursive: true });
	}
});
