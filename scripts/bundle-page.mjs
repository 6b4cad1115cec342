#!/usr/bin/env node
// Writes a page as one file to standard output: scripts/bundle-page.mjs TOOLS PAGE
//   TOOLS  the folder in which npm has installed esbuild and terser
//   PAGE   a page with its stylesheet's <link> and its <script src> each alone on a line. Its policy
//          allows both as 'self'. The policy of the result allows only the texts in their places.
// The result is for browsers since 2020, which have no private members. Private members become
// properties with short names.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const TARGET = 'es2020';
const PRIVATE = /(?<=\.)#(\w+)|^(\s+(?:static |async |get |set )*)#(\w+)(?= =|;|\()/gm;

const [tools, path] = process.argv.slice(2);
const require = createRequire(join(resolve(tools), 'node_modules', 'any'));
const esbuild = require('esbuild');
const terser = require('terser');

/** @param {string} words */
function fail(words) {
	console.error(`bundle-page: ${path}: ${words}`);
	process.exit(1);
}

/** @param {string} entry @param {string} target
 * @returns {Promise<string>} with all that it imports */
async function bundle(entry, target) {
	const { outputFiles } = await esbuild.build({ entryPoints: [join(dirname(path), entry)], target,
		bundle: true, format: 'iife', charset: 'utf8', write: false, logLevel: 'warning',
		minify: entry.endsWith('.css') });
	return outputFiles[0].text.trim();
}

/** @param {string} entry
 * @returns {Promise<string>} */
async function bundleScript(entry) {
	const whole = await bundle(entry, 'es2022');
	const open = whole.replace(PRIVATE, (_, used, before, declared) =>
		used ? `$_${used}` : `${before}$_${declared}`);
	const { code } = await esbuild.transform(open, { loader: 'ts', target: TARGET, charset: 'utf8',
		tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } } });
	if (/^\s+(static )?#\w|WeakMap|WeakSet/m.test(code))
		fail('a private member is left; see PRIVATE');
	const { code: small = '' } = await terser.minify(code, { ecma: 2020, toplevel: true,
		compress: { passes: 3, pure_getters: true, keep_fargs: false },
		mangle: { properties: { regex: /^\$_/ } } });
	return small.trim();
}

/** Replaces what must be there exactly once.
 * @param {string} text @param {RegExp} pattern @param {(...found: string[]) => string} make */
function replace(text, pattern, make) {
	const { length } = text.match(new RegExp(pattern, 'gm')) ?? [];
	if (length !== 1)
		fail(`${pattern} is there ${length ?? 0} times; it must be there once`);
	return text.replace(new RegExp(pattern, 'm'), make);
}

/** @param {string} page @param {string} tag @param {RegExp} line @param {string} text */
function inline(page, tag, line, text) {
	if (text.toLowerCase().includes(`</${tag}`) || text.includes('<!--'))
		fail(`the ${tag} would end the element that holds it`);
	const hash = createHash('sha256').update(text).digest('base64');
	const allowed = replace(page, new RegExp(`${tag}-src 'self'`),
		() => `${tag}-src 'sha256-${hash}'`);
	return replace(allowed, line, () => `<${tag}>${text}</${tag}>`);
}

const page = readFileSync(path, 'utf8');
const [, style = ''] = /^<link rel="stylesheet" href="([^"]+)">$/m.exec(page) ?? [];
const [, script = ''] = /^<script type="module" src="([^"]+)">/m.exec(page) ?? [];
const styled = inline(page, 'style', /^<link rel="stylesheet".*$/, await bundle(style, TARGET));
process.stdout.write(inline(styled, 'script', /^<script .*<\/script>$/, await bundleScript(script)));
