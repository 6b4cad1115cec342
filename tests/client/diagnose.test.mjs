// The verdict: pure, by a table of what the probes may see; and the probes, against a real
// gateway behind a real obstacle.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { Door, createBackend, mint } from './door.mjs';
import { Gateway, Obstacle, RealObstacle, listen, load, until } from './setup.mjs';

const { diagnose, judge, writeReport } = await load('diagnose.js');
const { isStale } = await load('ask.js');
const { explainCode } = await load('explain.js');
const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
const letters = { works: 'W', degraded: '~', dead: 'X' };
const statesOf = ({ transports }) => names.map((name) => letters[transports[name].state]).join('');

/* ---- the table ---- */

const ours = (fields) => ({ ms: 5, status: 200, ours: true, good: true, type: 'application/json', ...fields });
const theirs = (status, type = 'text/html') => ({ ms: 7, status, ours: false, good: false, type });
const silent = { ms: 3000, silent: true };
const gone = { ms: 3, error: 'ECONNRESET' };
const live = ours({ type: 'text/event-stream', open: 6, mark: 156 });
const { mark: _, ...lagging } = live;
const { open: __, ...held } = lagging;
const lines = [['Host', 'push.example'], ['Last-Event-ID', 'probe']];
const head = (headers = lines, version = 'HTTP/1.1') => ours({ value: { method: 'GET', version, headers, more: 0 } });
const clear = { url: 'http://push.example/', gateway: ours(), head: head(),
	websocket: { ms: 20, handshake: 4, open: 5, small: 8, large: 9 }, sse: live, stream: live,
	poll: ours(), longpoll: { ...ours({ ms: 2004 }), hold: 2000 }, echo: ours() };
const socket = (fields) => ({ ...clear, websocket: { ms: 3000, ...fields } });
const all = (answer) => ({ ...clear, gateway: answer, head: answer, sse: answer, stream: answer, poll: answer,
	longpoll: { ...answer, hold: 2000 }, echo: answer, websocket: { ms: 3000, ended: 4 } });
const streams = (stream) => ({ ...clear, sse: stream, stream });
const refusal = (status, code, message) => ours({ status, good: false, code, message });
const badOrigin = refusal(403, 'bad_origin', 'the gateway does not allow pages of http://a.example; start it with --public-origin http://a.example');
const unreadable = { ms: 3 };
const old = ours({ stale: true });
const oldHeld = { ...old, hold: 2000 };

for (const [what, facts, states, words] of [
	['nothing in the way', clear, 'WWWWW', /^All transports work\.$/],
	['Upgrade removed', socket({ ended: 4, seen: 'plain_get' }), 'XWWWW', /^WebSocket cannot work here: a proxy between this program and the gateway removes the Upgrade header \(the answer took 4 ms, and the gateway saw an ordinary request\)\. Server-Sent Events, HTTP streaming, long-polling and short polling work here\.$/],
	['refused with a status', socket({ ended: 4, status: 403, seen: 'nothing', plain: ours({ status: 426, good: false }) }), 'XWWWW', /refuses the upgrade with status 403 \(after 4 ms, and the gateway did not see the request\)\./],
	['refused, by whom a browser cannot see', socket({ ended: 4, seen: 'nothing', plain: ours({ status: 426, good: false }) }), 'XWWWW', /refuses the upgrade \(after 4 ms, and the gateway did not see/],
	['the path itself blocked', socket({ ended: 4, seen: 'nothing', plain: theirs(403) }), 'XWWWW', /blocks the gateway's URL for WebSocket, with an upgrade or without \(a proxy answers .* status 403\)/],
	['refused by the gateway', socket({ ended: 4, seen: 'nothing', plain: ours({ status: 403, good: false, message: 'this Origin is not allowed' }) }), 'XWWWW', /the gateway itself refuses the request with status 403 \(this Origin is not allowed\)/],
	['an upgrade into a hole', socket({ seen: 'nothing', plain: ours({ status: 426, good: false }) }), 'XWWWW', /drops the upgrade \(no answer within 3 s, and the gateway did not see the request\)/],
	['a wrong accept', socket({ ended: 4, seen: 'upgraded_no_frame' }), 'XWWWW', /accepts the upgrade, but its answer does not arrive intact/],
	['half-open, up dead', socket({ handshake: 4, open: 5, seen: 'upgraded_no_frame' }), 'XWWWW', /no data to the gateway \(which saw the upgrade and no frame\)/],
	['half-open, and another gateway may know more', socket({ handshake: 4, open: 5 }), 'XWWWW', /passes the upgrade, but then no answer arrives \(within 3 s\)/],
	['half-open, down dead', socket({ handshake: 4, seen: 'upgraded' }), 'XWWWW', /no data from the gateway \(within 3 s\)/],
	['both dead', socket({ handshake: 4, seen: 'upgraded_no_frame' }), 'XWWWW', /no data in either direction/],
	['a false gateway', socket({ handshake: 4, seen: 'nothing' }), 'XWWWW', /another server .* answers the upgrade/],
	['foreign bytes', socket({ handshake: 4, foreign: true, ended: 5, seen: 'upgraded' }), 'XWWWW', /inserts bytes into the WebSocket/],
	['cut at once', socket({ handshake: 4, ended: 6, seen: 'upgraded' }), 'XWWWW', /closes the connection after 6 ms/],
	['small frames only', socket({ handshake: 4, open: 5, small: 7, seen: 'upgraded' }), 'XWWWW', /passes small WebSocket frames, but none of 4 KB \(no answer within 3 s\)/],
	['upgrades by luck', { ...clear, websocket: { ...clear.websocket, before: { ms: 4, ended: 4, status: 502 } } }, '~WWWW', /WebSocket works with a flaw: upgrades sometimes fail: .* refuses the upgrade with status 502/],
	['CONNECT refused', socket({ ended: 4, status: 403, connect: true, seen: 'nothing' }), 'XWWWW', /answers CONNECT with status 403/],
	['no WebSocket', socket({ missing: 'program' }), 'XWWWW', /this program has no WebSocket/],
	['streams held', streams(held), 'WXXWW', /Server-Sent Events and HTTP streaming cannot work here: .* holds streams back \(the headers arrive, but no message within 3 s\)/],
	['a stream held by compression', { ...clear, sse: { ...held, encoding: 'gzip' } }, 'WXWWW', /compresses streams \(gzip\) and thereby holds them back \(the headers arrive, but no message within 3 s\)/],
	['streams held, head and all', streams(silent), 'WXXWW', /holds streams back until they end, or drops them \(nothing arrives within 3 s\)/],
	['event streams held', { ...clear, sse: held }, 'WXWWW', /^Server-Sent Events cannot work here: .*\. WebSocket, HTTP streaming, long-polling and short polling work here\.$/],
	['lag by one', streams(lagging), 'WXXWW', /holds each message of a stream back until the next one comes/],
	['heaps that are late', streams({ ...live, open: 2001, mark: 2002 }), 'WXXWW', /^Server-Sent Events and HTTP streaming cannot work here: .* in groups, up to 2 s late/],
	['heaps that are soon', { ...clear, sse: { ...live, open: 206, mark: 207 }, stream: { ...live, open: 198, mark: 202 } }, 'W~~WW', /^Server-Sent Events and HTTP streaming work with a flaw: .* in groups, up to 200 ms late/],
	['a stream that is cut', { ...clear, sse: { ...lagging, cut: true, ended: 90 } }, 'WXWWW', /Server-Sent Events cannot work here: something .* closes streams after 90 ms/],
	['nothing beside a stream', { ...clear, sse: { ...live, echo: silent }, stream: silent }, 'WXXWW', /^Server-Sent Events and HTTP streaming cannot work here: while a stream is open, no other request is answered/],
	['a request beside a stream that is lost by chance', { ...clear, sse: { ...live, echo: silent }, stream: { ...live, echo: ours() } }, 'WXWWW', /^Server-Sent Events cannot work here: requests sometimes fail, and a stream needs other requests beside it \(no answer arrives within 3 s\)/],
	['answers that are changed, streams too', { ...clear, gateway: ours({ good: false }), poll: ours({ good: false }), longpoll: ours({ good: false, hold: 2000 }), echo: ours({ good: false }),
		sse: { ...live, echo: ours({ good: false }) }, stream: ours({ good: false, foreign: true }), websocket: { ms: 4, ended: 4, seen: 'plain_get' } }, 'XXXXX', /Server-Sent Events, HTTP streaming, long-polling and short polling cannot work here: .* changes the gateway's answers, .*\. No transport works here\.$/],
	['no POST beside a stream', { ...streams({ ...live, echo: theirs(403) }), echo: theirs(403) }, 'WXX~~', /cannot work here: publishing by POST fails \(.*403\), and without it the client uses no stream/],
	['large POSTs only', { ...streams({ ...live, echo: ours() }), echo: theirs(413) }, 'W~~~~', /works for small messages only: a POST of 4 KB fails \(.*413\)/],
	['POSTs by luck', { ...clear, echo: ours({ before: gone }) }, 'W~~~~', /publishing by POST sometimes fails \(the connection is reset/],
	['a stream whose successor is refused', streams({ ...live, echo: ours(), next: theirs(502) }), 'WXXWW', /one request always fails .*502\)/],
	['a stream whose successor is late', streams({ ...live, echo: ours(), next: silent }), 'WWWWW', /^All transports work/],
	['foreign bytes in a stream', { ...clear, stream: { ...held, foreign: true } }, 'WWXWW', /HTTP streaming cannot work here/],
	['streams refused', streams(theirs(503)), 'WXXWW', /^Server-Sent Events and HTTP streaming cannot work here: .* answers in the gateway's place with status 503/],
	['held polls cut', { ...clear, longpoll: { ...theirs(504), ms: 1500, hold: 2000 } }, 'WWWXW', /Long-polling cannot work here: an answer that the gateway holds for 2 s does not arrive \(.*504\)/],
	['held polls answered early', { ...clear, longpoll: { ...ours(), hold: 2000 } }, 'WWW~W', /get an early answer, as from a cache/],
	['held polls that come when there is a message', { ...clear, longpoll: { ...silent, hold: 2000, told: ours() } }, 'WWW~W', /Long-polling works with a flaw: an answer that the gateway holds for 2 s does not arrive within 3 s; an answer that carries a message earlier does/],
	['a held poll that fails at once, by chance', { ...clear, longpoll: { ...theirs(502), again: theirs(502), hold: 2000, told: ours() } }, 'WWW~W', /Long-polling works with a flaw: requests sometimes fail \(.*502\)/],
	['held polls that never come', { ...clear, longpoll: { ...silent, hold: 2000, told: silent } }, 'WWWXW', /an answer that the gateway holds for 2 s does not arrive within 3 s/],
	['connections that take 5 s', { ...all(silent), websocket: { ms: 3000 }, poll: ours({ ms: 5012 }), longpoll: ours({ ms: 5012, hold: 2000 }) }, 'XXX~~', /^WebSocket, Server-Sent Events and HTTP streaming cannot work here: a new connection gets its first answer after 5 s.*\. Long-polling and short polling work with a flaw/],
	['a slow way', { ...clear, gateway: ours({ ms: 510 }), head: { ...head(), ms: 520 }, poll: ours({ ms: 505 }) }, 'WWWWW', /^All transports work\. The path is slow: the quickest answer took 505 ms\.$/],
	['polls changed', { ...clear, poll: ours({ good: false }), longpoll: { ...ours({ good: false }), hold: 2000 } }, 'WWWXX', /Long-polling and short polling cannot work here: .* changes the gateway's answers/],
	['no POST', { ...clear, echo: theirs(405) }, 'W~~~~', /publishing by POST fails \(.*405\); receiving works/],
	['a captive portal', all(theirs(200)), 'XXXXX', /^The gateway cannot be reached: another server answers in the gateway's place \(status 200, text\/html\), perhaps the login page of this network \(captive portal\)\.$/],
	['a login', all(theirs(407)), 'XXXXX', /^The gateway cannot be reached: a proxy requires a login \(status 407\)\.$/],
	['nobody there', all(gone), 'XXXXX', /^The gateway cannot be reached: the connection is reset without an answer\.$/],
	['an unknown certificate', all({ ms: 3, error: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), 'XXXXX', /the certificate received is not trusted here \(DEPTH_ZERO_SELF_SIGNED_CERT\): a proxy intercepts TLS, .* NODE_EXTRA_CA_CERTS/],
	['nothing that a page may read', all({ ms: 3 }), 'XXXXX', /^The gateway cannot be reached: no answer arrives that this page may read/],
	['all of it a hole', all(silent), 'XXXXX', /^The gateway cannot be reached: no answer arrives within 3 s\.$/],
	['answers without the mark', { ...clear, gateway: ours({ ours: false }), stream: { ...live, ours: false }, sse: { ...live, ours: false },
		poll: ours({ ours: false }), longpoll: { ...ours({ ours: false, ms: 2001 }), hold: 2000 } }, 'W~XXX', /removes the response header Sluice/],
	['idle cuts', { ...clear, idle: { websocket: { cut: 10020, watched: 10020 }, sse: { cut: 30100, watched: 30100 },
		stream: { watched: 60100 }, longpoll: { cut: 50004, status: 504, watched: 50004 } } }, '~WWWW',
		/WebSocket works with a flaw: a proxy or firewall between this program and the gateway closes an idle WebSocket after 10 s.*Long-polling works, but a held poll ends with status 504 after 50 s/],
	['a poll that is cut early', { ...clear, idle: { longpoll: { cut: 10004, status: 504, watched: 10004 } } }, 'WWW~W', /a held poll ends with status 504 after 10 s/],
	['luck', { ...clear, poll: ours({ before: theirs(502) }), sse: { ...live, before: gone } }, 'W~WW~', /Server-Sent Events work with a flaw: requests sometimes fail \(the connection is reset without an answer\)/],
	['a 426, and what the gateway saw cannot be read', socket({ ended: 4, status: 426 }), 'XWWWW', /removes the Upgrade header .* reports an ordinary request/],
	['proxies that name themselves', { ...clear, head: head([...lines, ['Via', '1.1 squid'], ['X-Forwarded-For', '10.0.0.1']]) }, 'WWWWW', /add headers to requests \(Via: 1\.1 squid; X-Forwarded-For: 10\.0\.0\.1\)/],
	['HTTP/1.0, another Host', { ...clear, head: head([['Host', 'inside'], lines[1]], 'HTTP/1.0') }, 'WWWWW', /in HTTP\/1\.0, which has no upgrade\. A proxy changes the request header Host to inside\./],
	['the gateway refuses the origin of the page', all(badOrigin), 'XXXXX', /^WebSocket, Server-Sent Events, HTTP streaming, long-polling and short polling cannot work here: the gateway does not allow pages of http:\/\/a\.example; start it with --public-origin http:\/\/a\.example\. No transport works here\.$/],
	['it refuses the origin, and a browser asks for leave before some requests', { ...all(badOrigin), head: unreadable, echo: unreadable, sse: { ...badOrigin, echo: unreadable } }, 'XXXXX', /^[^:]*cannot work here: the gateway does not allow pages of [^:]*:[^:]*; start it with [^:]*:[^:]*\. No transport works here\.$/],
	['it refuses the origin, and a browser asks for leave before all others', { ...all(unreadable), gateway: badOrigin }, 'XXXXX', /^WebSocket, Server-Sent Events, HTTP streaming, long-polling and short polling cannot work here: the gateway does not allow pages of/],
	['a page of the gateway behind a proxy that it does not know: only what carries an Origin is refused', { ...streams({ ...live, echo: badOrigin }), echo: badOrigin,
		websocket: { ms: 4, ended: 4, seen: 'nothing', plain: refusal(426, 'upgrade_required', 'this wants an upgrade') } }, 'XXX~~',
	/^WebSocket, Server-Sent Events and HTTP streaming cannot work here: the gateway does not allow pages of .* with a flaw: publishing is refused: the gateway does not allow pages of/],
	['the gateway does not know its Host', all(refusal(403, 'bad_host', 'the gateway does not answer to the Host push.example')), 'XXXXX', /cannot work here: the gateway does not answer to the Host push\.example\. No/],
	['a base path that is wrong', all(refusal(404, 'not_found', 'there is nothing at this path')), 'XXXXX', /the gateway itself refuses the request with status 404 \(there is nothing at this path\): end the URL with the --base-path of the gateway\. No/],
	['the gateway has no room', { ...all(refusal(429, 'too_many_connections', 'the limit is reached')), gateway: ours(), head: head(),
		sse: ours({ bye: 'too_many_connections' }) }, 'XXXXX', /Server-Sent Events cannot work here: the gateway itself ends the connection \(too_many_connections\): wait .*status 429 \(the limit is reached\): wait for connections to end, or start the gateway with higher --max-connections/],
	['the gateway is shutting down', { ...clear, stream: ours({ bye: 'draining' }), websocket: { ms: 5, handshake: 4, bye: 'draining', ended: 5 } }, 'XWXWW', /^WebSocket and HTTP streaming cannot work here: the gateway itself ends the connection \(draining\): try again/],
	['POST becomes GET on its way', { ...clear, echo: refusal(405, 'bad_method', 'see Allow') }, 'W~~~~', /status 405 \(see Allow\): a proxy or a redirect changed the method/],
	['somebody else answers, which a page may not read', all({ ms: 3, opaque: true }), 'XXXXX', /a server answers at this address, but this page may not read the answer/],
	['a tunnel for TLS that is refused', all({ ms: 3, connect: true, refused: 403 }), 'XXXXX', /the proxy refuses a tunnel to the gateway's port \(it answers CONNECT with status 403\)/],
	['a tunnel whose proxy is not there', all({ ms: 3, connect: true, error: 'ECONNREFUSED' }), 'XXXXX', /the connection is refused: nothing listens at this address/],

	['a cache that answers polls, and lets those by POST pass', { ...clear, repeat: old, longpoll: oldHeld, post: ours() }, 'WWW~~', /^Long-polling and short polling work with a flaw: a cache on the path gives old answers to polls \(2 of 3\), .*; the client polls by POST instead\./],
	['a cache that answers all polls', { ...clear, poll: old, repeat: old, longpoll: oldHeld, post: theirs(403) }, 'WWWXX', /^Long-polling and short polling cannot work here: a cache on the path gives old answers to polls \(3 of 3\), .*; polls by POST fail \(.*403\): exclude these requests from the cache/],
	['a cache that answers those by POST too', { ...clear, repeat: old, longpoll: oldHeld, post: old }, 'WWWXX', /; polls by POST get old answers too: exclude these requests from the cache/],
	['a cache that answers some polls, where POST is refused', { ...clear, repeat: old, post: theirs(403) }, 'WWW~~', /with a flaw: a cache on the path gives old answers to polls \(1 of 3\), .*; polls by POST fail/],
	['a cache in which what the gateway saw may be of another', { ...socket({ ended: 4, seen: 'plain_get', status: 501 }), repeat: old, post: ours() }, 'XWW~~', /refuses the upgrade with status 501 \(after 4 ms\)/],
	['a cache that answers no held polls', { ...clear, repeat: old, longpoll: { ...silent, hold: 2000, told: silent }, post: ours() }, 'WWWX~', /Short polling works with a flaw: a cache on the path gives old answers to polls \(1 of 2/],

	['WebSocket: the first frame late', socket({ handshake: 4, open: 1804, small: 1805, large: 1806 }), 'XWWWW', /too slow for WebSocket: the first frame of the gateway arrives after 1\.8 s, but the client waits at most 1 s/],
	['WebSocket: its answers late', socket({ handshake: 4, open: 5, small: 2005, large: 2006, seen: 'upgraded' }), 'XWWWW', /too slow for WebSocket: the answer to a small frame arrives after 2 s, but the client waits at most 1\.5 s/],
	['WebSocket: large frames late', socket({ handshake: 4, open: 5, small: 8, large: 2508 }), 'XWWWW', /too slow for WebSocket: the answer to a frame of 4 KB arrives after 2\.5 s, but/],
	['WebSocket: large frames do not come in time, nor does a POST', { ...socket({ handshake: 4, open: 5, small: 8 }), echo: ours({ good: false, silent: true }) }, 'X~~~~', /too slow for WebSocket: neither a frame nor a POST of 4 KB comes back within 3 s/],
	['WebSocket: answers that do not come in time', socket({ handshake: 4, open: 5, seen: 'upgraded' }), 'XWWWW', /holds back the gateway's answers \(none arrives within 3 s\)/],
	['WebSocket: an upgrade whose answer does not come in time', socket({ seen: 'upgraded_no_frame' }), 'XWWWW', /accepts the upgrade, but its answer does not arrive within 3 s/],
	['streams: the mark late', streams({ ...live, mark: 1906 }), 'WXXWW', /too slow for streams: a message arrives 1\.9 s after the previous one, but the client waits at most 1\.4 s/],

	['requests beside a stream that fail each time', streams({ ...live, echo: gone, again: gone }), 'WXXWW', /cannot work here: requests fail while a stream is open \(the connection is reset without an answer\); without a stream they succeed/],
	['requests beside a stream that fail by chance, as others do', { ...streams({ ...live, echo: gone }), echo: ours({ before: gone }) }, 'WXX~~', /requests sometimes fail, and a stream needs other/],
	['a stream whose successor is refused once', { ...clear, sse: { ...live, echo: ours(), next: theirs(502) }, stream: { ...live, echo: ours(), next: live } }, 'WXWWW', /streams sometimes fail, and the client needs a second one to replace the first \(.*502\)/],
	['silence that ends nothing and lets nothing pass', { ...clear, idle: { websocket: { silent: true, watched: 64010 }, longpoll: { silent: true, watched: 62000 } } }, 'WWWWW',
		/WebSocket works, but after a minute of silence an idle WebSocket carries no more data, although neither side closed it \(nothing arrived within 64 s\)\. Long-polling works, but .* a held poll/],
	['headers removed', { ...clear, token: true, head: head([lines[0]]) }, 'WWWWW', /removes the request header Last-Event-ID and Authorization/],
])
	test(`verdict: ${what}`, () => {
		const verdict = judge(facts);
		if (!/now and then|once|by chance|luck/.test(what))
			assert.doesNotMatch(verdict.verdict, /sometimes/, 'what failed in every try is not said to be chance');
		assert.equal(statesOf(verdict), states, verdict.verdict);
		assert.match(verdict.verdict, words);
		for (const { state, why } of Object.values(verdict.transports))
			assert.ok(state === 'works' || why, 'what does not work is said why');
		assert.ok(verdict.evidence.length >= 8 && verdict.evidence.every(({ what, saw, ms }) => what && saw && ms >= 0));
		assert.ok(!/undefined|NaN|null/.test(writeReport(facts.url, verdict)), writeReport(facts.url, verdict));
	});

for (const [what, code, words] of [
	['a chain without its intermediate', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', /not trusted here .*a proxy intercepts TLS.* NODE_EXTRA_CA_CERTS/],
	['an authority that is not known', 'SELF_SIGNED_CERT_IN_CHAIN', /not trusted here/],
	['one that signed itself', 'DEPTH_ZERO_SELF_SIGNED_CERT', /not trusted here/],
	['an issuer that is not known', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /not trusted here/],
	['an authority that is none', 'INVALID_CA', /not trusted here/],
	['an old one', 'CERT_HAS_EXPIRED', /not valid at this time \(CERT_HAS_EXPIRED\): renew it, or set the clock/],
	['one of tomorrow', 'CERT_NOT_YET_VALID', /not valid at this time/],
	['another name', 'ERR_TLS_CERT_ALTNAME_INVALID', /for another name/],
	['a revoked one', 'CERT_REVOKED', /revoked/],
	['no TLS', 'ERR_SSL_WRONG_VERSION_NUMBER', /the TLS handshake fails .*use http:/],
	['an alert that has CERT in its name', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /the TLS handshake fails/],
	['something else', 'EHOSTUNREACH', /^the connection fails with EHOSTUNREACH$/],
])
	test(`a certificate: ${what}`, () => {
		assert.match(explainCode(code), words);
		assert.match(explainCode(code, 'CN=Inspector'), code === 'EHOSTUNREACH' ? words : /; its issuer is CN=Inspector\)/);
	});

const asked = { n: 'mine', since: '0000000a-5' };
const message = (channel) => ({ id: '0000000a-7', channel, time: 1, data: 1 });
for (const [what, answer, held, echoes, expected] of [
	['its own', { cursor: '0000000a-5', n: 'mine', limits: {} }, false, true, false],
	['of another', { cursor: '0000000a-5', n: 'other', limits: {} }, false, true, true],
	['of another, and the gateway was not known to echo', { cursor: '0000000a-5', n: 'other' }, false, false, true],
	['without one', { cursor: '0000000a-5' }, false, true, true],
	['without one, of a gateway that echoes none', { cursor: '0000000a-5' }, false, false, false],
	['of an older position', { cursor: '0000000a-4' }, false, false, true],
	['of an older position, its own', { cursor: '0000000a-4', n: 'mine' }, false, true, true],
	['of another life of the gateway', { cursor: '0000000b-1', n: 'mine' }, false, true, false],
	['given to many', { cursor: '0000000a-7', messages: [message('mine')] }, true, true, false],
	['given to many, but not held', { cursor: '0000000a-7', messages: [message('mine')] }, false, true, true],
	['given to the many of another channel', { cursor: '0000000a-7', messages: [message('other')] }, true, true, true],
	['given to many, and old', { cursor: '0000000a-5', messages: [message('mine')] }, true, true, true],
])
	test(`the answer to a poll: ${what} is ${expected ? 'stale' : 'fresh'}`, () =>
		assert.equal(isStale(answer, { ...asked, channel: held ? 'mine' : undefined }, echoes), expected));

/* ---- the probes ---- */

let gateway;
/** Each request has a connection of its own, so that each meets the fault. */
const fetchAlone = (url, init) => fetch(url, { ...init, headers: { ...init.headers, Connection: 'close' } });

before(async () => {
	gateway = await new Gateway().start();
});

after(() => gateway?.stop());

for (const [faults, states, words] of [
	[[], 'WWWWW', /^All transports work/],
	[['strip-upgrade'], 'XWWWW', /removes the Upgrade header \(the answer took \d+ ms, and the gateway saw an ordinary request\)/],
	[['refuse=403@transport=websocket'], 'XWWWW', /status 403/],
	[['hole@transport=websocket'], 'XWWWW', /blocks .* with an upgrade or without|drops the upgrade/],
	[['half-up'], 'XWWWW', /no data to the gateway/],
	[['half-down'], 'XWWWW', /no data from the gateway \(within 3 s\)/],
	[['wrong-accept'], 'XWWWW', /does not arrive intact/],
	[['inject-bytes@transport=websocket'], 'XWWWW', /inserts bytes into the WebSocket/],
	[['max-frame=4K'], 'XWWWW', /none of 4 KB \(no answer within 3 s\)/],
	[['cut-bytes=8K,hole@transport=websocket'], 'XWWWW', /none of 4 KB \(no answer within 3 s\)/],
	[['drip=64,100ms'], 'X~~~~', /the path is too slow for WebSocket: neither a frame nor a POST of 4 KB comes back within 3 s.*the path is slow: a POST of 4 KB/],
	[['half-up', 'buffer-type=text/event-stream'], 'XXWWW', /Server-Sent Events cannot work here/],
	[['buffer-end'], 'WXXWW', /holds streams back/],
	[['lag-one'], 'WXXWW', /holds each message of a stream back/],
	[['buffer-time=2s'], 'WXXWW', /in groups/],
	[['flush-every=2s'], 'WXXWW', /in groups/],
	[['buffer-time=600ms'], 'W~~WW', /in groups/],
	[['hole@transport=longpoll'], 'WWWXW', /holds for 2 s does not arrive/],
	[['strip-upgrade', 'buffer-end', 'timeout=1s,504'], 'XXX~W', /Long-polling works with a flaw: an answer that the gateway holds for 2 s does not arrive \(.*504\)/],
	[['strip-upgrade', 'retry=14'], 'XWW~W', /holds for 2 s does not arrive .*; an answer that carries a message earlier does/],
	[['forbid-post'], 'WXX~~', /publishing by POST fails/],
	[['inject-html'], 'WXXXX', /changes the gateway's answers/],
	[['inject-bytes'], 'XXXXX', /inserts bytes into the WebSocket.*changes the gateway's answers.*No transport works here/],
	[['gzip-headerless'], 'WXXXX', /changes the gateway's answers/],
	[['drop-response-header=Sluice'], 'WXXXX', /removes the response header Sluice/],
	[['connect-delay=5s'], 'XXX~~', /a new connection gets its first answer after [5-9](\.\d)? s/],
	[['max-connections=1'], 'WXXWW', /while a stream is open, no other request is answered/],
	[['max-connections=2'], 'WWWWW', /^All transports work/],
	[['captive'], 'XXXXX', /^The gateway cannot be reached: another server .*captive portal/],
	[['retry=2'], 'WWWWW', /^All transports work/],
	[['fail-every=3,502'], /^.XX[W~][W~]$/, /sometimes fails?/],
	[['fail-every=2,rst'], /^.XX[W~][W~]$/, /sometimes fails?/],
	[['cache-replay=1'], 'WWW~~', /a cache on the path gives old answers to polls \(2 of 3\), .*; the client polls by POST instead/],
	[['cache-replay=1', 'forbid-post'], 'WXXXX', /a cache on the path gives old answers to polls .*; polls by POST fail/],
	[['rewrite-host=push.example'], 'XXXXX', /^WebSocket, Server-Sent Events, HTTP streaming, long-polling and short polling cannot work here: the gateway does not answer to the Host push\.example; start it with --public-origin .*\. No transport works here\.$/],
	[['rewrite-host=localhost'], 'WWWWW', /changes the request header Host to localhost/],
	[['drop-header=Last-Event-ID'], 'WWWWW', /removes the request header Last-Event-ID/],
])
	test(`behind ${faults.join(' and ') || 'no fault'}`, async () => {
		const obstacle = await new RealObstacle().start(gateway.port, faults);
		try {
			const verdict = await diagnose(obstacle.url, { WebSocket, fetch: fetchAlone });
			assert.match(verdict.verdict, words);
			assert.match(statesOf(verdict), new RegExp(states), verdict.verdict);
		} finally {
			await obstacle.stop();
		}
	});

for (const [what, pattern, states] of [
	['of another site', /./, 'XXXXX'],
	['of the gateway itself, behind a proxy that it does not know: an Origin is in upgrades and POSTs alone', /^POST|^GET \/ws\?.*probe=/, 'XXX~~'],
])
	test(`a page ${what}`, async () => {
		const obstacle = await new Obstacle().start(gateway.port);
		obstacle.faults = [[pattern, 'foreign']];
		try {
			const verdict = await diagnose(obstacle.url, { WebSocket, fetch: fetchAlone });
			assert.equal(statesOf(verdict), states, verdict.verdict);
			assert.match(verdict.verdict, /^WebSocket, Server-Sent Events(,| and) HTTP streaming[^:]* cannot work here: the gateway does not allow pages of http:\/\/elsewhere\.example; start it with --public-origin http:\/\/elsewhere\.example \(or --allow-origin http:\/\/elsewhere\.example\)\. /);
			assert.doesNotMatch(verdict.verdict, /proxy/);
		} finally {
			await obstacle.stop();
		}
	});

test('a gateway that has no room says so on every transport', async () => {
	const full = await new Gateway().start('--max-connections-per-address', '1');
	const first = new WebSocket(`${full.url.replace('http', 'ws')}ws?channels=room`);
	try {
		await once(first, 'open');
		const verdict = await diagnose(full.url, { WebSocket, fetch: fetchAlone });
		assert.equal(statesOf(verdict), 'XXXXX', verdict.verdict);
		assert.match(verdict.verdict, /Server-Sent Events cannot work here: the gateway itself ends the connection \(too_many_connections\): wait for connections to end/);
		assert.match(verdict.verdict, /WebSocket, HTTP streaming, long-polling and short polling cannot work here: the gateway itself refuses the request with status 429 \(/);
		assert.doesNotMatch(verdict.verdict, /a proxy (between|answers)/);
	} finally {
		first.terminate();
		await full.stop();
	}
});

test('nobody there', async () => {
	const obstacle = await new RealObstacle().start(gateway.port);
	await obstacle.stop();
	assert.equal(statesOf(await diagnose(obstacle.url, { WebSocket })), 'XXXXX');
});

test('without a WebSocket the rest is probed', async () => {
	const { verdict, transports } = await diagnose(gateway.url, { WebSocket: null });
	assert.match(verdict, /^WebSocket cannot work here: this program has no WebSocket/);
	assert.equal(transports.sse.state, 'works');
});

test('what is asked for goes with every request: parameters, and the token as a header', async () => {
	const asked = [];
	await diagnose(gateway.url, { WebSocket, token: 'secret', params: { demo: 'some-name' }, fetch: (url, init) => {
		asked.push([new URL(url), init.headers]);
		return fetch(url, init);
	} });
	assert.ok(asked.length >= 6);
	for (const [url, headers] of asked) {
		assert.equal(url.searchParams.get('demo'), 'some-name');
		assert.equal(headers.Authorization, 'Bearer secret');
	}
});

test('with patience: after which silence connections are cut', async () => {
	const obstacle = await new RealObstacle().start(gateway.port, ['cut-idle=4s']);
	try {
		const verdict = await diagnose(obstacle.url, { WebSocket, patient: true });
		assert.equal(statesOf(verdict), '~~~~W', verdict.verdict);
		for (const name of names.slice(0, 4))
			assert.match(verdict.transports[name].why, /(closes|ends) .* after (3\.[5-9]|4(\.\d)?) s/);
	} finally {
		await obstacle.stop();
	}
});

/* ---- the client's own words ---- */

for (const [faults, says] of [
	[['strip-upgrade'], /websocket: a proxy removed the header Upgrade/],
	[['half-up'], /websocket: .*no frame reached it/],
	[['half-down'], /websocket: .*no data came from/],
	[['refuse=403@transport=websocket'], /websocket: the upgrade did not reach the gateway/],
	[['strip-upgrade', 'buffer-end'], /websocket: .*; sse: the stream did not begin within 3 s; stream: the stream did not begin within 3 s/],
	[['strip-upgrade', 'lag-one'], /sse: a proxy holds the stream back; stream: /],
])
	test(`the client behind ${faults.join(' and ')} goes where the verdict says, for the same reason`, async () => {
		const obstacle = await new RealObstacle().start(gateway.port, faults);
		// A gate that a busy machine was too slow for is tried again at once.
		const sluice = listen(obstacle.url, { channels: ['test.words'], timings: { promote: [300, 300, 300, 300] } });
		try {
			const verdict = await diagnose(obstacle.url, { WebSocket });
			const good = names.find((name) => verdict.transports[name].state === 'works');
			await until('the client to be where it belongs', () => sluice.transport === good);
			const { errors, transports } = sluice.log;
			const said = [transports.at(-1).why, ...errors.map(({ transport, message }) => `${transport}: ${message}`)];
			await until(`${says}`, () => [sluice.log.transports.at(-1).why,
				sluice.log.errors.map(({ transport, message }) => `${transport}: ${message}`).join('; ')].some((words) => says.test(words)))
				.catch((error) => assert.fail(`${error.message}: ${said.join(' | ')}`));
		} finally {
			sluice.close();
			await obstacle.stop();
		}
	});

describe('at a gateway that asks for tokens', () => {
	const door = new Door();
	before(async () => door.open(await new Gateway().start(...door.options)));
	after(() => door.stop());
	const run = (token, options) => diagnose(door.gateway.url, { WebSocket, token, ...options });

	for (const [what, options] of [['', {}], [', streams by EventSource', { streams: false, EventSource }]])
		test(`with a token nothing is in the way${what}`, async () => {
			const urls = [];
			const token = createBackend(3600);
			const { transports, verdict } = await run(token, { ...options, fetch: (url, init) => fetch(url, init, urls.push(url)) });
			for (const name of options.streams === false ? ['websocket', 'sse', 'longpoll', 'poll'] : Object.keys(transports))
				assert.notEqual(transports[name].state, 'dead', `${name}: ${transports[name].why}`);
			assert.equal(token.asked, 1);
			assert.ok(!urls.join().includes(token.tokens[0].split('.')[1]), verdict);
		});

	for (const [what, token, code] of [['no token', undefined, /give a valid token/], ['a wrong one', () => mint(60, {}, 'a wrong key'), /give a valid token/],
		['one that has expired', () => mint(-100), /has expired/]])
		for (const [how, options] of [['', {}], [', streams by EventSource', { streams: false, EventSource }]])
			test(`with ${what} it is the token that is in the way, not the path${how}`, async () => {
				const verdict = await run(token, options);
				const lines = Object.entries(verdict.transports).filter(([, { why }]) => !/cannot read an answer/.test(why));
				assert.ok(lines.length >= 4);
				for (const [name, { state, why }] of lines) {
					assert.equal(state, 'dead');
					assert.match(why, code, name);
					assert.doesNotMatch(why, /proxy|between|blocked|swallow/, name);
				}
				assert.doesNotMatch(JSON.stringify(verdict), /eyJ/);
			});

	test('a function that fails: an error that shows nothing of it', async () => {
		await assert.rejects(run(() => Promise.reject(new Error('eyJ secret'))), ({ message }) => /there is no token/.test(message) && !/eyJ/.test(message));
	});
});
