// Every profile times every column, so many profiles at a time. The cells of a profile run
// side by side, each behind an obstacle of its own, so that none uses up another's fault.
import { Obstacle } from './obstacle.mjs';
import { runSession } from './session.mjs';
import { judgeCell, judgeClient } from './verdict.mjs';

/** @typedef {import('./plan.mjs').Profile} Profile */
/** @typedef {{ name: string, sentence: string, product?: string, forward?: boolean,
 * 	cells: Record<string, import('./verdict.mjs').Cell>, client: import('./verdict.mjs').Client,
 * 	error?: string }} Row */
/** @typedef {{ gateway: import('./gateway.mjs').Gateway, Sluice: any, obstacle: string, isQuick: boolean,
 * 	transports: string[], atOnce: number, onRow: (row: Row) => void }} Lab */
/** @typedef {Profile & { start?: (port: number) => Promise<{ origin: string, proxy?: string,
 * 	set?: (faults: string[]) => Promise<void>, stop: () => Promise<void> }> }} Path */

/** @param {Path[]} paths @param {Lab} lab
 * @returns {Promise<Row[]>} in the order of the paths */
export async function runMatrix(paths, lab) {
	const rows = /** @type {Row[]} */ ([]);
	// The long ones first: what is short fills the end.
	const queue = paths.map((path, i) => ({ path, i })).sort((a, b) => duration(b.path) - duration(a.path));
	const work = async () => {
		for (let next; (next = queue.shift());)
			lab.onRow(rows[next.i] = await runRow(next.path, lab));
	};
	await Promise.all(Array.from({ length: lab.atOnce }, work));
	return rows;
}

/** @param {Path} path */
function duration({ quick, stall_seconds: stall = 0 }) {
	return stall + (quick ? 0 : 30);
}

/** @param {Path} path @param {Lab} lab
 * @returns {Promise<Row>} */
async function runRow(path, lab) {
	const { name, sentence, product, forward } = path;
	const head = { name, sentence, product, forward };
	const columns = [...lab.transports, 'client'];
	try {
		const seen = path.start ? await runReal(path, columns, lab) :
			await Promise.all(columns.map((column) => runBehindObstacle(path, column, lab)));
		const cells = Object.fromEntries(lab.transports.map((transport, i) => [transport, judgeCell(path, transport, seen[i])]));
		return { ...head, cells, client: judgeClient(path, cells, seen[columns.length - 1]) };
	} catch (/** @type {any} */ error) {
		return { ...head, cells: {}, error: error.message, client: { transport: null, lost: 0, doubled: 0,
			reordered: 0, reconnects: 0, reasons: [], wrong: [`it could not be run: ${error.message}`] } };
	}
}

/** @param {Path} path @param {string} column @param {Lab} lab */
async function runBehindObstacle(path, column, lab) {
	const obstacle = new Obstacle();
	try {
		await obstacle.start(lab.obstacle, lab.gateway.port, { faults: path.faults ?? [], forward: path.forward });
		return await runSession(path, column, { origin: obstacle.origin ?? '', proxy: obstacle.proxy,
			set: (faults) => obstacle.set(faults) }, lab);
	} finally {
		await obstacle.stop();
	}
}

/** @param {Path} path @param {string[]} columns @param {Lab} lab */
async function runReal(path, columns, lab) {
	const proxy = await /** @type {NonNullable<Path['start']>} */ (path.start)(lab.gateway.port);
	try {
		return await Promise.all(columns.map((column) => runSession(path, column, proxy, lab)));
	} finally {
		await proxy.stop();
	}
}
