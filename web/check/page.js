// The check page: one button, its progress, a verdict. Everything below check.html that moves.
import { computeClean, runCheck, writeText } from './check.js';
import { get } from './elements.js';
import { copy, download, send } from './share.js';
import { showNote, showPhase, showProgress, showReport } from './view.js';

/** @typedef {import('./report.js').Report} Report */
/** @typedef {import('./check.js').Progress} Progress */

const COPIED_MS = 2500;

class CheckPage {
	#base = new URL('.', location.href);
	/** @type {AbortController | undefined} */
	#running;
	/** @type {Report | undefined} */
	#report;
	/** The last of the check: whether the gateway takes reports, and what was seen.
	 * @type {Progress | undefined} */
	#progress;

	begin() {
		get('broken').hidden = true;
		get('host').textContent = get('send-host').textContent = this.#base.host;
		get('run').disabled = false;
		this.#on('start', 'submit', (event) => {
			event.preventDefault();
			this.#run();
		});
		this.#on('stop', 'click', () => this.#running?.abort());
		this.#on('copy', 'click', () => this.#copy('copy', this.#text));
		this.#on('advice-copy', 'click', () => this.#copy('advice-copy', this.#advice));
		this.#on('download', 'click', () => this.#report && download(this.#report));
		this.#on('send', 'click', () => this.#send());
		addEventListener('beforeprint', () => get('details').open = true);
	}

	/** @param {string} id @param {string} type @param {(event: Event) => void} handle */
	#on(id, type, handle) {
		get(id).addEventListener(type, handle);
	}

	get #text() {
		return this.#report ? writeText(this.#report, this.#base.href) : '';
	}

	get #advice() {
		const { advice = [] } = this.#report ?? {};
		return `${advice.map((item, i) => `${i + 1}. ${item}`).join('\n')}\n`;
	}

	async #run() {
		if (this.#running)
			return;
		const { signal } = this.#running = new AbortController();
		showPhase('running');
		get('stop').focus();
		try {
			this.#report = await runCheck(this.#base, { patient: get('patient').checked, signal,
				onProgress: (progress) => this.#follow(progress, signal) });
			this.#show();
		} catch (error) {
			showPhase(this.#report ? 'shown' : 'ready');
			showNote(signal.aborted ? 'Stopped.' : 'The check could not be completed: ' +
				`${/** @type {Error} */ (error).message}.`);
			get('run').focus();
		}
		this.#running = undefined;
	}

	/** @param {Progress} progress @param {AbortSignal} signal */
	#follow(progress, signal) {
		if (signal.aborted)
			return;
		this.#progress = progress;
		showProgress(progress);
	}

	#show() {
		const report = /** @type {Report} */ (this.#report);
		get('send').hidden = get('send-what').hidden = !this.#progress?.reports;
		get('send').disabled = false;
		get('text').hidden = true;
		get('shared').textContent = '';
		showReport(report, this.#base, computeClean(report.base_ms), this.#progress?.evidence);
	}

	/** @param {string} id of the button @param {string} text */
	async #copy(id, text) {
		const button = get(id);
		const before = button.dataset.label ??= button.textContent;
		const copied = await copy(text);
		get('shared').textContent = copied ? 'Copied.' : 'Copy the text from the field below.';
		button.textContent = copied ? 'Copied' : before;
		setTimeout(() => button.textContent = before, COPIED_MS);
	}

	async #send() {
		if (!this.#report)
			return;
		get('send').disabled = true;
		get('shared').textContent = 'Sending …';
		const { sent, words } = await send(this.#base, this.#report);
		get('shared').textContent = words;
		get('send').disabled = sent;
	}
}

new CheckPage().begin();
