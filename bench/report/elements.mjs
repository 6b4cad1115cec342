// Elements of the report's page.
import { TRANSPORTS } from './networks.mjs';

/** An element. An attribute that is undefined or false is left out; `style` is an object of
 * properties. @param {string} tag @param {Record<string, any> | null} [attributes]
 * @param {...(Node | string | null | undefined)} children
 * @returns {any} so that a caller need not say which kind it is */
export function el(tag, attributes, ...children) {
	return fill(document.createElement(tag), attributes, children);
}

/** The same of SVG. @param {string} tag @param {Record<string, any> | null} [attributes]
 * @param {...(Node | string | null | undefined)} children @returns {any} */
export function svg(tag, attributes, ...children) {
	return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

/** @param {any} element @param {Record<string, any> | null | undefined} attributes
 * @param {(Node | string | null | undefined)[]} children */
function fill(element, attributes, children) {
	for (const [name, value] of Object.entries(attributes ?? {}))
		if (name === 'style')
			for (const [property, set] of Object.entries(value))
				element.style.setProperty(property, set);
		else if (value !== undefined && value !== false)
			element.setAttribute(name, value === true ? '' : value);
	element.append(...children.filter((child) => child !== null && child !== undefined));
	return element;
}

/** The colour of a transport, as a style. @param {string} name */
export function tint(name) {
	return { '--tint': `var(--${TRANSPORTS.includes(name) ? name : 'other'})` };
}
