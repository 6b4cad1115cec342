// What the set-ups of doc/deploy.md cost, in all of their programs together: CPU time of a message that
// reaches one client, and memory of one that is idle. For doc/deploy.md's table; `make deploy-costs`.
import { readFileSync } from 'node:fs';
import { open, publish } from './clients.mjs';
import { until } from './program.mjs';
import { Place, setups } from './setups.mjs';

const FIRST_CLIENTS = 100; // for which the programs have allocated already
const CLIENTS = 500;
const AT_ONCE = 20;
const MESSAGES = 100;
const EVERY_MS = 40;
const TICK_US = 10000; // of Linux's CPU times (proc(5), USER_HZ)
const SETTLE_MS = 1500;
const WAIT_MS = 120000;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const read = (pid, file) => readFileSync(`/proc/${pid}/${file}`, 'utf8');

/** Of a process and its children. @returns {number[]} */
const listTree = (pid) => [pid, ...read(pid, `task/${pid}/children`).split(' ').filter(Boolean).flatMap((child) => listTree(Number(child)))];

/** @param {Place} place @param {(pid: number) => number} measure */
const sum = (place, measure) => place.programs.flatMap(({ pid }) => listTree(pid)).reduce((all, pid) => all + measure(pid), 0);

function readCpuUs(pid) {
	const [user, system] = read(pid, 'stat').replace(/.*\) /, '').split(' ').slice(11, 13).map(Number);
	return (user + system) * TICK_US;
}

const readMemoryKib = (pid) => Number(/Pss:\s+(\d+)/.exec(read(pid, 'smaps_rollup'))[1]);

const EVENT = 'data: {';

/** Calls back with the number of events in each piece of an event stream. @param {(events: number) => void} onEvents */
function countEvents(response, onEvents) {
	let tail = ''; // an event's first bytes may have come with the piece before
	response.on('data', (text) => {
		const pieces = (tail + text).split(EVENT);
		tail = (tail + text).slice(1 - EVENT.length);
		onEvents(pieces.length - 1);
	});
}

/** @param {Place} place @param {number} count @param {(events: number) => void} onEvents */
async function addClients(place, count, onEvents) {
	for (let i = 0; i < count; i += AT_ONCE)
		for (const response of await Promise.all(Array.from({ length: AT_ONCE },
			() => open(place, { from: '127.0.0.11' }, '/sse?channels=deploy.costs'))))
			countEvents(response, onEvents);
	await sleep(SETTLE_MS);
}

/** @param {Place} place */
async function measure(place) {
	let events = 0;
	const onEvents = (count) => { events += count; };
	await addClients(place, FIRST_CLIENTS, onEvents);
	const memory = sum(place, readMemoryKib);
	await addClients(place, CLIENTS, onEvents);
	const memoryKib = (sum(place, readMemoryKib) - memory) / CLIENTS;

	const expected = MESSAGES * (FIRST_CLIENTS + CLIENTS);
	events = 0;
	const cpu = sum(place, readCpuUs);
	for (let i = 0; i < MESSAGES; i++) {
		await publish(place, { from: '127.0.0.12' }, 'deploy.costs', 'x'.repeat(64));
		await sleep(EVERY_MS);
	}
	await until(() => events < expected && `${expected - events} more events`, WAIT_MS);
	return { memoryKib, cpuUs: (sum(place, readCpuUs) - cpu) / expected };
}

for (const [name, setup] of Object.entries(setups)) {
	const place = await new Place(setup).start('--max-connections-per-address', '0', '--heartbeat', '60');
	try {
		const { memoryKib, cpuUs } = await measure(place);
		console.log(`| ${name} | ${cpuUs.toFixed(0)} µs | ${memoryKib.toFixed(0)} KiB |`);
	} finally {
		await place.stop();
	}
}
process.exit(0); // the clients' sockets may linger
