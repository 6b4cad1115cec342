// The check page in a real browser: what it costs, what it says on good and bad paths, and with
// parts of the browser missing. The paths of the lab are check_paths.test.mjs's.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Gateway, names, until } from './gateway.mjs';
import { assertAccessible, complaints, context, gateway, openPage, useWorld } from './world.mjs';

const MOST_BYTES = 30 * 1024; // over the wire, before the button
const { decodeCode } = await import(join(process.env.SLUICE_WEB, 'check/code.js'));

let page;

useWorld({ width: 1440 });

/** Opens the page. On a bad path the browser itself writes what failed to the console.
 * @param {{ url?: string, prepare?: (page: any) => unknown, strict?: boolean }} [wanted] */
async function open({ url = gateway.url, prepare, strict = true } = {}) {
	page = await openPage((type) => strict && ['error', 'warning'].includes(type));
	await prepare?.(page);
	await page.goto(new URL('check', url).href);
	return page;
}

const read = (selector) => page.$eval(selector, (element) => element.innerText);
const readAll = (selector) => page.$$eval(selector, (all) => all.map((element) => element.innerText));
const level = () => page.$eval('#verdict', ({ dataset }) => dataset.level);

async function untilShown() {
	await until('the verdict', async () => {
		if (await page.isVisible('#result'))
			return true;
		assert.doesNotMatch(await page.$eval('#step', (step) => step.textContent), /could not be/);
	}, 90000);
}

async function run() {
	await page.click('#run');
	await untilShown();
}

const getStates = () => page.$$eval('#cards > li', (cards) =>
	Object.fromEntries(cards.map(({ dataset: { transport, state } }) => [transport, state])));

/** The report that the page shows, as a file of Download.
 * @returns {Promise<any>} */
async function getReport() {
	const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')]);
	const report = JSON.parse(readFileSync(await download.path(), 'utf8'));
	assert.equal(download.suggestedFilename(), `sluice-check-${report.code}.json`);
	return report;
}

/** The obstacle's address, with these faults. */
async function through(...faults) {
	const { origin, control } = await (await fetch(`${gateway.url}demo/api/obstacle`)).json();
	assert.ok((await fetch(`${control}/faults`, { method: 'PUT', body: JSON.stringify(faults) })).ok);
	return `${origin}/`;
}

/** Every byte of one response, the head too. */
async function countBytes(path) {
	const { hostname: host, port } = new URL(gateway.url);
	const socket = net.connect(Number(port), host);
	socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n`);
	let bytes = 0;
	socket.on('data', ({ length }) => bytes += length);
	await once(socket, 'close');
	return bytes;
}

/* ---- what it costs ---- */

test('before the button it is one response of 30 KB at most', async () => {
	const asked = [];
	await open({ prepare: (opened) => opened.on('request', (request) => asked.push(request.url())) });
	await page.waitForLoadState('networkidle');
	assert.deepEqual(asked.filter((url) => !url.startsWith('data:')), [`${gateway.url}check`]);
	const bytes = await countBytes('/check');
	assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
	assert.ok(bytes > 5000, `${bytes} bytes: is it the page?`);
});

test('it uses no module, no cookie and no storage, and connects to its gateway alone', async () => {
	const asked = [];
	await open({ prepare: (opened) => opened.on('request', (request) => asked.push(new URL(request.url()))) });
	await run();
	assert.deepEqual(asked.filter(({ pathname }) => pathname.endsWith('.js')).map(String), []);
	assert.deepEqual([...new Set(asked.map(({ host }) => host))].filter(Boolean), [new URL(gateway.url).host]);
	assert.deepEqual(await context.cookies(), []);
	assert.deepEqual(await page.evaluate(async () => [localStorage.length, sessionStorage.length,
		(await indexedDB.databases()).length, (await caches?.keys() ?? []).length]), [0, 0, 0, 0]);
	assert.deepEqual(complaints, []);
});

test('a cache that gives rubbish for every script does not matter', async () => {
	await context.route(/\.m?js(\?|$)/, (route) => route.fulfill({ contentType: 'text/html', body: '<p>old' }));
	await open();
	await run();
	assert.notEqual(await level(), 'bad');
	assert.deepEqual(complaints, []);
});

/* ---- what it says ---- */

test('a clean path: a good verdict, five cards, bars, and a code that agrees', async () => {
	await open();
	assert.equal(await page.isVisible('#broken'), false);
	await run();
	const report = await getReport();
	const states = await getStates();
	assert.deepEqual(states, Object.fromEntries(names.map((name) => [name, report.transports[name].state])));
	assert.ok(!Object.values(states).includes('dead'), JSON.stringify(states)); // degraded: a busy machine is late
	assert.equal(report.choice, 'websocket');
	assert.equal(await level(), states.websocket === 'works' ? 'good' : 'detour');
	assert.match(await read('#choice'), /WebSocket.*Each takes (about|less than)/);
	assert.equal(await page.title(), `${await read('#headline')} – Connection check`);
	assert.match(await read('#cards > [data-transport="websocket"]'), /used here/);
	for (const card of await readAll('#cards > li'))
		assert.match(card, /Connected in\s.*ms.*First message after\s.*Round trip, typical.*slowest tenth.*sent\s+64 KB.*received\s+64 KB/s);
	const widths = await page.$$eval('#bars .fill', (bars) => bars.map((bar) => bar.getBoundingClientRect().width));
	assert.equal(widths.length, 10);
	assert.ok(widths.every((width) => width > 0), String(widths));
	assert.match(await read('#bars-note'), /computed/);
	assert.equal(await page.isVisible('#advice-none'), report.advice.length === 0);
	assert.equal(await page.isVisible('#send'), false, 'this gateway takes no reports');

	assert.equal(await read('#code'), report.code);
	assert.equal(await page.getAttribute('#code', 'aria-label'),
		report.code.split('-').map((group) => [...group].join(' ')).join(', '));
	const decoded = decodeCode(report.code);
	assert.equal(decoded.choice, 'websocket');
	for (const name of names)
		assert.equal(decoded.transports[name].class, report.transports[name].class, name);
	assert.equal(decoded.secure, false);
	assert.deepEqual(complaints, []);
});

test('the details say the HTTP version and the gateway', async () => {
	await open();
	await run();
	await page.click('summary');
	assert.match(await read('#details'), new RegExp(`Gateway\\s+${gateway.url}.*HTTP version\\s+http/1.1.*Proxies seen\\s+none`, 's'));
});

test('a proxy that removes Upgrade: a detour, why, and what to ask for, as a list to copy', async () => {
	await context.grantPermissions(['clipboard-read', 'clipboard-write']);
	await open({ url: await through('strip-upgrade'), strict: false });
	await run();
	assert.equal(await level(), 'detour');
	assert.match(await read('#choice'), /over Server-Sent Events, not over WebSocket/);
	const { websocket, ...others } = await getStates();
	assert.equal(websocket, 'dead');
	assert.ok(!Object.values(others).includes('dead'), JSON.stringify(others));
	assert.match(await read('#cards > [data-transport="websocket"]'), /does not work.*Upgrade/s);
	assert.match(await read('#advice-list'), /WebSocket/);
	await page.click('#advice-copy');
	await until('it to be copied', async () => await read('#advice-copy') === 'Copied');
	assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^1\. .*WebSocket/);
	assert.match(await read('#bars-list > [data-transport="websocket"]'), /here\s+none arrived/);
});

test('a proxy that holds answers back: polls are left, and the page says who holds what', async () => {
	await open({ url: await through('strip-upgrade', 'buffer-end'), strict: false });
	await run();
	assert.equal(await level(), 'detour');
	const { sse, stream, longpoll } = await getStates();
	assert.deepEqual([sse, stream], ['dead', 'dead']);
	assert.notEqual(longpoll, 'dead');
	assert.match(await read('#cards > [data-transport="sse"]'), /does not work – a proxy holds messages back/);
	assert.match(await read('#choice'), /over long-polling, not over WebSocket/);
	const { transports } = await getReport();
	assert.equal(transports.sse.buffered, true);
});

test('where nothing passes any more the verdict says so, and the page survives', async () => {
	await open({ url: await through(), strict: false });
	await through('captive');
	await run();
	assert.equal(await level(), 'bad');
	assert.match(await read('#choice'), /None of the five transports works/);
	assert.match(await read('#code'), /^[0-9A-Z]{4}(-[0-9A-Z]{4}){2}$/);
	await through();
	await page.click('#run');
	await until('another verdict', async () => await page.isVisible('#result') && await level() !== 'bad', 90000);
});

/* ---- what is missing in the browser ---- */

for (const [what, remove, transport] of [
	['WebSocket', () => delete window.WebSocket, 'websocket'],
	['streaming by fetch', () => {
		delete window.ReadableStream;
		Object.defineProperty(Response.prototype, 'body', { value: undefined });
	}, 'stream'],
])
	test(`without ${what} the page says that the browser lacks it, and checks the rest`, async () => {
		await context.addInitScript(remove);
		await open();
		await run();
		const { transports, choice } = await getReport();
		assert.equal(transports[transport].class, 'missing');
		assert.match(await read(`#cards > [data-transport="${transport}"]`), /the browser lacks it/);
		assert.notEqual(choice, transport);
		assert.notEqual(choice, null);
		assert.equal(await level(), choice === 'websocket' ? 'good' : 'detour');
		assert.equal((await getStates()).poll, 'works');
	});

test('without EventSource nothing is missing: the client then reads event streams by fetch', async () => {
	await context.addInitScript(() => delete window.EventSource);
	await open();
	await run();
	const states = await getStates();
	assert.equal(Object.keys(states).length, names.length);
	assert.ok(!Object.values(states).includes('dead'), JSON.stringify(states));
});

test('without a clipboard the report is copied by the old command, or shown to be taken', async () => {
	await context.addInitScript(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
	await open();
	await run();
	await page.click('#copy');
	await until('it to be copied', async () => await read('#copy') === 'Copied');
	assert.equal(await page.isVisible('#text'), false);
	await page.evaluate(() => document.execCommand = () => false);
	await page.click('#copy');
	await until('the text', () => page.isVisible('#text'));
	assert.match(await page.inputValue('#text'), /[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/);
	assert.equal(await page.evaluate(() => getSelection().toString() || document.activeElement.id), await page.inputValue('#text'));
});

test('Copy puts the report, with its code and its address, on the clipboard', async () => {
	await context.grantPermissions(['clipboard-read', 'clipboard-write']);
	await open();
	await run();
	await page.click('#copy');
	await until('it to be copied', async () => await read('#shared') === 'Copied.');
	const text = await page.evaluate(() => navigator.clipboard.readText());
	assert.ok(text.includes(await read('#code')) && text.includes(gateway.url), text);
});

test('without JavaScript, or when its script does not run, the page says so', async () => {
	const browser = context.browser();
	const plain = await browser.newContext({ javaScriptEnabled: false });
	try {
		page = await plain.newPage();
		await page.goto(`${gateway.url}check`);
		assert.match(await read('#broken'), /cannot run here/);
		assert.equal(await page.isDisabled('#run'), true);
	} finally {
		await plain.close();
	}
});

test('a script that a proxy adds to the page is not run, and the check is not disturbed', async () => {
	await context.route(/\/check$/, async (route) => {
		const body = (await (await route.fetch()).text()).replace('</head>', '<script>window.added = true</script></head>')
			.replace('</body>', '<script src="/added.js"></script></body>');
		await route.fulfill({ contentType: 'text/html; charset=utf-8', body });
	});
	await open({ strict: false });
	await run();
	assert.equal(await page.evaluate(() => window.added), undefined);
	assert.notEqual(await level(), 'bad');
});

/* ---- how it is used ---- */

test('Stop ends the check, and it can be run again', async () => {
	await open();
	await page.click('#patient');
	await page.click('#run');
	await until('progress', async () => await page.$eval('#bar', (bar) => bar.value) > 0);
	assert.equal(await page.isVisible('#run'), false);
	await page.click('#stop');
	assert.equal(await read('#step'), 'Stopped.');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'run');
	await until('no connection', async () => {
		const { transports } = await gateway.getStats();
		return names.slice(0, 3).every((name) => transports[name].connections === 0);
	});
	await page.click('#patient');
	await run();
	assert.notEqual(await level(), 'bad');
	assert.equal(await read('#run'), 'Check again');
	await page.click('#run');
	await until('progress again', () => page.isVisible('#progress'));
	await untilShown();
});

test('a key press runs it, a screen reader hears each step once, and is led to the verdict', async () => {
	await open();
	await page.evaluate(() => {
		window.heard = [];
		new MutationObserver(() => window.heard.push(document.getElementById('step').textContent))
			.observe(document.getElementById('step'), { childList: true, characterData: true, subtree: true });
	});
	await page.keyboard.press('Tab');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'run');
	await page.keyboard.press('Enter');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'stop');
	await untilShown();
	assert.equal(await page.evaluate(() => document.activeElement.id), 'headline');
	const heard = (await page.evaluate(() => window.heard)).filter(Boolean);
	assert.ok(heard.length >= 3, heard.join('|'));
	assert.equal(new Set(heard).size, heard.length, heard.join('|'));
	const reached = new Set();
	for (let i = 0; i < 8; i++) {
		await page.keyboard.press('Tab');
		reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.localName));
	}
	for (const control of ['copy', 'download', 'summary'])
		assert.ok(reached.has(control), `${control}: ${[...reached]}`);
});

for (const colorScheme of ['light', 'dark'])
	test(`axe finds nothing wrong in ${colorScheme}: at the start, while it runs, and behind a bad proxy`, async () => {
		const url = await through('strip-upgrade', 'buffer-end');
		await open({ url, strict: false, prepare: (opened) => opened.emulateMedia({ colorScheme }) });
		await assertAccessible(page);
		await page.click('#run');
		await until('something known', () => page.$('#marks [data-state="works"]'));
		await assertAccessible(page);
		await untilShown();
		await page.click('summary');
		await assertAccessible(page);
	});

test('at 360 px nothing is cut off, scrolls sideways or is too small to press', async () => {
	await open({ url: await through('strip-upgrade', 'buffer-end'), strict: false,
		prepare: (opened) => opened.setViewportSize({ width: 360, height: 780 }) });
	const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
	assert.ok(await fits());
	await page.click('#run');
	await until('progress', () => page.isVisible('#progress'));
	assert.ok(await fits());
	await untilShown();
	await page.click('summary');
	assert.ok(await fits());
	const outside = await page.$$eval('main *', (all) => all.filter((one) => one.getBoundingClientRect().right > innerWidth)
		.map((one) => one.id || one.className));
	assert.deepEqual(outside, []);
	const low = await page.$$eval('button', (all) => all.map((button) => button.getBoundingClientRect().height)
		.filter((height) => height > 0 && height < 40));
	assert.deepEqual(low, []);
});

test('on paper there are no buttons, and the details are open; less motion is heeded', async () => {
	await open();
	await run();
	await page.emulateMedia({ media: 'print' });
	await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
	for (const selector of ['#start', '#copy', '#send', '#advice-copy'])
		assert.equal(await page.isVisible(selector), false, selector);
	for (const selector of ['#headline', '#code', '#details-list'])
		assert.equal(await page.isVisible(selector), true, selector);
	await page.emulateMedia({ media: 'screen', reducedMotion: 'reduce' });
	assert.deepEqual(await page.$$eval('*', (all) => all.filter((one) =>
		parseFloat(getComputedStyle(one).transitionDuration) > 0 || getComputedStyle(one).animationName !== 'none').length), 0);
});

/* ---- where it is served ---- */

test('below a base path, and from the sources, where nothing was assembled', async () => {
	const sources = resolve(process.env.SLUICE_CLIENT, '..');
	for (const options of [['--base-path', '/push'], ['--web', sources]]) {
		const other = await new Gateway(...options).start();
		try {
			await open({ url: other.url });
			await run();
			assert.notEqual(await level(), 'bad', options[0]);
			assert.deepEqual(complaints, []);
			await page.close();
		} finally {
			await other.stop();
		}
	}
});

test('a gateway that takes reports gets this one, says so, and says what is wrong with too many', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'sluice-reports-'));
	const other = await new Gateway('--check-reports', folder).start();
	try {
		await open({ url: other.url, strict: false });
		await run();
		assert.match(await read('#send-what'), /no address, no cookie/);
		const report = await getReport();
		await page.click('#send');
		await until('it to be sent', async () => /^Sent\..*-/.test(await read('#shared')));
		assert.equal(await page.isDisabled('#send'), true);
		const file = await until('the file', () => readdirSync(folder).find((name) => name.includes(report.code)));
		assert.deepEqual(JSON.parse(readFileSync(join(folder, file), 'utf8')).transports.websocket.state,
			report.transports.websocket.state);
		await context.route(/check\/report$/, (route) => route.fulfill({ status: 429, headers: { 'Retry-After': '600' },
			json: { error: { code: 'too_many_reports', message: 'enough of them' } } }));
		await page.$eval('#send', (button) => button.disabled = false);
		await page.click('#send');
		await until('the refusal', async () => /enough of them.*10 min/.test(await read('#shared')));
		assert.equal(await page.isDisabled('#send'), false);
	} finally {
		await other.stop();
		rmSync(folder, { recursive: true });
	}
});
