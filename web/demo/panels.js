// The panels beside the lanes: the wire, try it, break it.

/** @param {import('./page.js').Page} page */
export function start(page) {
	void page;
}
