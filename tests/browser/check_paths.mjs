// The check page on paths of the lab: a real browser opens it through the path and presses its
// button, while the lab measures the same path with clients of its own beside it. SLUICE_LAB is
// the lab's folder.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { judgeCheck } from './check_judge.mjs';
import { until } from './gateway.mjs';

const { SLUICE, SLUICE_CLIENT, SLUICE_LAB, SLUICE_WEB } = process.env;
const load = (folder, file) => import(pathToFileURL(resolve(folder, file)).href);
const { Gateway } = await load(SLUICE_LAB, 'gateway.mjs');
const { runMatrix, runOn } = await load(SLUICE_LAB, 'matrix.mjs');
const { transports } = await load(SLUICE_LAB, 'verdict.mjs');
const { Sluice } = await load(SLUICE_CLIENT, 'sluice.js');
const { decodeCode } = await load(SLUICE_WEB, 'check/code.js');

export const { choosePaths, listPaths } = await load(SLUICE_LAB, 'paths.mjs');
export const { cleanUpAtExit } = await load(SLUICE_LAB, 'process.mjs');

/** By path, why what the page says is not held against what the lab measured. */
export const exceptions = JSON.parse(readFileSync(new URL('check_paths.json', import.meta.url), 'utf8')).paths;

const RUIN_MS = 10000; // for what does not arrive
const PAGE_MS = 90000; // for loading the page and for the check, until it counts as hung

/** A gateway that can be told under which origin browsers know it, as it has to be where a
 * proxy changes the request header Host. One a path: an address gets only so many checks. */
class KnownGateway extends Gateway {
	#folder = mkdtempSync(join(tmpdir(), 'sluice-check-'));
	#config = join(this.#folder, 'sluice.json');
	#origins = [];

	/** @param {{ secure?: boolean }} path of the lab */
	async start({ secure }) {
		writeFileSync(this.#config, '{}');
		return super.start(SLUICE, { isSecure: secure,
			more: ['--web', SLUICE_WEB, '--config', this.#config, '--check-reports', this.#folder] });
	}

	/** @param {string} origin of the pages of a path */
	async know(origin) {
		this.#origins.push(origin);
		writeFileSync(this.#config, JSON.stringify({ 'public-origin': this.#origins }));
		this.reload();
		await until('the gateway to know an origin', async () =>
			(await this.request('/transports', { headers: { Origin: origin } })).status === 200);
	}

	/** @param {string} path @param {http.RequestOptions} options @param {string} [body]
	 * @returns {Promise<{ status: number, text: string }>} */
	request(path, options, body) {
		return new Promise((done, fail) => {
			const request = http.request({ host: '127.0.0.1', port: this.port, path, agent: false, ...options }, async (response) => {
				let text = '';
				for await (const piece of response.setEncoding('utf8'))
					text += piece;
				done({ status: response.statusCode, text });
			});
			request.on('error', fail).end(body);
		});
	}

	async stop() {
		await super.stop();
		rmSync(this.#folder, { recursive: true, force: true });
	}
}

/** What the page says of a path, as soon as it is done.
 * @param {import('./check_browsers.mjs').Browser} browser @param {any} path of the lab
 * @param {{ origin: string, proxy?: string }} way @param {KnownGateway} gateway */
async function checkPath(browser, { name }, { origin, proxy }, gateway) {
	if (!proxy)
		await gateway.know(new URL(origin).origin);
	const problems = [];
	const url = `${origin}check`;
	const { unloadable } = exceptions[name] ?? {};
	if (unloadable)
		problems.push(...await lookAtRuin(browser, { url, proxy }));
	const kept = unloadable ? (await gateway.request('/check', {})).text : undefined;
	const view = await browser.open({ url, proxy, kept });
	try {
		const report = await view.check(PAGE_MS);
		problems.push(...view.complaints.map((words) => `the page complains: ${words}`));
		const { status, text } = await gateway.request('/check/report', { method: 'POST',
			headers: { 'Content-Type': 'application/json' } }, JSON.stringify(report));
		if (status !== 201)
			problems.push(`the gateway does not take the report: ${text}`);
		return { ...report, loaded: view.loaded, problems };
	} finally {
		await view.close();
	}
}

/** Where the page itself does not arrive, nothing may look like a result of it.
 * @param {import('./check_browsers.mjs').Browser} browser @param {{ url: string, proxy?: string }} place
 * @returns {Promise<string[]>} what is wrong */
async function lookAtRuin(browser, place) {
	const view = await browser.open({ ...place, limit: RUIN_MS });
	try {
		const state = await view.look();
		if (state === 'ready')
			return ['the page arrives, although check_paths.json calls it unloadable'];
		return state === 'stuck' ? ['the page arrives, and neither runs nor says that it cannot'] : [];
	} finally {
		await view.close();
	}
}

/** A path of the lab, measured and checked.
 * @param {any} path @param {import('./check_browsers.mjs').Browser} browser @param {{ isTimed?: boolean }} options
 * @returns {Promise<any>} its row, with the report */
async function runPath(path, browser, { isTimed }) {
	const gateway = await new KnownGateway().start(path);
	/** @type {any} */
	let report;
	try {
		const [row] = await runMatrix([path], { gateway, Sluice, transports, isQuick: true, atOnce: 1,
			obstacle: join(dirname(SLUICE), 'sluice-obstacle'), diagnosisMs: 2 * PAGE_MS,
			diagnose: async (way) => (report = await checkPath(browser, path, way, gateway)), onRow() {},
			judge: (_, cells, told, client) => judge(path, { cells, client }, told, isTimed) });
		return { ...row, report };
	} finally {
		await gateway.stop();
	}
}

/** @param {any} path @param {any} row @param {any} report @param {boolean} [isTimed] */
function judge(path, row, report, isTimed) {
	if (!report.code)
		return [report.verdict]; // there is none
	return [...judgeCheck(path, row, report, { exception: exceptions[path.name], decodeCode, isTimed }), ...report.problems];
}

/** Checks a path once more, in another browser, against what has been measured.
 * @param {any} path @param {any} row as runPath() gives it
 * @param {import('./check_browsers.mjs').Browser} browser
 * @returns {Promise<any>} the row with what this browser's page says */
export async function checkAgain(path, row, browser) {
	const gateway = await new KnownGateway().start(path);
	const check = (way) => checkPath(browser, path, way, gateway);
	try {
		const run = () => runOn(path, [check], { gateway, obstacle: join(dirname(SLUICE), 'sluice-obstacle') });
		let [report] = await run();
		if (judge(path, row, report).length)
			[report] = await run(); // a path with chance in it
		return { ...row, report, misjudged: judge(path, row, report) };
	} catch (error) {
		return { ...row, report: undefined, misjudged: [String(error)] };
	} finally {
		await gateway.stop();
	}
}

/** Does `run` for all, so many at once, and the long ones first.
 * @template T @param {any[]} paths @param {number} atOnce @param {(path: any) => Promise<T>} run
 * @returns {Promise<T[]>} in the order of the paths */
export async function runAll(paths, atOnce, run) {
	const results = [];
	const queue = paths.map((path, i) => ({ path, i }))
		.sort((a, b) => (b.path.stall_seconds ?? 0) - (a.path.stall_seconds ?? 0));
	const work = async () => {
		for (let next; (next = queue.shift());)
			results[next.i] = await run(next.path);
	};
	await Promise.all(Array.from({ length: atOnce }, work));
	return results;
}

/** @param {any[]} paths @param {import('./check_browsers.mjs').Browser} browser
 * @param {{ atOnce: number, isTimed?: boolean, onRow?: (row: any) => void }} options isTimed: the
 * check has to be done in time too
 * @returns {Promise<any[]>} rows of the lab's matrix, `misjudged` being what is wrong with the page */
export function runPaths(paths, browser, { atOnce, isTimed, onRow = () => {} }) {
	return runAll(paths, atOnce, async (path) => {
		const row = await runPath(path, browser, { isTimed });
		onRow(row);
		return row;
	});
}
