// The browsers that open the check page, with one shape: Chromium once with a context a path,
// Firefox once a path.
import { launch } from './browser.mjs';
import { openFirefox } from './firefox.mjs';
import { until } from './gateway.mjs';

/** kept: the page as it was loaded before, where it does not arrive any more.
 * @typedef {{ url: string, proxy?: string, kept?: string }} Place
 * @typedef {{ open: (place: Place) => Promise<View>, close: () => Promise<void> }} Browser */

/** What its button Download hands over is kept where a test can read it. */
function keepDownload() {
	const create = URL.createObjectURL;
	URL.createObjectURL = (blob) => {
		blob.text().then((text) => { window.downloaded = text; });
		return create.call(URL, blob);
	};
}

/** The page as somebody sees it: of Playwright's page and of Puppeteer's only what both have. */
class View {
	#page;
	#close;

	constructor(page, { loaded, close }) {
		this.#page = page;
		this.#close = close;
		this.loaded = loaded; // s
	}

	/** @returns {Promise<boolean>} it is the check page, with its button */
	isCheck() {
		return this.#page.evaluate(() => Boolean(document.querySelector('#run')));
	}

	/** @returns {Promise<string>} what is to be read on it */
	readWords() {
		return this.#page.evaluate(() => document.body?.innerText ?? '');
	}

	/** Presses the button, and waits for the report.
	 * @param {number} limit ms
	 * @returns {Promise<any>} the report */
	async check(limit) {
		return this.#page.evaluate(async () => {
			const began = performance.now();
			const { diagnose } = await import('/client/diagnose.js');
			const report = await diagnose(location.origin);
			const choice = Object.keys(report.transports).find((n) => report.transports[n].state !== 'dead') ?? null;
			return { ...report, choice, code: 'none', seconds: (performance.now() - began) / 1000 };
		});
	}

	async close() {
		await this.#close();
	}
}

const now = () => performance.now() / 1000;

/** @returns {Promise<Browser>} */
export async function openChromium() {
	const browser = await launch();
	return {
		async open({ url, proxy, kept }) {
			const context = await browser.newContext({ proxy: proxy ? toPlaywright(proxy) : undefined });
			await context.addInitScript(keepDownload);
			if (kept !== undefined)
				await context.route((asked) => asked.href === url, (route) => route.fulfill({ contentType: 'text/html', body: kept }));
			const page = await context.newPage();
			const began = now();
			await page.goto(url, { timeout: 60000 }).catch(ignoreRefusal);
			return new View(page, { loaded: now() - began, close: () => context.close() });
		},
		close: () => browser.close(),
	};
}

/** @param {string} proxy http://[USER:PASSWORD@]HOST:PORT */
function toPlaywright(proxy) {
	const { host, username, password } = new URL(proxy);
	return { server: `http://${host}`, username, password };
}

/** @returns {Promise<Browser>} */
export async function openFirefoxes() {
	return {
		async open({ url, proxy }) {
			const { page, close } = await openFirefox({ proxy });
			await page.evaluateOnNewDocument(keepDownload);
			const began = now();
			await page.goto(url, { timeout: 60000 }).catch(ignoreRefusal);
			return new View(page, { loaded: now() - began, close });
		},
		async close() {},
	};
}

/** A page of the browser's own stands there then, which is what somebody sees.
 * @param {Error} error */
function ignoreRefusal({ message }) {
	if (!/ERR_|NS_ERROR|net::/.test(message))
		throw new Error(message);
}
