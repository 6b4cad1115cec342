// Polls in a row, one answer at a time: what proves them, and what a cache on the path spoils.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './setup.mjs';

const { Polls } = await load('transports/polled.js');

/** A host whose polls are answered by `answer({ n, method, wait, since, count })`, and what became
 * of it. It ends by itself after `most` polls: the last is never answered. */
async function run(answer, { hold = 25, most = 12 } = {}) {
	const told = { polls: [], taken: [], stages: [], warned: [], lost: undefined };
	let since = 'aaaaaaaa-5';
	let done = () => {};
	const ended = new Promise((resolve) => { done = resolve; });
	const host = {
		version: 1, interval: 0, start: (then) => { then(); return () => {}; }, alive() {}, checked() {},
		stage: (stage) => told.stages.push(stage),
		warn: (code, message) => told.warned.push({ code, message }),
		url: (path, params) => `http://gateway/${path}?${new URLSearchParams({ since, ...params })}`,
		take(object) {
			told.taken.push(object);
			since = object.id ?? object.cursor ?? since;
			return Boolean(object.id);
		},
		lost: (loss) => done(told.lost = loss),
		async fetch(url, { method }) {
			const { n, wait } = Object.fromEntries(new URL(url).searchParams);
			told.polls.push({ method, wait: Number(wait), n });
			if (told.polls.length > most) {
				done(undefined);
				return new Promise(() => {});
			}
			const text = answer({ n, method, wait: Number(wait), since, count: told.polls.length });
			return new Response(text, { headers: { Sluice: '0' } });
		},
	};
	const link = new Polls(host, () => hold, 0);
	await ended;
	link.close();
	return told;
}

const reply = ({ since }, n, messages = []) => JSON.stringify({ cursor: messages.at(-1)?.id ?? since, messages, gaps: [], n });
const create = (seq) => ({ id: `aaaaaaaa-${seq}`, channel: 'c', time: 1, data: seq });

test('each poll has an n of its own, and the first answer must bring it', async () => {
	const { polls, lost, stages } = await run((asked) => reply(asked, asked.n, [create(5 + asked.count)]));
	assert.equal(new Set(polls.map(({ n }) => n)).size, polls.length);
	assert.ok(polls.every(({ n }) => /^[A-Za-z0-9_-]{8,64}$/.test(n)));
	assert.ok(polls.every(({ method }) => method === 'GET'));
	assert.deepEqual([polls[0].wait, polls[1].wait, polls[2].wait], [0, 1, 25]);
	assert.equal(lost, undefined);
	assert.equal(stages[0], 'answer');
});

test('a live answer, which many share, has none, and is taken', async () => {
	const { taken, lost } = await run((asked) => reply(asked, asked.count === 1 ? asked.n : undefined, [create(5 + asked.count)]));
	assert.equal(lost, undefined);
	assert.equal(taken.filter(({ id }) => id).length, 12);
});

test('a cache that ignores the query: the first answer is not taken, the client polls by POST', async () => {
	const { polls, taken, warned, lost } = await run((asked) => asked.method === 'GET' ?
		JSON.stringify({ cursor: 'aaaaaaaa-99', messages: [create(99)], gaps: [], n: 'of-another' }) :
		reply(asked, asked.n, [create(5 + asked.count)]));
	assert.deepEqual(polls.slice(0, 3).map(({ method }) => method), ['GET', 'POST', 'POST']);
	assert.ok(taken.every(({ id, cursor }) => id !== 'aaaaaaaa-99' && cursor !== 'aaaaaaaa-99'));
	assert.deepEqual(warned.map(({ code }) => code), ['cached']);
	assert.equal(lost, undefined);
});

test('a cache that answers POST as well is of no use: the transport is left and demoted', async () => {
	const { taken, stages, lost, polls } = await run((asked) => reply(asked, 'of-another'));
	assert.deepEqual([taken, stages], [[], []]);
	assert.ok(lost.demote && /cache/.test(lost.why));
	assert.deepEqual(polls.map(({ method }) => method), ['GET', 'POST']);
});

test('answers that come early with nothing: after two by POST, after two of these as short polls', async () => {
	const { polls, warned, lost } = await run((asked) => reply(asked, asked.n));
	assert.equal(lost, undefined);
	const methods = polls.map(({ method }) => method).join(' ');
	assert.match(methods, /^GET GET GET POST POST( POST)+$/);
	assert.deepEqual(polls.slice(0, 5).map(({ wait }) => wait > 0), [false, true, true, true, true]);
	assert.ok(polls.slice(5).every(({ wait }) => wait === 0));
	assert.equal(warned.length, 1);
});

test('an early answer with nothing that moves the cursor, and one with a message, are no fault', async () => {
	let seq = 5;
	const { polls } = await run((asked) => asked.count % 2 ? reply(asked, asked.n, [create(++seq)]) :
		JSON.stringify({ cursor: `aaaaaaaa-${++seq}`, messages: [], gaps: [], n: asked.n }));
	assert.ok(polls.every(({ method }) => method === 'GET'));
});

test('an old answer in the middle is not taken; two in a row, and it goes on by POST', async () => {
	const old = JSON.stringify({ cursor: 'aaaaaaaa-2', messages: [], gaps: [], n: 'of-another' });
	const { polls, taken } = await run((asked) => asked.method === 'GET' && asked.count > 2 ? old :
		reply(asked, asked.n, [create(5 + asked.count)]));
	assert.deepEqual(polls.slice(0, 5).map(({ method }) => method), ['GET', 'GET', 'GET', 'GET', 'POST']);
	assert.ok(taken.every(({ cursor }) => cursor !== 'aaaaaaaa-2'));
});

for (const [what, text] of [['no JSON', 'x{}'], ['another JSON', '{"cursor":"aaaaaaaa-7"}'], ['nothing', '']])
	test(`an answer that is ${what} damages the transport`, async () => {
		const { lost, taken } = await run(() => text);
		assert.ok(lost.damaged && lost.why);
		assert.deepEqual(taken, []);
	});
