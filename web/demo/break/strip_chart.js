// Draws the strip: a row a transport, a bar while it was in use, shaded while it was blocked.
import { create } from '../panel.js';
import { Strip } from './strip.js';

const SVG = 'http://www.w3.org/2000/svg';
const ROW = 20;

export class StripChart {
	strip;
	#names;
	#svg = document.createElementNS(SVG, 'svg');
	/** @type {SVGElement[]} */
	#bars = [];

	/** @param {HTMLElement} element @param {string[]} names @param {number} seconds */
	constructor(element, names, seconds) {
		this.strip = new Strip(seconds * 1000);
		this.#names = names;
		this.#svg.setAttribute('height', String(names.length * ROW));
		this.#svg.setAttribute('width', '100%');
		this.#svg.setAttribute('role', 'img');
		this.#svg.setAttribute('aria-label',
			`Which transport was in use in the last ${seconds} seconds; the list below says the ` +
			'same in words');
		const list = create('ul', { className: 'strip-names', 'aria-hidden': 'true' },
			...names.map((name) => create('li', {}, name)));
		const axis = create('p', { className: 'strip-axis small quiet', 'aria-hidden': 'true' },
			create('span', {}, `${seconds} s ago`), create('span', {}, 'now'));
		element.append(list, this.#svg, axis);
		for (let y = ROW; y < names.length * ROW; y += ROW)
			this.#svg.append(this.#create('line',
				{ x1: '0', x2: '100%', y1: y, y2: y, class: 'rule' }));
	}

	/** @param {number} now ms */
	draw(now) {
		const spans = this.strip.view(now).sort((a, b) => a.kind < b.kind ? -1 : 1);
		while (this.#bars.length < spans.length)
			this.#bars.push(this.#svg.appendChild(this.#create('rect', {})));
		while (this.#bars.length > spans.length)
			this.#bars.pop()?.remove();
		spans.forEach(({ lane, kind, start, end }, i) => {
			const inset = kind === 'use' ? 4 : 0;
			this.#set(this.#bars[i], { class: `is-${kind}`, 'data-transport': lane,
				x: `${start * 100}%`, width: `${Math.max(0, end - start) * 100}%`,
				y: this.#names.indexOf(lane) * ROW + inset, height: ROW - 2 * inset });
		});
	}

	/** @param {string} name @param {Record<string, string | number>} attributes */
	#create(name, attributes) {
		const element = document.createElementNS(SVG, name);
		this.#set(element, attributes);
		return element;
	}

	/** @param {Element} element @param {Record<string, string | number>} attributes */
	#set(element, attributes) {
		for (const [name, value] of Object.entries(attributes))
			if (element.getAttribute(name) !== String(value))
				element.setAttribute(name, String(value));
	}
}
