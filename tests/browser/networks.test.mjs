// The part of sluice-bench's report about emulated networks, in the page as it is assembled: that
// of `make www`, with figures of a run in it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch } from './browser.mjs';
import { assertAccessible } from './world.mjs';

const template = readFileSync(join(dirname(process.env.SLUICE), 'bench-data/report.html'), 'utf8');
const measured = JSON.parse(readFileSync(new URL('networks.json', import.meta.url), 'utf8'));
const NETWORKS = ['lan', '4g', 'satellite'];

let browser, page, complaints;

before(async () => {
	browser = await launch();
});

after(() => browser?.close());

beforeEach(() => {
	complaints = [];
});

afterEach(async () => {
	await page?.context().close();
	assert.deepEqual(complaints, []);
});

/** Opens the report. @param {{ width?: number, colorScheme?: string, report?: object, html?: string }} [how] */
async function open({ width = 1280, colorScheme = 'light', report = measured, html = template } = {}) {
	page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
	page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
	page.on('pageerror', (error) => complaints.push(String(error)));
	await page.setContent(html.replace('@REPORT@', () => JSON.stringify(report).replaceAll('<', '\\u003c')));
	return page.locator('#networks');
}

/** @param {import('playwright-core').Locator} part @param {string} selector */
const textsOf = (part, selector) => part.locator(selector).allInnerTexts();

test('each network has its sentence, and the winners of the sentence are bold in the table', async () => {
	const part = await open();
	const heads = await textsOf(part, '.of-network h3');
	assert.deepEqual(heads.map((head) => head.split(' ')[0]), NETWORKS);
	const sentences = await textsOf(part, '.verdict');
	assert.equal(sentences.length, 3);
	for (const [i, sentence] of sentences.entries()) {
		assert.match(sentence, / (wins|tie) with a p50 of .* at 10 messages\/s.* ahead of .*(, because |; the figures give no reason)/);
		const bold = await textsOf(part, `.of-network >> nth=${i} >> tbody tr:has(td:nth-child(3).best) th`);
		const winners = sentence.split(/ wins | tie /)[0].toLowerCase().replaceAll('-', '').split(/, | and /);
		assert.deepEqual(bold.map((name) => name.trim()), winners);
	}
});

test('the picture has a mark of each transport on each network, and the table the same figures', async () => {
	const part = await open();
	assert.equal(await part.locator('.series').count(), 5);
	assert.equal(await part.locator('.dot').count(), 15);
	const titles = await part.locator('.series title').allTextContents();
	const cells = await textsOf(part, '.beside tbody td');
	assert.equal(cells.length, 15);
	for (const cell of cells) {
		const [p50, p90] = cell.split('\n').map((text) => text.replace('!', '').trim());
		assert.ok(titles.some((title) => title.endsWith(`p50 ${p50}, p90 ${p90}`)), `${cell} in ${titles.join('; ')}`);
	}
});

test('the keyboard changes the rate, in the picture and in the table', async () => {
	const part = await open();
	const places = () => part.locator('.dot').evaluateAll((dots) => dots.map((dot) => dot.getAttribute('d')));
	const before = await places();
	await part.getByRole('radio', { name: '10', exact: true }).focus();
	await page.keyboard.press('ArrowRight');
	assert.match(await part.locator('.beside caption').innerText(), /^p50 at 100 messages\/s/);
	assert.match(await part.getByRole('img').getAttribute('aria-label'), / 100 messages\/s/);
	assert.equal(await part.getByRole('status').textContent(), 'Figures at 100 messages/s');
	assert.notDeepEqual(await places(), before);
	assert.equal(await part.locator('.dot').count(), 14, 'one failed at this rate');
	assert.equal((await textsOf(part, '.beside tbody td')).filter((cell) => cell.trim() === '–').length, 1);
});

test('a transport can be hidden in the picture', async () => {
	const part = await open();
	const top = () => part.locator('.tick text').allTextContents();
	const all = await top();
	await part.getByRole('checkbox', { name: 'poll', exact: true }).uncheck();
	assert.equal(await part.locator('.dot').count(), 12);
	await part.getByRole('checkbox', { name: 'poll', exact: true }).check();
	assert.deepEqual(await top(), all);
	for (const box of await part.getByRole('checkbox').all())
		await box.uncheck();
	assert.equal(await part.locator('.dot').count(), 0);
});

test('the pointer shows which row of the table a network is', async () => {
	const part = await open();
	await part.locator('.network >> nth=1 >> line').hover({ force: true });
	assert.match((await textsOf(part, '.beside tr.on'))[0], /^4g/);
	await part.locator('.beside tbody tr >> nth=2').hover();
	assert.deepEqual(await part.locator('.network.on text').allTextContents(), ['satellite']);
});

test('what failed says why, what is doubtful is marked, and all figures are a click away', async () => {
	const part = await open();
	assert.deepEqual(await textsOf(part, '.of-network >> nth=2 >> ul.note li'),
		['poll, net-latency, 100 messages/s, payload 128 B: failed: timed out']);
	assert.equal(await part.locator('.of-network >> nth=0 >> .doubtful').count(), 3, 'the three of net-connect, sse');
	const details = part.locator('.of-network >> nth=1 >> details');
	assert.equal(await details.locator('table').count(), 0);
	await details.locator('summary').click();
	await details.locator('table >> nth=0').waitFor();
	const captions = await textsOf(details, 'caption');
	assert.equal(new Set(captions).size, captions.length);
	assert.ok(captions.some((caption) => caption.startsWith('net-latency: 10 messages/s')), captions.join('; '));
});

for (const width of [360, 1280])
	for (const colorScheme of ['light', 'dark'])
		test(`axe finds nothing wrong at ${width} px in ${colorScheme}, and nothing is wider than the page`, async () => {
			await open({ width, colorScheme });
			assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
			const frame = await page.locator('.chart svg').boundingBox();
			assert.ok(frame.x >= 0 && frame.x + frame.width <= width, JSON.stringify(frame));
			await assertAccessible(page);
		});

test('the picture follows the width of the page', async () => {
	const part = await open();
	const widest = (await part.locator('.chart svg').boundingBox()).width;
	await page.setViewportSize({ width: 400, height: 900 });
	await page.waitForFunction((width) => document.querySelector('.chart svg').clientWidth < width, widest);
	const { width } = await part.locator('.chart svg').boundingBox();
	assert.ok(width <= 400);
});

test('it is drawn without uPlot too', async () => {
	const html = template.replace(/<script>\s*\/\* uPlot:[\s\S]*?<\/script>/, '');
	assert.ok(html.length < template.length && !html.includes('uPlot.paths='));
	const part = await open({ html });
	assert.equal(await part.locator('.dot').count(), 15);
});

test('a report of no network has no such part', async () => {
	const results = measured.results.map(({ network, ...result }) => result);
	assert.equal(await (await open({ report: { ...measured, results } })).count(), 0);
});

test('two servers have a picture each', async () => {
	const results = [...measured.results, ...measured.results.map((result) => ({ ...result, server: 'another' }))];
	const part = await open({ report: { ...measured, results } });
	assert.equal(await part.locator('.chart svg').count(), 2);
	assert.equal(await part.getByRole('radio').count(), 6);
	assert.deepEqual((await textsOf(part, '.of-network h3')).slice(0, 2).map((head) => head.split(' ').slice(0, 2).join(' ')),
		['lan, sluice', 'lan, another']);
});
