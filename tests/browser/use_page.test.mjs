// The programs of doc/use.md in Chromium, on a page of the gateway's origin. Its commands run in tests/e2e.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DocPage, openPage, place, start, untilSaid, useGateway } from './doc_page.mjs';
import { until } from './gateway.mjs';

const doc = new DocPage('use.md');
const world = useGateway();

/** Runs a program and publishes 1, 2, 3, ... until it has logged some: from the first that it logs, each once and in
 * order. @param {RegExp} words of the program @param {RegExp} said a line, with the number in a group */
async function receives(words, said = /"data":{"n":(\d+)}/) {
	const page = await openPage(world.context, world.gateway.url);
	await start(page, place(doc.find(words), world.gateway.url));
	let n = 0;
	const numbers = await until('three messages', async () => {
		await world.gateway.publish('chat', JSON.stringify({ n: ++n }), 'application/json');
		const lines = await page.evaluate(() => window.said);
		const found = lines.flatMap((line) => said.exec(line)?.[1] ?? []).map(Number);
		return found.length > 2 && found;
	});
	assert.deepEqual(numbers, numbers.map((_, i) => numbers[0] + i));
	return page;
}

test('EventSource logs a message with its id', () => receives(/new EventSource/, /^[0-9a-f]{8}-\d+ {.*"data":{"n":(\d+)}}$/));

test('WebSocket publishes over its connection, and gets an ack and the message', async () => {
	const page = await receives(/\/ws\?channels=chat&since=0/);
	await untilSaid(page, /"type":"ack","ref":1/);
	await untilSaid(page, /"data":"hello"/);
});

test('fetch reads a stream of lines', () => receives(/getReader/));

test('fetch polls, and goes on behind what it has', async () => {
	await world.gateway.publish('chat', '"first"', 'application/json');
	const page = await receives(/const { cursor, messages }/);
	const first = await page.evaluate(() => window.said.filter((line) => line.includes('"first"')).length);
	assert.equal(first, 1);
});

test('a raw WebSocket gets payloads, and what it sent itself', async () => {
	const page = await receives(/format=raw/, /^{"n":(\d+)}$/);
	await untilSaid(page, /^each frame is one message$/);
});

test('each program of the page is one of these', () => assert.deepEqual(doc.unused, []));
