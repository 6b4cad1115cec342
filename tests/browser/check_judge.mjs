// What a report of the check page has to have in common with what the lab measured on the same
// path: pure. What it need not have has a reason in check_paths.json.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const { judgeDiagnosis } = await import(pathToFileURL(resolve(process.env.SLUICE_LAB, 'verdict.mjs')).href);

const LONGEST_S = 15;

/** @typedef {{ unloadable?: string, states?: Record<string, string>, choice?: string, late?: string }} Exception
 * each a reason: unloadable: the page itself does not arrive through the path; states: by transport,
 * why the page may call dead what the lab finds alive or the other way round; choice: why the page
 * may choose another transport than the lab's client ended on; late: why it may take longer */

/** @param {any} path of the lab @param {{ cells: Record<string, any>, client: any }} row measured
 * @param {any} report of the page
 * @param {{ exception?: Exception, decodeCode: (code: string) => any, isTimed?: boolean }} means
 * @returns {string[]} what is wrong with it */
export function judgeCheck(path, { cells, client }, report, { exception = {}, decodeCode, isTimed }) {
	const { states = {}, choice, late } = exception;
	const compared = Object.fromEntries(Object.entries(cells).filter(([name]) => !states[name]));
	return [
		...judgeDiagnosis(path, compared, report).map((words) => words.replace('diagnosis', 'page')),
		...judgeChoice(path, cells, report, { chosen: client.transport, reason: choice }),
		...judgeCode(report, decodeCode),
		...isTimed && !late && report.seconds > LONGEST_S ? [`it took ${report.seconds} s, not ${LONGEST_S}`] : [],
	];
}

/** @param {any} path @param {Record<string, any>} cells @param {any} report
 * @param {{ chosen: string | null, reason?: string }} client the transport that the lab's ended on
 * @returns {string[]} */
function judgeChoice({ unseen }, cells, { choice, transports }, { chosen, reason }) {
	const living = Object.keys(transports).filter((name) => transports[name].state !== 'dead');
	if (choice === null ? living.length : !living.includes(choice))
		return [`the page chooses ${choice}, and says that ${living.join(', ') || 'nothing'} works`];
	if (unseen || choice === chosen)
		return [];
	if (reason && (choice === null || cells[choice].verdict !== 'dead'))
		return [];
	return [`the page chooses ${choice}, the client ended on ${chosen}`];
}

/** @param {any} report @param {(code: string) => any} decodeCode
 * @returns {string[]} */
function judgeCode({ code, choice, transports }, decodeCode) {
	const list = (of) => Object.entries(of).map(([name, { class: kind }]) => `${name} ${kind}`).join(', ');
	const decoded = decodeCode(code);
	const said = `${list(transports)}; ${choice}`;
	const read = `${list(decoded.transports)}; ${decoded.choice}`;
	return said === read ? [] : [`the code ${code} says ${read}, the report ${said}`];
}
