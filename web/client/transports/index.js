// The transports, best first; the same list as the gateway's own.
import * as websocket from './websocket.js';
import * as sse from './sse.js';
import * as stream from './stream.js';
import * as longpoll from './longpoll.js';
import * as poll from './poll.js';

/** @type {import('./request.js').Transport[]} */
export const transports = [websocket, sse, stream, longpoll, poll];
