// How a report leaves the page: copied, downloaded, sent.
import { get } from './elements.js';

/** @typedef {import('./report.js').Report} Report */

const SEND_MS = 15000;

/** Without a clipboard (on a page without TLS) the old command may copy. If that fails too, the
 * text is shown, so that the user copies it by hand.
 * @param {string} text
 * @returns {Promise<boolean>} whether it is copied */
export async function copy(text) {
	const area = get('text');
	area.value = text;
	try {
		await navigator.clipboard.writeText(text);
		area.hidden = true;
		return true;
	} catch {
		area.hidden = false;
		area.focus();
		area.select();
	}
	try {
		area.hidden = document.execCommand('copy');
	} catch { /* then it stays */ }
	return area.hidden;
}

/** @param {Report} report */
export function download(report) {
	const text = `${JSON.stringify(report, null, '\t')}\n`;
	const file = new Blob([text], { type: 'application/json' });
	const link = document.createElement('a');
	link.href = URL.createObjectURL(file);
	link.download = `sluice-check-${report.code}.json`;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), SEND_MS);
}

/** @param {Response} response that refuses the report
 * @returns {Promise<string>} why, and when to try again */
async function explainRefusal(response) {
	const { status, headers } = response;
	const { error } = await response.json().catch(() => ({}));
	const wait = Number(headers.get('Retry-After'));
	const again = wait ? ` Try again in ${Math.ceil(wait / 60)} min.` : '';
	const why = error?.message ?? `a proxy answered with status ${status}`;
	return `The report was not sent: ${why}.${again}`;
}

/** @param {URL} base @param {Report} report
 * @returns {Promise<{ sent: boolean, words: string }>} */
export async function send(base, report) {
	const ending = new AbortController();
	const timer = setTimeout(() => ending.abort(), SEND_MS);
	try {
		const response = await fetch(new URL('check/report', base), { method: 'POST',
			headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(report),
			credentials: 'same-origin', cache: 'no-store', signal: ending.signal });
		if (!response.ok)
			return { sent: false, words: await explainRefusal(response) };
		const { stored } = await response.json();
		return stored ? { sent: true, words: `Sent. Its code is ${report.code}.` } :
			{ sent: false, words: 'The report was not sent: another server answered.' };
	} catch {
		return { sent: false, words: 'The report was not sent: it did not reach the gateway. ' +
			'Copy or download it, and send it by e-mail.' };
	} finally {
		clearTimeout(timer);
	}
}
