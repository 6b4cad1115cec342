// Diagnose this path: what the way from this page to the gateway lets through, in words that
// can be copied and sent to those who run the network.
import { create, createBadge, get } from '../panel.js';

/** @typedef {import('../page.js').Page} Page */

const COPIED_MS = 2000;

export class Diagnose {
	#page;
	#report = '';
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#copied;

	/** @param {Page} page */
	constructor(page) {
		this.#page = page;
		get('diagnose-run').addEventListener('click', () => this.#run());
		get('diagnose-copy').addEventListener('click', () => this.#copy());
		get('diagnose-way').hidden = !this.#obstacle;
	}

	/** Where a misbehaving proxy stands before the gateway, if it does.
	 * @returns {string | undefined} */
	get #obstacle() {
		return /** @type {any} */ (this.#page).obstacle?.origin;
	}

	get #url() {
		const { base } = this.#page;
		return this.#obstacle && get('diagnose-through').checked ?
			new URL(base.pathname, this.#obstacle) : base;
	}

	async #run() {
		const url = this.#url;
		const patient = get('diagnose-patient').checked;
		get('diagnose-run').disabled = true;
		get('diagnose-verdict').textContent =
			`Testing every transport; this takes ${patient ? 'a minute' : 'three seconds'} …`;
		try {
			const { diagnose, writeReport } = await import('../../client/diagnose.js');
			const verdict = await diagnose(url, { patient });
			this.#report = writeReport(url.href, verdict);
			this.#show(verdict);
		} catch (error) {
			get('diagnose-verdict').textContent =
				`The test failed: ${/** @type {Error} */ (error).message}`;
		}
		get('diagnose-run').disabled = false;
	}

	/** @param {import('../../client/verdict.js').Verdict} verdict */
	#show({ verdict, transports, evidence }) {
		get('diagnose-verdict').textContent = verdict;
		const items = Object.entries(transports).map(([name, { state, why }]) =>
			create('li', { 'data-state': state }, createBadge(name), create('b', {}, state),
				create('span', 'quiet', why)));
		get('diagnose-transports').replaceChildren(...items);
		const seen = evidence.flatMap(({ what, saw }) =>
			[create('dt', {}, what), create('dd', {}, saw)]);
		get('diagnose-seen').replaceChildren(...seen);
		get('diagnose-result').hidden = false;
		get('diagnose-copy').disabled = false;
	}

	/** Where the browser gives no clipboard (a page without TLS) the text is there to be taken. */
	async #copy() {
		const button = get('diagnose-copy');
		const text = get('diagnose-text');
		try {
			await navigator.clipboard.writeText(this.#report);
			button.textContent = 'Copied';
		} catch {
			text.hidden = false;
			text.value = this.#report;
			text.focus();
			text.select();
			button.textContent = 'Copy the text below';
		}
		clearTimeout(this.#copied);
		this.#copied = setTimeout(() => button.textContent = 'Copy', COPIED_MS);
	}
}
