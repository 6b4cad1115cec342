// The navigation says which section is being read.

/** @typedef {import('./page.js').Page} Page */

export class Sections {
	/** @param {Page} page */
	constructor(page) {
		const links = new Map([...document.querySelectorAll('.sections a')].map((link) =>
			[String(link.getAttribute('href')).slice(1), link]));
		/** @type {Set<string>} */
		const seen = new Set();
		const observer = new IntersectionObserver((entries) => {
			for (const { target, isIntersecting } of entries)
				seen[isIntersecting ? 'add' : 'delete'](target.id);
			const first = [...links.keys()].find((id) => seen.has(id));
			page.frames.write(() => {
				for (const [id, link] of links)
					if (id === first)
						link.setAttribute('aria-current', 'true');
					else
						link.removeAttribute('aria-current');
			});
		}, { rootMargin: '-20% 0px -60% 0px' });
		for (const id of links.keys())
			observer.observe(/** @type {Element} */ (document.getElementById(id)));
	}
}
