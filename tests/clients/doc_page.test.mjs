// The blocks of doc/clients.md as they stand, but for ports and paths: what is shown there works.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const page = readFileSync(join(process.env.SLUICE_DOC, 'clients.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'sluice-page-'));
const SHOWN = '127.0.0.1:8080';
const CURSOR = '[0-9a-f]{8}-\\d+';
/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
const used = new Set();
let started = 0;

after(() => rmSync(folder, { recursive: true }));

/** The only block of this language with these words. @param {string} language @param {RegExp} words */
function findBlock(language, words) {
	const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
		.filter(([, kind, text]) => kind === language && words.test(text));
	assert.equal(blocks.length, 1, `${words} is in ${blocks.length} blocks`);
	used.add(blocks[0][0]);
	return blocks[0][2];
}

/** The lines that a program says, and the first that has been waited for. */
function listen(child) {
	children.add(child);
	child.lines = [];
	createInterface({ input: child.stdout }).on('line', (line) => child.lines.push(line));
	return child;
}

/** @param {{ lines: string[] }} child @param {RegExp} line */
async function untilSaid(child, line) {
	for (const limit = Date.now() + 20000; Date.now() < limit;) {
		const found = child.lines.find((one) => line.test(one));
		if (found)
			return line.exec(found);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	assert.fail(`${line} was not said, but ${JSON.stringify(child.lines)}`);
}

async function end(child) {
	if (child.exitCode === null && child.signalCode === null) {
		child.kill();
		await once(child, 'exit');
	}
	children.delete(child);
}

/** Runs a gateway's block for `body`, which gets its address, and ends all that was started. */
async function withGateway(block, body) {
	const words = block.replace(SHOWN, '127.0.0.1:0').replace(/^sluice /m, 'exec "$SLUICE" ');
	const gateway = listen(spawn('/bin/sh', ['-ec', `${words.trim()} --web "$SLUICE_WEB" --log-level error --drain 1`],
		{ cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] }));
	try {
		const [, address] = await untilSaid(gateway, /^listening http:\/\/([^/\s]+)/);
		await body(address);
	} finally {
		await Promise.all([...children].map(end));
	}
}

/** Starts a program of the page, beside the packages that it imports. */
function start(block, address) {
	const file = join(process.cwd(), `page-${process.pid}-${started++}.mjs`);
	writeFileSync(file, block.replaceAll(SHOWN, address).replaceAll("'token.txt'", JSON.stringify(join(folder, 'token.txt'))));
	const child = listen(spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] }));
	child.once('exit', () => rmSync(file, { force: true }));
	return child;
}

/** A command of the page. */
const sh = (block, address) => run('/bin/sh', ['-ec', block.replaceAll(SHOWN, address).replace(/^sluice /m, '"$SLUICE" ')],
	{ cwd: folder });

const publish = (address, query, body) => sh(`curl -fsS -H 'Content-Type: application/json' -d '${body}' 'http://${SHOWN}/publish?${query}'`, address);

test('the chat: an event goes to all, its ack has the cursor, and a backend speaks into it', () =>
	withGateway(findBlock('sh', /--socketio-channel chat/), async (address) => {
		const chat = start(findBlock('js', /'chat message', 'hello'/), address);
		await untilSaid(chat, /^hello$/);
		await untilSaid(chat, new RegExp(`^${CURSOR}$`));
		await sh(findBlock('sh', /hello from the backend/), address);
		await untilSaid(chat, /^hello from the backend$/);
	}));

test('channels by auth and by subscribe; events with several arguments, and messages without a name', () =>
	withGateway(findBlock('sh', /--socketio-channel chat/), async (address) => {
		const reader = start(findBlock('js', /emitWithAck\('subscribe', 'sport'\)/), address);
		await untilSaid(reader, /^subscribed to sport$/);
		await sh(findBlock('sh', /args=list/), address);
		await untilSaid(reader, /^Rain again Hamburg$/);
		await publish(address, 'channel=sport', '"a goal"');
		await untilSaid(reader, /^sport a goal$/);
	}));

test('a token in auth says who may publish', () =>
	withGateway(findBlock('sh', /--token-key token\.key$/m), async (address) => {
		await sh(findBlock('sh', /sluice token/), address);
		const client = start(findBlock('js', /token\.txt/), address);
		await untilSaid(client, /^hello$/);
		await untilSaid(client, new RegExp(`^{ id: '${CURSOR}' }$`));
		writeFileSync(join(folder, 'token.txt'), 'wrong');
		await untilSaid(start(findBlock('js', /token\.txt/), address), /^refused: \S/);
	}));

test('a client that was cut off is recovered, and gets each event once', () =>
	withGateway(findBlock('sh', /--socketio-channel chat/), async (address) => {
		const client = start(findBlock('js', /recovery: '1'/), address);
		await untilSaid(client, /^connected$/);
		await publish(address, 'channel=news&event=headline', '"first"');
		await untilSaid(client, /^recovered$/);
		await publish(address, 'channel=news&event=headline', '"second"');
		await untilSaid(client, /^second$/);
		assert.deepEqual(client.lines.filter((line) => /^(first|second)$/.test(line)), ['first', 'second']);
	}));

test('bare Engine.IO has the payloads of its channel', () =>
	withGateway(findBlock('sh', /--socketio-channel chat/), async (address) => {
		const client = start(findBlock('js', /engine\.io-client/), address);
		const limit = Date.now() + 20000;
		while (!client.lines.length && Date.now() < limit)
			await publish(address, 'channel=news', '{"n":1}');
		await untilSaid(client, /^{"n":1}$/);
	}));

test('each block of the page is one of these', () => {
	const all = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([block]) => block);
	assert.deepEqual(all.filter((block) => !used.has(block)), []);
});
