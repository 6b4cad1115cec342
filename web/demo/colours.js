// The stylesheet's colours, for canvases; read again when the scheme changes.

const scheme = matchMedia('(prefers-color-scheme: dark)');

export class Colours {
	#element;
	#known = new Map();

	/** @param {Element} element whose colours they are */
	constructor(element) {
		this.#element = element;
		scheme.addEventListener('change', () => this.#known.clear());
	}

	/** @param {string} name of the property, without the dashes
	 * @returns {string} */
	get(name) {
		let colour = this.#known.get(name);
		if (!colour) {
			colour = getComputedStyle(this.#element).getPropertyValue(`--${name}`).trim();
			this.#known.set(name, colour);
		}
		return colour;
	}
}

/** @param {() => void} tell */
export function onSchemeChange(tell) {
	scheme.addEventListener('change', tell);
}
