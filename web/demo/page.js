// The demo page: five lanes on one channel, and a form to publish to it.
//
// A browser opens six HTTP/1.1 connections to a host. Four lanes take one each, WebSocket is
// not counted among them: two are left, for publishing and for the links below.
import { Lane } from './lane.js';
import { transports } from './transports/index.js';

/** @returns {any} the element; which kind it is, index.html says */
const get = (/** @type {string} */ id) => document.getElementById(id);
const [watchForm, select, name, all] = ['watch', 'channel', 'name', 'all'].map(get);
const [publishForm, text, outcome] = ['publish', 'text', 'outcome'].map(get);

const lanes = transports.map((transport) => {
	get('lanes').append(get('lane').content.cloneNode(true));
	return new Lane(transport, get('lanes').lastElementChild);
});
let channel = '';

function labelAll() {
	all.textContent = lanes.some((lane) => lane.running) ? 'Stop all' : 'Start all';
}

function watch() {
	channel = select.value || name.value;
	lanes.forEach((lane) => lane.watch(channel));
	text.placeholder = `a text, to ${channel}`;
	labelAll();
}

select.addEventListener('change', () => {
	name.disabled = select.value !== '';
	if (name.disabled)
		watch();
	else
		name.focus();
});

watchForm.addEventListener('submit', (/** @type {Event} */ event) => {
	event.preventDefault();
	watch();
});

all.addEventListener('click', () => {
	const running = lanes.some((lane) => lane.running);
	lanes.forEach((lane) => running ? lane.stop() : lane.start());
});
// Lanes are also stopped and started one by one.
document.addEventListener('click', labelAll);

/** The browser or a proxy may send a request twice; with a key it counts once. */
function createKey() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

publishForm.addEventListener('submit', async (/** @type {Event} */ event) => {
	event.preventDefault();
	const url = new URL('publish', document.baseURI);
	url.searchParams.set('channel', channel);
	try {
		const response = await fetch(url, {
			method: 'POST',
			headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Idempotency-Key': createKey() },
			body: text.value,
		});
		const answer = await response.json();
		outcome.textContent = response.ok ? answer.id : answer.error.message;
		if (response.ok)
			publishForm.reset();
	} catch {
		outcome.textContent = 'not known whether it was sent';
	}
});

// A page that leaves, is hidden, or rests in the browser's cache holds no connections: they
// would be missing in the tab that is looked at. It goes on at its cursors.
let resting = /** @type {Lane[]} */ ([]);

function rest() {
	resting.push(...lanes.filter((lane) => lane.running));
	resting.forEach((lane) => lane.stop());
}

function wake() {
	resting.splice(0).forEach((lane) => lane.start());
}

addEventListener('pagehide', rest);
addEventListener('pageshow', wake);
document.addEventListener('visibilitychange', () => document.hidden ? rest() : wake());

watch();
