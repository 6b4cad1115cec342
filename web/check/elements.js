// The elements of the page, found and made.

/** @param {string} id
 * @returns {any} the element; which kind it is, check.html says */
export const get = (id) => document.getElementById(id);

/** @param {string} tag @param {string | Record<string, string>} [given] its class, or attributes
 * @param {...(Node | string | null)} children
 * @returns {HTMLElement} */
export function create(tag, given = {}, ...children) {
	const element = document.createElement(tag);
	const attributes = typeof given === 'string' ? { class: given } : given;
	for (const [name, value] of Object.entries(attributes))
		element.setAttribute(name, value);
	element.append(...children.filter((child) => child !== null));
	return element;
}

/** @param {[string, string | Node][]} rows
 * @returns {HTMLElement[]} what a dl holds */
export function createRows(rows) {
	return rows.map(([name, value]) =>
		create('div', {}, create('dt', {}, name), create('dd', {}, value)));
}
