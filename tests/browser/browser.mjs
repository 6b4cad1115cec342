// The real browser, Debian's unless CHROMIUM names another; each launch has a fresh profile.
import { chromium } from 'playwright-core';

/** @param {...string} more arguments of the browser */
export function launch(...more) {
	return chromium.launch({
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
		args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
			'--disable-background-networking', '--disable-component-update', '--disable-sync', ...more],
	});
}
