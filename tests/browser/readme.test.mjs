// The first message, as README.md shows it: its command, its page in Chromium on a site of its own, and its curl.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { DocPage, place, run, startSite } from './doc_page.mjs';
import { Gateway } from './gateway.mjs';

const readme = new DocPage('../README.md', /^(sh|html)$/);
let browser, gateway, site;

before(async () => {
	const page = readme.find(/<script type="module">/);
	site = await startSite(() => ({ '/listen.html': place(page, gateway.url, site.host) }));
	const [, options] = /^scripts\/demo (--allow-origin .*)$/m.exec(readme.find(/^scripts\/demo --/m));
	gateway = await new Gateway(...place(options, 'http://127.0.0.1:8080/', site.host).split(' ')).start();
	browser = await launch();
});

after(async () => {
	await browser?.close();
	await gateway?.stop();
	site?.server.close();
});

test('what is published with curl is on the page, before it opens and after', async () => {
	const publish = place(readme.find(/^curl /m), gateway.url);
	assert.match(await run(publish), /^{"id":"[0-9a-f]{8}-\d+"}\n$/);
	const page = await browser.newPage();
	await page.goto(`http://${site.host}/listen.html`);
	const shows = (times) => page.waitForFunction((text) => document.querySelector('pre').textContent === text,
		'chat: world\n'.repeat(times), { timeout: 60000 });
	await shows(1);
	await run(publish);
	await shows(2);
});
