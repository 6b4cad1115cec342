// When a token is asked for, and when no more: on a fake clock.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Clock } from './clock.mjs';
import { load } from './setup.mjs';

const { Tokens } = await load('token.js');
const { checkSource, isRefusal } = await load('source.js');
let clock;

beforeEach(() => { clock = new Clock(true); });
afterEach(() => clock.restore());

const encode = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');

/** A token that ends `life` s from now, of a clock that is `ahead` s. */
const mint = (life, { ahead = 0, ...claims } = {}) => {
	const iat = Math.floor(clock.now / 1000) + ahead;
	return `${encode({ alg: 'HS256' })}.${encode({ sub: 'ann', iat, exp: iat + life, ...claims })}.AAAA`;
};

/** Tokens that are watched, and what became of them. `make(count)` is the function. */
function watch(make, random = () => 0.5) {
	const log = { asked: [], lacks: [], news: 0 };
	const began = clock.now;
	const tokens = new Tokens(() => {
		log.asked.push(Math.round((clock.now - began) / 1000));
		return make(log.asked.length);
	}, random);
	tokens.watch({ onNew: () => log.news++, onLack: (lack) => log.lacks.push(lack) });
	return { tokens, log };
}

const refusal = (code = 'token_expired', retry) => ({ code, why: 'refused', retry });

test('a function is asked once for many that want a token', async () => {
	const { tokens, log } = watch(() => mint(3600));
	const all = await Promise.all([tokens.get(), tokens.get(), tokens.get()]);
	assert.deepEqual([new Set(all).size, log.asked.length, log.news], [1, 1, 1]);
});

for (const [life, least, most] of [[86400, 86340, 86370], [120, 60, 90], [10, 5, 7.5]])
	test(`a token of ${life} s is renewed ${least} to ${most} s after it came, at random`, async () => {
		for (const [random, at] of [[0, most], [0.9999, least]]) {
			const { tokens, log } = watch((count) => mint(count === 1 ? life : 1e6, { jti: count }), () => random);
			await tokens.get();
			await clock.run(at * 1000 - 500);
			assert.equal(log.asked.length, 1);
			await clock.run(1000);
			assert.equal(log.asked.length, 2);
			assert.equal(log.news, 2);
			tokens.stop();
		}
	});

test('what is no JWT, or has no end, is never renewed by itself', async () => {
	for (const token of ['plain', 'a.b.c', mint(10, { exp: undefined }), mint(10, { exp: 'soon' })]) {
		const { tokens, log } = watch(() => token);
		assert.equal(await tokens.get(), token);
		await clock.run(1e8);
		assert.equal(log.asked.length, 1, token);
	}
});

test('where the clock is wrong, a token is renewed within its own life, and no oftener', async () => {
	for (const ahead of [-7200, 7200]) {
		const { tokens, log } = watch((count) => mint(3600, { ahead, jti: count }));
		await tokens.get();
		await clock.run(6 * 3600 * 1000);
		assert.ok(log.asked.length >= 6 && log.asked.length <= 8, `${log.asked}`);
		tokens.stop();
	}
});

test('a function that returns the same token until its end is asked a few times', async () => {
	const token = mint(100);
	const { tokens, log } = watch(() => token);
	await tokens.get();
	await clock.run(99500);
	assert.ok(log.asked.length > 2 && log.asked.length < 12, `${log.asked}`);
	assert.equal(log.news, 1);
});

test('a function that fails is asked again, at random times that grow to 30 s, for ever', async () => {
	for (const fail of [() => { throw new Error('at once'); }, () => Promise.reject(new Error('later')), () => '',
		() => undefined, () => 'with a blank', () => ({}), () => 'a\r\nb']) {
		const { tokens, log } = watch((count) => count === 1 ? mint(10) : fail());
		await tokens.get();
		await clock.run(3600 * 1000);
		assert.ok(log.asked.length > 200 && log.asked.length < 300, `${log.asked.length}`);
		assert.ok(log.lacks.every(({ code, why }) => code === 'no_token' && !/at once|later|blank/.test(why)));
		tokens.stop();
	}
});

test('one that never answers has failed after 30 s', async () => {
	const { tokens } = watch(() => new Promise(() => {}));
	const asking = tokens.get().catch((error) => error);
	await clock.run(30000);
	assert.equal((await asking).code, 'no_token');
});

test('who asks while it fails hears how long to wait, and the function nothing', async () => {
	const { tokens, log } = watch(() => { throw new Error('down'); });
	for (let count = 0; count < 5; count++)
		await assert.rejects(tokens.get(), ({ code, retry }) => code === 'no_token' && retry > 0);
	assert.equal(log.asked.length, 1);
	tokens.wake();
	await assert.rejects(tokens.get());
	assert.equal(log.asked.length, 2);
});

test('a string that is refused is refused for good', async () => {
	const tokens = new Tokens('a.b.c');
	assert.equal(await tokens.get(), 'a.b.c');
	await assert.rejects(tokens.renew('a.b.c', refusal('unauthorized')), { code: 'unauthorized' });
});

test('a token in the place of one that was refused: once, until it was taken', async () => {
	const { tokens, log } = watch((count) => `token-${count}`);
	const first = await tokens.get();
	const renewing = [tokens.renew(first, refusal()), tokens.renew(first, refusal())];
	await clock.run(0);
	assert.deepEqual(await Promise.all(renewing), ['token-2', 'token-2']);
	await assert.rejects(tokens.renew('token-2', refusal('unauthorized')), { code: 'unauthorized' });
	assert.equal(await tokens.renew(first, refusal()), 'token-2', 'the refusal of an old one is no news');
	tokens.accept(first);
	await assert.rejects(tokens.renew('token-2', refusal()), { code: 'token_expired' });
	assert.equal(log.asked.length, 2);
	tokens.accept('token-2');
	const third = tokens.renew('token-2', refusal());
	await clock.run(10000);
	assert.equal(await third, 'token-3');
});

test('the same token again is the end', async () => {
	const { tokens, log } = watch(() => 'same');
	await tokens.get();
	await assert.rejects(tokens.renew('same', refusal()), { code: 'token_expired' });
	await assert.rejects(tokens.renew('same', refusal()), { code: 'token_expired' });
	assert.equal(log.asked.length, 2);
});

test('while the function fails there is no token, which is not the end', async () => {
	const { tokens } = watch((count) => count === 2 ? Promise.reject(new Error('down')) : `token-${count}`);
	await tokens.get();
	await assert.rejects(tokens.renew('token-1', refusal()), { code: 'no_token' });
	await clock.run(1000);
	assert.equal(await tokens.renew('token-1', refusal()), 'token-3');
});

test('after a revocation it is asked a second later, since the same second counts as before it', async () => {
	const { tokens, log } = watch((count) => `token-${count}`);
	await tokens.get();
	const renewing = tokens.renew('token-1', refusal('token_revoked'));
	await clock.run(900);
	assert.equal(log.asked.length, 1);
	await clock.run(1200);
	assert.equal(await renewing, 'token-2');
});

test('tokens that are taken and refused again and again are asked for ever more slowly', async () => {
	const { tokens, log } = watch((count) => `token-${count}`);
	await tokens.get();
	for (let stop = false, end = clock.now + 600000; !stop; stop = clock.now >= end) {
		const { current } = tokens;
		tokens.accept(current);
		const renewing = tokens.renew(current, refusal());
		await clock.run(1000);
		for (let i = 0; i < 60 && tokens.current === current; i++)
			await clock.run(1000);
		await renewing;
	}
	assert.ok(log.asked.length < 70, `${log.asked.length}`);
});

test('a source that is neither a token nor a function is refused without being shown', () => {
	for (const source of [undefined, 'a.b-c_d', () => ''])
		checkSource(source);
	for (const source of ['', 'two words', 'a\nb', 'tok/en=', 7, null, {}, ['secret']])
		assert.throws(() => checkSource(source), (error) => error instanceof TypeError && !/two|secret|tok\/en/.test(error.message));
	assert.deepEqual(['unauthorized', 'token_expired', 'token_revoked', 'forbidden', undefined].map(isRefusal),
		[true, true, true, false, false]);
});

test('the subject names iss and sub, and shows neither', async () => {
	const name = (claims) => new Tokens(mint(10, claims)).subject;
	assert.equal(name({ jti: 1 }), name({ jti: 2 }));
	const all = [{}, { sub: 'bob' }, { iss: 'x' }, { sub: 'x', iss: 'ann' }, { sub: 'ж' }].map(name);
	assert.equal(new Set(all).size, all.length);
	assert.ok(all.every((text) => /^[a-z0-9]{8,14}$/.test(text)), `${all}`);
	assert.equal(new Tokens('plain').subject, '');
});
