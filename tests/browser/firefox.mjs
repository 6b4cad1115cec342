// Firefox ESR, Debian's unless FIREFOX names another, driven over WebDriver BiDi: playwright
// drives builds of its own alone. Each launch has a fresh profile, which goes when it is closed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

/** What Firefox would otherwise ask the network of its own accord, or first show. */
const QUIET = {
	'app.normandy.enabled': false,
	'app.update.disabledForTesting': true,
	'browser.aboutwelcome.enabled': false,
	'browser.safebrowsing.downloads.enabled': false,
	'browser.safebrowsing.malware.enabled': false,
	'browser.safebrowsing.phishing.enabled': false,
	'browser.shell.checkDefaultBrowser': false,
	'datareporting.policy.dataSubmissionEnabled': false,
	'extensions.update.enabled': false,
	'network.captive-portal-service.enabled': false,
	'network.connectivity-service.enabled': false,
	'network.dns.disablePrefetch': true,
	'network.prefetch-next': false,
	'services.settings.server': 'http://127.0.0.1:9/',
	'toolkit.telemetry.reportingpolicy.firstRun': false,
};

/** The settings that send every request through a proxy, those to the own machine too.
 * @param {string} [proxy] http://HOST:PORT */
function setProxy(proxy) {
	if (!proxy)
		return { 'network.proxy.type': 0 };
	const { hostname: host, port } = new URL(proxy);
	return { 'network.proxy.type': 1, 'network.proxy.allow_hijacking_localhost': true,
		'network.proxy.http': host, 'network.proxy.http_port': Number(port),
		'network.proxy.ssl': host, 'network.proxy.ssl_port': Number(port),
		'network.proxy.no_proxies_on': '' };
}

/** @param {{ proxy?: string, insecure?: boolean, prefs?: Record<string, unknown>, width?: number }}
 * [wanted] proxy: of every request; insecure: any certificate is taken; prefs: about:config's
 * @returns {Promise<{ page: import('puppeteer-core').Page, complaints: string[],
 * 	close: () => Promise<void> }>} complaints: the errors of the page's scripts */
export async function openFirefox({ proxy, insecure = false, prefs = {}, width = 1280 } = {}) {
	const profile = mkdtempSync(join(tmpdir(), 'sluice-firefox-'));
	const browser = await puppeteer.launch({
		browser: 'firefox',
		executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
		userDataDir: profile,
		headless: true,
		acceptInsecureCerts: insecure,
		defaultViewport: { width, height: 900 },
		timeout: 120000, // a busy machine takes its time
		protocolTimeout: 180000,
		env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
		extraPrefsFirefox: { ...QUIET, ...setProxy(proxy), ...prefs },
	});
	const [page = await browser.newPage()] = await browser.pages();
	/** @type {string[]} */
	const complaints = [];
	page.on('pageerror', (error) => complaints.push(String(error)));
	page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
	return { page, complaints, close: async () => {
		await browser.close();
		rmSync(profile, { recursive: true, force: true, maxRetries: 50, retryDelay: 200 });
	} };
}
