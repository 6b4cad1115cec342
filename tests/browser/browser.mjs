// The real browser, Debian's unless CHROMIUM names another; each launch has a fresh profile.
import { chromium } from 'playwright-core';

export function launch() {
	return chromium.launch({
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
		args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
			'--disable-background-networking', '--disable-component-update', '--disable-sync'],
	});
}
