// The chat of Socket.IO's documentation: its page as people have it, and no server but the one under test. What a
// web server would do stands before it: files, and the client's own path passed on.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Gateway } from './gateway.mjs';
import { clientFile, launch } from './places.mjs';
import { Reference } from './reference.mjs';
import { isWanted, until } from './world.mjs';

const PAGE = `<!DOCTYPE html>
<html>
  <head>
    <meta name="viewport" content="width=device-width,initial-scale=1.0">
    <title>Socket.IO chat</title>
    <link rel="icon" href="data:,">
  </head>
  <body>
    <ul id="messages"></ul>
    <form id="form" action="">
      <input id="input" autocomplete="off" /><button>Send</button>
    </form>
    <script src="/socket.io/socket.io.js"></script>
    <script>
      const socket = io();

      const form = document.getElementById('form');
      const input = document.getElementById('input');
      const messages = document.getElementById('messages');

      form.addEventListener('submit', (e) => {
        e.preventDefault();
        if (input.value) {
          socket.emit('chat message', input.value);
          input.value = '';
        }
      });

      socket.on('chat message', (msg) => {
        const item = document.createElement('li');
        item.textContent = msg;
        messages.appendChild(item);
        window.scrollTo(0, document.body.scrollHeight);
      });
    </script>
  </body>
</html>`;

const FILES = { '/': ['text/html', PAGE], '/socket.io/socket.io.js': ['text/javascript', readFileSync(clientFile)] };

/** Files, and the rest passed on with the same head. @param {() => number} getPort where to */
async function openSite(getPort) {
	const pass = ({ method, url, headers }) => http.request({ host: '127.0.0.1', port: getPort(), method, path: url, headers });
	const server = http.createServer((request, response) => {
		if (FILES[request.url])
			return response.writeHead(200, { 'Content-Type': FILES[request.url][0] }).end(FILES[request.url][1]);
		const onward = pass(request).on('response', (answer) => {
			response.writeHead(answer.statusCode, answer.headers);
			answer.pipe(response);
		}).on('error', () => response.destroy());
		response.on('close', () => onward.destroy());
		return request.pipe(onward);
	});
	server.on('upgrade', (request, socket, head) => {
		pass(request).on('upgrade', (answer, other, rest) => {
			const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
			socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
			socket.write(rest);
			other.write(head);
			socket.pipe(other).pipe(socket);
			socket.on('error', () => other.destroy());
			other.on('error', () => socket.destroy());
		}).on('error', () => socket.destroy()).end();
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

for (const [name, make] of Object.entries({
	reference: () => new Reference({ channel: 'chat' }),
	sluice: (origin) => new Gateway('--socketio-channel', 'chat', '--public-origin', origin),
}).filter(([one]) => isWanted(one))) {
	let upstream, site, browser;

	before(async () => {
		site = await openSite(() => upstream.port);
		upstream = await make(site.origin).start();
		browser = await launch();
	});

	after(async () => {
		await browser?.close();
		site?.server.closeAllConnections();
		site?.server.close();
		await upstream?.stop();
	});

	test(`${name}: the chat of the documentation works, its page as it is`, async () => {
		const complaints = [];
		const pages = await Promise.all(['Ann', 'Bob'].map(async () => {
			const page = await (await browser.newContext()).newPage();
			page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
			page.on('pageerror', (error) => complaints.push(String(error)));
			await page.goto(site.origin);
			await until('connected', () => page.evaluate('socket.connected'));
			return page;
		}));
		const say = async (page, text) => {
			await page.fill('#input', text);
			await page.click('button');
		};
		const read = (page) => page.$$eval('#messages li', (items) => items.map((item) => item.textContent));
		await say(pages[0], 'Hello, Bob');
		await until('hello', async () => (await read(pages[1])).length === 1);
		await say(pages[1], 'Grüße <b>zurück</b> 👋');
		await until('the answer', async () => (await read(pages[0])).length === 2);
		await upstream.publish('chat', 'from the backend', { event: 'chat message' });
		const wanted = ['Hello, Bob', 'Grüße <b>zurück</b> 👋', 'from the backend'];
		for (const page of pages) {
			await until('all three', async () => (await read(page)).length === 3);
			assert.deepEqual(await read(page), wanted);
			await until('a WebSocket in use', () => page.evaluate('socket.io.engine.transport.name === "websocket"'));
		}
		assert.deepEqual(complaints, []);
	});
}
