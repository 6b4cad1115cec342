// What the tests of the check page share: its modules, and facts as a diagnosis finds them.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { clientFolder, sourceFolder } from './setup.mjs';

export const sources = resolve(sourceFolder, '../check');
export const commands = resolve(sourceFolder, '../../bench/lab');
const served = resolve(clientFolder, '../check');

/** A module as it is served, or as it stands in the source where the folder is not served. */
export const loadCheck = (file) =>
	import(pathToFileURL(resolve(existsSync(resolve(served, file)) ? served : sources, file)).href);

export const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];

/* ---- answers of a diagnosis ---- */

export const ours = (fields) => ({ ms: 5, status: 200, ours: true, good: true, type: 'application/json', ...fields });
export const theirs = (status, type = 'text/html') => ({ ms: 7, status, ours: false, good: false, type });
export const silent = { ms: 3000, silent: true };
export const live = ours({ type: 'text/event-stream', open: 6, mark: 156, echo: ours(), next: ours({ open: 4 }) });
const lines = [['Host', 'push.example'], ['Last-Event-ID', 'probe']];
export const head = (more = [], version = 'HTTP/1.1') =>
	ours({ value: { method: 'GET', version, headers: [...lines, ...more], more: 0 } });
export const clear = { url: 'https://push.example/', gateway: ours({ value: {} }), head: head(),
	websocket: { ms: 20, handshake: 4, open: 5, small: 8, large: 9 }, sse: live, stream: live,
	poll: ours(), longpoll: { ...ours({ ms: 2004 }), hold: 2000 }, echo: ours() };
export const socket = (fields) => ({ ...clear, websocket: { ms: 3000, ...fields } });
export const streams = (fields) => ({ ...clear, sse: { ...live, ...fields }, stream: { ...live, ...fields } });
export const all = (answer) => ({ ...clear, gateway: answer, head: answer, sse: answer, stream: answer,
	poll: answer, longpoll: { ...answer, hold: 2000 }, echo: answer, websocket: { ms: 3000, ended: 4 } });

/** What was measured of one transport, well. */
export const well = (fields) => ({ connect: 12.34, first: 20, trips: [40, 41, 42, 43], sent: 4, lost: 0, late: 0,
	ends: [], up: 65536, down: 65536, tried: 65536, mute: null, crowded: false, answers: { good: 4, bad: 0, stale: 0 }, ...fields });
