// The browsers that open the check page, with one shape: Chromium once with a context a path,
// Firefox once a path.
import { launch } from './browser.mjs';
import { openFirefox } from './firefox.mjs';
import { until } from './gateway.mjs';

const LOAD_MS = 60000;
/** What Firefox counts among the errors of a page's scripts: a socket that did not come about. */
const NETWORK = /connection to .*\bwss?:\/\//;
/** A page that a test hands over comes from no address, and Chromium forbids it sockets to this machine. */
const MAY_ASK_HERE = '--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets';

/** kept: the page as it was loaded before, where it does not arrive any more; limit: ms for loading;
 * insecure: any certificate is taken
 * @typedef {{ url: string, proxy?: string, kept?: string, limit?: number, insecure?: boolean }} Place
 * @typedef {{ open: (place: Place) => Promise<View>, close: () => Promise<void> }} Browser */

/** What its button for the download hands over is kept where a test can read it. */
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
	/** Errors of its scripts. @type {string[]} */
	complaints = [];

	constructor(page, close) {
		this.#page = page;
		this.#close = close;
		page.on('pageerror', (error) => NETWORK.test(error) || this.complaints.push(String(error)));
	}

	/** @param {string} url @param {number} limit ms; what has arrived by then is what there is */
	async load(url, limit = LOAD_MS) {
		const began = performance.now();
		await this.#page.goto(url, { timeout: limit }).catch(ignoreRefusal);
		this.loaded = (performance.now() - began) / 1000; // s
		return this;
	}

	/** What has arrived: the check with its button; broken: it says that it cannot run; stuck: it
	 * neither runs nor says so; foreign: something else, or nothing.
	 * @returns {Promise<'ready' | 'broken' | 'stuck' | 'foreign'>} */
	look() {
		// The browser's own page about a failure may take the place of what failed just now.
		return until('a page to look at', () => this.#look().catch(() => ''));
	}

	#look() {
		return this.#page.evaluate(() => {
			const [run, broken] = ['run', 'broken'].map((id) => document.getElementById(id));
			const isSeen = (element) => element?.getClientRects().length > 0;
			if (!run)
				return 'foreign';
			if (!run.disabled)
				return 'ready';
			return isSeen(broken) ? 'broken' : 'stuck';
		});
	}

	/** Presses the button, and takes what Download hands over.
	 * @param {number} limit ms
	 * @returns {Promise<any>} the report */
	async check(limit) {
		const page = this.#page;
		const state = await this.look();
		if (state !== 'ready')
			throw new Error(`the page is ${state}: ${await page.evaluate(() => document.body?.innerText.slice(0, 300))}`);
		await page.click('#run');
		await until('a verdict', () => page.evaluate(() => !document.getElementById('start').hidden), limit);
		if (await page.evaluate(() => document.getElementById('result').hidden))
			throw new Error(await page.evaluate(() => document.getElementById('step').textContent));
		await page.click('#download');
		return JSON.parse(await until('the download', () => page.evaluate(() => window.downloaded)));
	}

	/** @param {string} selector @returns {Promise<string>} */
	read(selector) {
		return this.#page.$eval(selector, (element) => element.textContent);
	}

	async close() {
		await this.#close();
	}
}

/** @returns {Promise<Browser>} */
export async function openChromium() {
	const browser = await launch();
	/** @type {ReturnType<typeof launch> | undefined} */
	let keeper;
	return {
		async open({ url, proxy, kept, limit, insecure }) {
			const one = kept === undefined ? browser : await (keeper ??= launch(MAY_ASK_HERE));
			const context = await one.newContext({ proxy: proxy ? toPlaywright(proxy) : undefined,
				ignoreHTTPSErrors: insecure });
			await context.addInitScript(keepDownload);
			if (kept !== undefined)
				await context.route((asked) => asked.href === url, (route) =>
					route.fulfill({ contentType: 'text/html; charset=utf-8', body: kept }));
			return new View(await context.newPage(), () => context.close()).load(url, limit);
		},
		async close() {
			await browser.close();
			await (await keeper)?.close();
		},
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
		async open({ url, proxy, limit, insecure }) {
			const { page, close } = await openFirefox({ proxy, insecure });
			await page.evaluateOnNewDocument(keepDownload);
			return new View(page, close).load(url, limit);
		},
		async close() {},
	};
}

/** A page of the browser's own stands there then, or a part of ours: it is what somebody sees.
 * @param {Error} error */
function ignoreRefusal({ message }) {
	if (!/ERR_|NS_ERROR|net::|imeout/.test(message))
		throw new Error(message);
}
