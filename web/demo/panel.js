// What the panels have in common: they run while they are near the window's view and the
// page is in front, and they make elements.

/** @typedef {import('./page.js').Page} Page */

/** The transports, best first. */
export const names = /** @type {import('./page.js').TransportName[]} */ (
	['websocket', 'sse', 'stream', 'longpoll', 'poll']);
const STAY_MS = 250; // who scrolls past opens nothing

/** Calls `run` with true or false when the section comes near or leaves, or the page rests.
 * @param {Page} page @param {Element} section @param {(running: boolean) => void} run */
export function whileSeen(page, section, run) {
	let near = false;
	let running = false;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer;
	const set = (/** @type {boolean} */ wanted) => wanted !== running && run(running = wanted);
	const tell = () => {
		clearTimeout(timer);
		if (near && page.front)
			timer = setTimeout(set, STAY_MS, true);
		else
			set(false);
	};
	new IntersectionObserver((entries) => {
		near = entries.at(-1)?.isIntersecting ?? false;
		tell();
	}, { rootMargin: '200px' }).observe(section);
	page.addEventListener('front', tell);
	page.addEventListener('rest', tell);
}

/** @param {string} id
 * @returns {any} the element; which kind it is, index.html says */
export const get = (id) => document.getElementById(id);

/** @param {string} tag @param {string | Record<string, any>} [given] its class, or properties;
 * 	`data` and names with a dash are attributes
 * @param {...(Node | string | null | undefined)} children
 * @returns {any} */
export function create(tag, given = {}, ...children) {
	const element = document.createElement(tag);
	const properties = typeof given === 'string' ? { className: given } : given;
	for (const [name, value] of Object.entries(properties))
		if (name.includes('-') || name === 'role')
			element.setAttribute(name, value);
		else
			/** @type {any} */ (element)[name] = value;
	for (const child of children)
		if (child !== null && child !== undefined)
			element.append(child);
	return element;
}

/** @param {string} name of a transport
 * @returns {HTMLElement} */
export function createBadge(name) {
	return create('span', { className: 'badge', 'data-transport': name }, name);
}

/** Where the nth of the demo's origins is.
 * @param {Page} page @param {number} n */
export const originAt = (page, n) => new URL(page.origins[n] ?? page.base);

/** What is below a millisecond is below what the two clocks agree on.
 * @param {number} ms */
export function formatMs(ms) {
	if (ms < 1)
		return '< 1 ms';
	return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms).toLocaleString('en')} ms`;
}

/** Random, and fit for a channel, a demo name and a key. */
export function createName() {
	return Array.from(crypto.getRandomValues(new Uint8Array(8)),
		(byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The middle and the 95th percentile of what was measured.
 * @param {number[]} values */
export function summarize(values) {
	const sorted = [...values].sort((a, b) => a - b);
	const at = (/** @type {number} */ share) =>
		sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
	return { median: at(.5), high: at(.95) };
}
