// The head of the page: when, with what and on which machine the figures were measured.
import { el } from './elements.mjs';

/** @typedef {import('./results.mjs').Report} Report */

/** @param {Report} report */
export function drawHead({ machine, settings, versions, results, started, bench, command }) {
	const repeats = Math.max(0, ...results.map((result) => result.repeats.length));
	const lead = document.getElementById('lead');
	if (lead)
		lead.textContent = `Measured ${started.replace('T', ' ').replace('Z', ' UTC')} by ` +
			`${bench}. ${repeatsInWords(repeats)}`;
	fact('Command', el('code', {}, command), true);
	fact('Processor', machine.cpu &&
		`${machine.cpu}, ${machine.cores} core${machine.cores === 1 ? '' : 's'}`);
	fact('Kernel', machine.kernel);
	fact('Memory', machine.memory_mib && `${(machine.memory_mib / 1024).toFixed(1)} GiB`);
	fact('Load before the run', machine.load_before?.toFixed(2));
	fact('Server', settings.target);
	fact('Receivers', settings.busy_polling ? 'poll their core' : 'sleep');
	fact('Versions', Object.entries(versions).map(([name, version]) =>
		`${name} ${version}`).join(', '), true);
	document.title = `sluice-bench, ${started.slice(0, 10)}`;
}

/** @param {number} count */
function repeatsInWords(count) {
	return count > 1 ? `Every figure is the median of ${count} repeats, with their range beside ` +
		'it. The transports take turns within each repeat, so drift of the machine affects all ' +
		'alike.' : 'There is one repeat: this is a first look, not a measurement.';
}

/** @param {string} title @param {any} value @param {boolean} [wide] */
function fact(title, value, wide) {
	if (value !== undefined && value !== '')
		document.getElementById('facts')?.append(el('div', wide ? { class: 'wide' } : {},
			el('dt', {}, title), el('dd', {}, value)));
}
