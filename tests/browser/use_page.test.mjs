// The programs of doc/use.md in Chromium, on a page of the gateway's origin. Its commands run in tests/e2e.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch } from './browser.mjs';
import { DocPage, openPage, place, start, untilSaid } from './doc_page.mjs';
import { Gateway, until } from './gateway.mjs';

const doc = new DocPage('use.md');
let browser, context, gateway;

before(async () => {
	browser = await launch();
});

beforeEach(async () => {
	gateway = await new Gateway().start();
	context = await browser.newContext();
});

afterEach(async () => {
	await context.close();
	await gateway.stop();
});

after(() => browser?.close());

/** Runs a program, and publishes until it has said the message. @param {RegExp} words of it */
async function receives(words, said = /{"n":1}/) {
	const page = await openPage(context, gateway.url);
	await start(page, place(doc.find(words), gateway.url));
	await until('the message', async () => {
		await gateway.publish('chat', '{"n":1}', 'application/json');
		return page.evaluate(([source]) => window.said.some((line) => new RegExp(source).test(line)), [said.source]);
	});
	return page;
}

test('EventSource logs a message with its id', () => receives(/new EventSource/, /^[0-9a-f]{8}-\d+ {.*"data":{"n":1}}$/));

test('WebSocket publishes over its connection, and gets an ack and the message', async () => {
	const page = await receives(/\/ws\?channels=chat&since=0/);
	await untilSaid(page, /"type":"ack","ref":1/);
	await untilSaid(page, /"data":"hello"/);
});

test('fetch reads a stream of lines', () => receives(/getReader/));

test('fetch polls, and goes on behind what it has', async () => {
	await gateway.publish('chat', '"first"', 'application/json');
	const page = await receives(/const { cursor, messages }/);
	const first = await page.evaluate(() => window.said.filter((line) => line.includes('"first"')).length);
	assert.equal(first, 1);
});

test('a raw WebSocket gets payloads, and what it sent itself', async () => {
	const page = await receives(/format=raw/, /^{"n":1}$/);
	await untilSaid(page, /^each frame is one message$/);
});

test('each program of the page is one of these', () => assert.deepEqual(doc.unused, []));
