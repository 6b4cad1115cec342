// The check page on the paths of the lab that differ most, in Chromium and in Firefox: what it says
// agrees with what the lab measures there. `make check-page` has all paths, and the time it takes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openChromium, openFirefoxes } from './check_browsers.mjs';
import { checkAgain, choosePaths, runPaths } from './check_paths.mjs';

/** What each does: upgrades are removed, lost, refused to CONNECT; streams held, compressed,
 * filtered, cut; polls answered by a cache; POST forbidden; the network's own page for all. */
const COMMON = ['strip', 'hole-streams', 'buffer-end', 'cut-idle-2s', 'cache-all', 'no-post', 'haproxy-default',
	'squid-443', 'caddy-gzip'];
const CHROMIUM = [...COMMON, 'captive'];
const FIREFOX = [...COMMON, 'privoxy-default'];

/** By name, as it was measured beside Chromium. */
const rows = new Map();

/** @param {string} name */
function find(name) {
	const [path] = choosePaths({ quick: false, profiles: [name] });
	assert.equal(path.missing, undefined);
	return path;
}

/** @param {string} browserName @param {() => Promise<import('./check_browsers.mjs').Browser>} open
 * @param {string[]} names @param {number} concurrency
 * @param {(path: any, browser: import('./check_browsers.mjs').Browser) => Promise<any>} run its row */
function testIn(browserName, open, names, concurrency, run) {
	describe(`in ${browserName}`, { concurrency }, () => {
		let browser;

		before(async () => {
			browser = await open();
		});

		after(() => browser?.close());

		for (const name of names)
			test(`the page says in ${browserName} what the lab measures: ${name}`, async () => {
				const { misjudged, report } = await run(find(name), browser);
				assert.deepEqual(misjudged, [], report?.verdict);
			});
	});
}

async function measure(path, browser) {
	const [row] = await runPaths([path], browser, { atOnce: 1 });
	rows.set(path.name, row);
	return row;
}

testIn('Chromium', openChromium, CHROMIUM, 5, measure);
testIn('Firefox', openFirefoxes, FIREFOX, 4, (path, browser) => rows.has(path.name) ?
	checkAgain(path, rows.get(path.name), browser) : measure(path, browser));
