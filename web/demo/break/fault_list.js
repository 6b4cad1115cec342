// The obstacle's faults as switches, each with what it does and who does so.
import { create } from '../panel.js';

/** @typedef {import('./faults.js').Fault} Fault */

export class FaultList {
	/** @type {Map<Fault, { input: HTMLInputElement, count: HTMLElement }>} */
	#rows = new Map();

	/** @param {HTMLElement} element @param {{ title: string, faults: Fault[] }[]} groups
	 * @param {(fault: Fault) => void} toggle */
	constructor(element, groups, toggle) {
		for (const { title, faults } of groups)
			element.append(create('fieldset', {}, create('legend', {}, title),
				...faults.map((fault) => this.#createRow(fault, toggle))));
	}

	/** @param {Fault} fault @param {(fault: Fault) => void} toggle */
	#createRow(fault, toggle) {
		const id = `fault-${fault.id}`;
		const count = create('span', 'fault-count number');
		const input = create('input', { type: 'checkbox', id, role: 'switch', autocomplete: 'off',
			'aria-labelledby': `${id}-name`, 'aria-describedby': `${id}-words` });
		input.addEventListener('change', () => toggle(fault));
		this.#rows.set(fault, { input, count });
		return create('label', 'fault', input, create('b', { id: `${id}-name` }, fault.name), count,
			create('span', { className: 'fault-words', id: `${id}-words` }, fault.words,
				create('span', 'fault-product', `Seen in: ${fault.product}.`)));
	}

	/** @param {Fault[]} list those that are in force */
	show(list) {
		for (const [fault, { input, count }] of this.#rows) {
			input.checked = list.includes(fault);
			if (!input.checked)
				count.textContent = '';
		}
	}

	/** @param {Map<string, number>} times a text took effect */
	count(times) {
		for (const [fault, { input, count }] of this.#rows) {
			const sum = fault.texts.reduce((before, text) => before + (times.get(text) ?? 0), 0);
			const words = input.checked && sum ? `hit ${sum.toLocaleString('en')}×` : '';
			if (count.textContent !== words)
				count.textContent = words;
		}
	}
}
