// Every profile times every column, so many profiles at a time. The cells of a profile run
// side by side, each behind an obstacle of its own, so that none uses up another's fault.
import { Obstacle } from './obstacle.mjs';
import { runRecovery, runSession } from './session.mjs';
import { judgeCell, judgeClient, judgeDiagnosis } from './verdict.mjs';

/** @typedef {import('./plan.mjs').Profile} Profile */
/** @typedef {{ name: string, sentence: string, product?: string, forward?: boolean,
 * 	cells: Record<string, import('./verdict.mjs').Cell>, client: import('./verdict.mjs').Client,
 * 	diagnosis?: string, misjudged: string[] }} Row
 * 	diagnosis: what `sluice-bench probe` says of the path; misjudged: where the cells say otherwise */
/** @typedef {{ gateway: import('./gateway.mjs').Gateway, Sluice: any, obstacle: string, isQuick: boolean,
 * 	diagnose: (way: Way, path: Path) => Promise<Diagnosis>, diagnosisMs?: number, judge?: Judge,
 * 	transports: string[], atOnce: number, onRow: (row: Row) => void }} Lab
 * 	diagnosisMs: a diagnosis is given up after; judge: judgeDiagnosis() or one that asks for more */
/** @typedef {(path: Path, cells: Row['cells'], diagnosis: Diagnosis, client: Row['client']) =>
 * 	string[]} Judge what is wrong with a diagnosis */
/** @typedef {{ origin: string, proxy?: string, set?: (faults: string[]) => Promise<void> }} Way */
/** @typedef {import('./verdict.mjs').Diagnosis} Diagnosis */
/** @typedef {Profile & { start?: (gateway: import('./gateway.mjs').Gateway) => Promise<Way & { stop: () => Promise<void> }> }} Path */

const DIAGNOSIS_MS = 15000;

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
		const [diagnosis, recovery, ...seen] = await runOn(path, [(way) => diagnosePath(path, way, lab), (way) => lab.isQuick || !way.set ||
			!path.faults?.length ? undefined : runRecovery(path, way, lab.Sluice),
			...columns.map((column) => (/** @type {Way} */ way) => runSession(path, column, way, lab))], lab);
		const cells = Object.fromEntries(lab.transports.map((transport, i) => [transport, judgeCell(path, transport, seen[i])]));
		const client = judgeClient(path, cells, { ...seen[columns.length - 1], recovery });
		const judge = (/** @type {Diagnosis} */ told) => (lab.judge ?? judgeDiagnosis)(path, cells, told, client);
		const told = judge(diagnosis).length ? await diagnoseAgain(path, lab) : diagnosis;
		return { ...head, cells, client, diagnosis: told.verdict, misjudged: judge(told) };
	} catch (/** @type {any} */ error) {
		return { ...head, cells: {}, misjudged: [], client: { transport: null, lost: 0, doubled: 0,
			reordered: 0, recovered: 0, reconnects: 0, reasons: [], wrong: [`the client did not run: ${error.message}`] } };
	}
}

/** Does all tasks at once: on one real proxy, or each behind an obstacle of its own.
 * @param {Path} path @param {((way: Way) => any)[]} tasks @param {Lab} lab
 * @returns {Promise<any[]>} what they return */
export async function runOn(path, tasks, lab) {
	if (!path.start)
		return Promise.all(tasks.map((task) => runBehindObstacle(path, task, lab)));
	const proxy = await path.start(lab.gateway);
	try {
		return await Promise.all(tasks.map((task) => task(proxy)));
	} finally {
		await proxy.stop();
	}
}

/** @param {Path} path @param {(way: Way) => any} task @param {Lab} lab */
async function runBehindObstacle(path, task, lab) {
	const obstacle = new Obstacle();
	try {
		await obstacle.start(lab.obstacle, lab.gateway.port, { faults: path.faults ?? [], forward: path.forward });
		return await task({ origin: obstacle.origin ?? '', proxy: obstacle.proxy, set: (faults) => obstacle.set(faults) });
	} finally {
		await obstacle.stop();
	}
}

/** By itself: the first ran beside everything else.
 * @param {Path} path @param {Lab} lab
 * @returns {Promise<Diagnosis>} */
async function diagnoseAgain(path, lab) {
	const [diagnosis] = await runOn(path, [(way) => diagnosePath(path, way, lab)], lab);
	return diagnosis;
}

/** @param {Path} path @param {Way} way @param {Lab} lab
 * @returns {Promise<Diagnosis>} */
async function diagnosePath(path, way, { diagnose, diagnosisMs = DIAGNOSIS_MS }) {
	const given = { verdict: 'the diagnosis took too long', transports: {} };
	const late = new Promise((done) => setTimeout(done, diagnosisMs, given).unref());
	return Promise.race([diagnose(way, path), late])
		.catch((error) => ({ verdict: `the diagnosis failed: ${error.message ?? error.why}`, transports: {} }));
}
