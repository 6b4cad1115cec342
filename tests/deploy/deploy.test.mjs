// Each set-up of doc/deploy.md: every transport passes, and the gateway knows whom it serves,
// whatever clients say of themselves.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { ask, open, publish, receiveTwo, transports } from './clients.mjs';
import { until } from './program.mjs';
import { hostName, Place, setups } from './setups.mjs';

const LIMIT = 4; // connections of an address

/** What a client writes that wants to be somebody else. */
const FORGERY = { 'X-Forwarded-For': '198.51.100.7', Forwarded: 'for=198.51.100.7;proto=http', 'X-Real-IP': '198.51.100.7',
	'X-Forwarded-Proto': 'http' };

for (const [name, setup] of Object.entries(setups))
	describe(name, () => {
		/** @type {Place} */
		let place;

		before(async () => {
			place = await new Place(setup).start('--max-connections-per-address', String(LIMIT));
		});

		after(() => place?.stop());

		Object.keys(transports).forEach((transport, i) => test(`${transport} passes, and live`, async () => {
			const got = await receiveTwo(place, { from: `127.0.0.${11 + i}` }, transport, `deploy.${transport}`);
			assert.deepEqual(got, [1, 2]);
		}));

		test('the gateway counts and logs the client\'s own address, whatever the client claims', async () => {
			await assertCounted(place, '127.0.0.21', {});
			await assertCounted(place, '127.0.0.22', FORGERY);
			for (const headers of [{}, FORGERY]) {
				const { text } = await ask(place, { from: '127.0.0.23', headers }, '/probe/head');
				const { client, secure } = JSON.parse(text);
				assert.deepEqual({ client, secure }, { client: '127.0.0.23', secure: true });
			}
			assert.doesNotMatch(place.log, /198\.51\.100\.7/);
			if (setup.tells === 'fields')
				assert.ok(await readMetric(place, 'sluice_proxy_headers_total', 'x_forwarded_for') > 0);
		});
	});

/** The sum over what has `label`. */
async function readMetric(place, name, label) {
	const { text } = await ask(place, { from: '127.0.0.10' }, '/metrics');
	return text.split('\n').filter((line) => line.startsWith(name) && line.includes(label))
		.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Of a client that sends `headers`, as many streams as one address may have are served, and no more;
 * somebody else's is. */
async function assertCounted(place, from, headers) {
	const streams = [];
	for (let i = 0; i < LIMIT; i++)
		streams.push(await open(place, { from, headers }, '/stream?channels=deploy.limit'));
	assert.deepEqual(streams.map(({ statusCode }) => statusCode), streams.map(() => 200));
	const { status, text } = await ask(place, { from, headers }, '/stream?channels=deploy.limit');
	assert.deepEqual([status, JSON.parse(text).error.code], [429, 'too_many_connections'], text);
	const other = await open(place, { from: '127.0.0.29', headers }, '/stream?channels=deploy.limit');
	assert.equal(other.statusCode, 200);
	for (const response of [...streams, other])
		response.destroy();
	const ended = new RegExp(`connection\\.end transport=stream peer=${from.replaceAll('.', '\\.')}:`);
	await until(() => ended.test(place.log) ? '' : `a line of ${from} in the log: ${place.log}`);
}
