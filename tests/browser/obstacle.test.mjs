// Break it with a real proxy in the way: sluice-obstacle, whose faults the page switches.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { until } from './gateway.mjs';
import { assertAccessible, complaints, gateway, openPage, pullPlug, useWorld } from './world.mjs';

let page;

useWorld();

beforeEach(async () => {
	page = await openPage(() => false); // the faults are written to the console
	await page.goto(gateway.url);
	await page.evaluate(() => document.getElementById('break').scrollIntoView());
	await until('websocket in use', async () => await used() === 'websocket');
	await untilMessages();
});

afterEach(() => assert.deepEqual(complaints, []));

const read = (selector) => page.$eval(selector, (element) => element.textContent);
const readAll = (selector) => page.$$eval(selector, (all) => all.map((element) => element.textContent));
const used = () => page.$eval('#break-ladder', (list) => list.querySelector('[data-state="in use"]')?.dataset.transport);
const count = async (id) => Number((await read(`#break-${id}`)).replaceAll(',', ''));
const press = (fault) => page.click(`#fault-${fault}`);
const pressed = () => page.$$eval('.fault :checked', (all) => all.map(({ id }) => id.replace('fault-', '')));
const getObstacle = async () => (await fetch(`${gateway.url}demo/api/obstacle`)).json();
const getFaults = async () => (await fetch(`${(await getObstacle()).control}/faults`)).json();
const setFaults = async (...texts) =>
	assert.ok((await fetch(`${(await getObstacle()).control}/faults`, { method: 'PUT', body: JSON.stringify(texts) })).ok);

async function untilMessages(more = 5) {
	const before = await count('received');
	await until('messages', async () => await count('received') > before + more);
}

async function assertDelivered() {
	const published = await count('published');
	await until('all that was published', async () => await count('received') >= published);
	assert.match(await read('#break-verdict'), /^0 lost, 0 duplicated, 0 out of order$/);
}

/** Presses a fault, and waits until the client has fallen. */
async function fall(fault, transport) {
	await press(fault);
	await until(`${transport} in use`, async () => await used() === transport);
	await untilMessages();
}

/** Takes all faults away, and waits until the client is back. */
async function rise() {
	await page.click('#break-clear');
	await until('websocket in use again', async () => await used() === 'websocket');
	await untilMessages();
	await assertDelivered();
	assert.deepEqual(await getFaults(), []);
	assert.deepEqual(await pressed(), []);
}

for (const [fault, text, why] of [
	['strip', 'strip-upgrade', /removed the header Upgrade/],
	['refuse', 'refuse=403@transport=websocket', /did not reach the gateway/],
	['deaf', 'half-up', /no frame reached it|got no answer within/],
	['dead', 'dead-101', /the upgrade was answered|answered the upgrade/],
])
	test(`websocket falls to sse when the proxy has ${text}, says why, and comes back`, async () => {
		await fall(fault, 'sse');
		assert.deepEqual(await getFaults(), [text]);
		await until('the reason', async () => why.test(await read('#break-why')));
		await until('how often it was felt', async () => (await readAll('.fault-count')).some((words) => /^hit \d/.test(words)));
		assert.match(await read('#break-ladder [data-transport="websocket"] .state'), /blocked|trying/);
		await rise();
	});

test('faults add up: the client goes down to longpoll and back to websocket', async () => {
	await fall('strip', 'sse');
	await fall('hold-sse', 'stream');
	await fall('hold', 'longpoll');
	assert.deepEqual((await pressed()).sort(), ['hold', 'hold-sse', 'strip']);
	assert.deepEqual(await getFaults(), ['strip-upgrade', 'buffer-type=text/event-stream', 'buffer-end']);
	assert.ok(await count('switches') >= 3); // more where it tried to go up, or was slow
	await rise();
});

test('a fault taken away alone leaves the others', async () => {
	await fall('strip', 'sse');
	await fall('hold-sse', 'stream');
	await press('hold-sse');
	await until('sse in use again', async () => await used() === 'sse');
	assert.deepEqual(await getFaults(), ['strip-upgrade']);
	await rise();
});

test('messages that the proxy drops are recovered late, on another transport', async () => {
	await press('drop');
	await until('something else in use', async () => await used() && await used() !== 'websocket', 20000);
	await until('what was recovered', async () => await count('recovered') > 0);
	assert.match(await read('#break-events'), /websocket failed – the path loses messages.*Recovered late: [1-9]/s);
	await untilMessages(20);
	await rise('websocket', 40000);
});

test('messages that the proxy garbles are errors of the transport, and arrive on another', async () => {
	await press('garble');
	await until('something else in use', async () => await used() && await used() !== 'websocket', 20000);
	await untilMessages(20);
	await rise('websocket', 40000);
});

test('a lagging proxy, under which a websocket is no help, loses nothing', async () => {
	await press('lag');
	await press('strip');
	await until('something else in use', async () => await used() && await used() !== 'websocket');
	await untilMessages(20);
	await rise();
});

test('connections that are cut for their age come back at once', async () => {
	await press('age');
	await until('it to be cut', async () => (await readAll('#break-events b')).includes('On websocket again'));
	await rise();
});

test('with cuts of what is silent messages come seldom, and the client comes back each time', async () => {
	await press('idle');
	await until('it to be cut twice', async () =>
		(await readAll('#break-events b')).filter((words) => words === 'On websocket again').length >= 2);
	const before = await count('published'), began = Date.now();
	await page.waitForTimeout(2000);
	assert.ok(await count('published') - before <= (Date.now() - began) / 1000, 'ten a second otherwise');
	await rise();
});

test('504s of held polls: the client asks for shorter ones', async () => {
	await press('strip');
	await press('hold');
	await until('longpoll in use', async () => await used() === 'longpoll');
	await press('timeout');
	await until('a cut', async () => (await readAll('#break-events')).some((words) => /answer was cut off|504/.test(words)));
	await until('longpoll or poll in use', async () => ['longpoll', 'poll'].includes(await used()));
	await rise();
});

test('behind a captive portal nothing works, and all that was published arrives afterwards', async () => {
	await press('captive');
	await until('nothing in use', async () => await used() === undefined);
	await until('messages on the way', async () => await count('underway') > 20);
	await rise();
});

test('a slow, lossy line loses nothing', async () => {
	await press('slow');
	await untilMessages(20);
	await rise();
});

test('the plug pulled for 5 s: what was published meanwhile arrives afterwards', async () => {
	await press('strip');
	await until('sse in use', async () => await used() === 'sse');
	await pullPlug(page);
	await until('something in use', used);
	await untilMessages();
	await assertDelivered();
	assert.deepEqual(await getFaults(), ['strip-upgrade'], 'what was in the way before is again');
});

test('a black hole is noticed, and nothing that fell into it is lost', async () => {
	await page.click('#break-swallow');
	await until('messages on the way', async () => await count('underway') > 2);
	await until('the client to be back', async () => await count('underway') < 2);
	await untilMessages();
	await assertDelivered();
});

test('faults changed by another are shown, and those left by a page that goes are taken away', async () => {
	await setFaults('strip-upgrade', 'cut-age=10s');
	await until('both switches', async () => (await pressed()).length === 2);
	assert.deepEqual((await pressed()).sort(), ['age', 'strip']);
	await page.goto('about:blank');
	await until('no faults', async () => (await getFaults()).length === 0);
});

test('out of sight there is no fault and no connection', async () => {
	await press('strip');
	await until('sse in use', async () => await used() === 'sse');
	await page.evaluate(() => scrollTo(0, 0));
	await until('no faults', async () => (await getFaults()).length === 0);
	const { control } = await getObstacle();
	await until('no connections', async () => (await (await fetch(`${control}/counts`)).json()).connections.open < 3);
});

test('an obstacle that dies is started again, and its faults are gone from the page too', async () => {
	await press('strip');
	await until('sse in use', async () => await used() === 'sse');
	gateway.killChildren();
	await until('the switch to be off', async () => (await pressed()).length === 0);
	await until('websocket in use again', async () => await used() === 'websocket');
	await untilMessages();
	await assertDelivered();
});

test('an obstacle that is given up is done without: the gateway blocks transports then', async () => {
	for (let deaths = 1; deaths <= 6; deaths++) {
		gateway.killChildren();
		await until('its end to be counted', async () =>
			(await (await fetch(`${gateway.url}metrics`)).text()).includes(`demo_obstacle_ended_total ${deaths}\n`));
	}
	await until('the old buttons', () => page.isVisible('#break-ladder button'));
	assert.equal(await page.isVisible('#break-faults'), false);
	await until('websocket in use', async () => await used() === 'websocket');
	await page.click('#break-ladder li[data-transport="websocket"] button');
	await until('sse in use', async () => await used() === 'sse');
	await untilMessages();
	await assertDelivered();
});

test('the switches are worked by the keyboard and fit a phone', async () => {
	await page.focus('#fault-strip');
	await page.keyboard.press('Space');
	await until('sse in use', async () => await used() === 'sse');
	await page.setViewportSize({ width: 360, height: 780 });
	await page.evaluate(() => document.getElementById('fault-dead').scrollIntoView({ block: 'center' }));
	assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
	assert.equal(await page.isVisible('#break-verdict'), true);
	await page.click('#break-clear');
	await until('websocket in use', async () => await used() === 'websocket');
	await page.click('.fault:has(#fault-dead)'); // anywhere on it
	await until('sse in use', async () => await used() === 'sse');
});

for (const colorScheme of ['light', 'dark'])
	test(`axe finds nothing wrong while faults are on, in ${colorScheme}`, async () => {
		await page.emulateMedia({ colorScheme });
		await press('strip');
		await until('sse in use', async () => await used() === 'sse');
		await until('how often it was felt', async () => (await readAll('.fault-count')).some(Boolean));
		await assertAccessible(page, ['#break']);
	});
