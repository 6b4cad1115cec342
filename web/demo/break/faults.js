// What can be put in the way. With an obstacle these are faults of a real proxy before the
// gateway (sluice-obstacle(1)); without one, transports that the gateway itself refuses.
import { names } from '../panel.js';

/** @typedef {import('../page.js').TransportName} TransportName */
/** @typedef {object} Fault
 * @property {string} id
 * @property {string} name
 * @property {string} [words] what it does, in a sentence
 * @property {string} [product] who does so
 * @property {string[]} texts as sluice-obstacle knows it
 * @property {TransportName[]} blocks which cannot work then
 * @property {string[]} [cuts] texts that end what runs when it begins, as a proxy does that is
 * 	started with it
 * @property {boolean} [isOfSilence] it is felt only when little is said */

/** Texts that end the connections of these transports once.
 * @param {TransportName[]} transports */
const cut = (...transports) => transports.map((name) => `cut=rst@transport=${name}`);

/** A fault of messages: polls pass, and a transport can prove itself.
 * @param {string} fault */
const onStreams = (fault) =>
	['websocket', 'sse', 'stream'].map((name) => `${fault}@transport=${name}@age=2s`);

/** @type {{ title: string, faults: Fault[] }[]} */
export const groups = [
	{
		title: 'Against WebSocket',
		faults: [
			{ id: 'strip', name: 'Remove the Upgrade header', texts: ['strip-upgrade'],
				blocks: ['websocket'], cuts: cut('websocket'),
				words: 'The gateway sees an ordinary request, so a WebSocket never begins.',
				product: 'nginx with proxy_pass alone, Apache ProxyPass, Squid, Varnish' },
			{ id: 'refuse', name: 'Answer WebSocket with 403',
				texts: ['refuse=403@transport=websocket'], blocks: ['websocket'],
				cuts: cut('websocket'),
				words: 'The proxy rejects the request itself, and the gateway never sees it.',
				product: 'corporate web filters, deny rules of haproxy' },
			{ id: 'deaf', name: '101, then deaf', texts: ['half-up'], blocks: ['websocket'],
				cuts: cut('websocket'),
				words: 'The upgrade succeeds and messages arrive, but the proxy drops ' +
					'everything that the client sends.',
				product: 'Privoxy with its default settings' },
			{ id: 'dead', name: '101, then silence', texts: ['dead-101'], blocks: ['websocket'],
				cuts: cut('websocket'),
				words: 'The upgrade succeeds, and then nothing passes in either direction.',
				product: 'filters that know the upgrade but no frames' },
		],
	},
	{
		title: 'Against streams and polls',
		faults: [
			{ id: 'hold-sse', name: 'Hold event streams', texts: ['buffer-type=text/event-stream'],
				blocks: ['sse'], cuts: cut('sse'),
				words: 'The proxy holds Server-Sent Events until the response ends, which never ' +
					'happens. Other types pass.',
				product: 'Privoxy, content filters' },
			{ id: 'hold', name: 'Hold every response', texts: ['buffer-end'],
				blocks: ['sse', 'stream'], cuts: cut('sse', 'stream'),
				words: 'The proxy passes a response on only after its end. A stream never ends; ' +
					'a poll does.',
				product: 'Varnish without streaming, haproxy wait-for-body, nginx told to ignore ' +
					'X-Accel-Buffering' },
			{ id: 'lag', name: 'Lag by one', texts: ['lag-one'], blocks: [],
				cuts: cut('sse', 'stream'),
				words: 'The proxy passes an event on only when the next one arrives, so the ' +
					'newest event always waits.',
				product: 'haproxy, if it compresses event streams' },
			{ id: 'timeout', name: '504 after 3 s', texts: ['timeout=3s,504'], blocks: [],
				isOfSilence: true,
				words: 'If the gateway sends nothing for 3 s, the proxy answers with 504. While ' +
					'this fault is on, a message comes every 5 s.',
				product: 'nginx, haproxy, Varnish: after 50 to 60 s' },
		],
	},
	{
		title: 'Against everything',
		faults: [
			{ id: 'age', name: 'Cut every 10 s', texts: ['cut-age=10s'], blocks: [],
				words: 'The proxy closes every connection after 10 s, even a busy one.',
				product: 'Squid client_lifetime, load balancers' },
			{ id: 'idle', name: 'Cut after 3 s of silence', texts: ['cut-idle=3s'], blocks: [],
				isOfSilence: true,
				words: 'The proxy closes a connection that carries nothing for 3 s. While this ' +
					'fault is on, a message comes every 5 s.',
				product: 'nginx after 60 s, haproxy after 50 s, NAT boxes' },
			{ id: 'slow', name: 'Slow, lossy line', texts: ['delay=150ms', 'loss=0.05,300ms'],
				blocks: [],
				words: 'Every byte takes 150 ms in each direction. One write in twenty is lost ' +
					'and sent again.',
				product: 'hotel Wi-Fi, mobile networks' },
			{ id: 'captive', name: 'Captive portal', texts: ['captive'], blocks: names,
				cuts: ['cut=rst'],
				words: 'The proxy answers every request with a login page. Nothing works until ' +
					'you remove this fault.',
				product: 'hotels, trains, airports' },
		],
	},
	{
		title: 'Against single messages',
		faults: [
			{ id: 'drop', name: 'Drop every fifth message', texts: onStreams('drop-every=5'),
				blocks: [],
				words: 'The proxy drops one message in five on WebSockets and streams that are ' +
					'older than 2 s. The gateway reports how many it sent, so the client ' +
					'notices the loss, changes the transport and recovers the missing messages ' +
					'late.',
				product: 'no product that we measured' },
			{ id: 'garble', name: 'Garble every fifth message', texts: onStreams('garble-every=5'),
				blocks: [],
				words: 'The proxy puts text before the JSON of one message in five, on ' +
					'WebSockets and streams that are older than 2 s. The client cannot read the ' +
					'message, leaves the transport and resumes on another.',
				product: 'no product that we measured' },
		],
	},
];

export const faults = groups.flatMap((group) => group.faults);

/** Ends by itself, should the page not be there any more.
 * @type {Fault} */
export const plug = { id: 'plug', name: 'The plug', texts: ['refuse=rst@until=6s'], blocks: names,
	cuts: ['cut=rst'] };

/** One a transport, for when there is no obstacle.
 * @type {Fault[]} */
export const blocks = names.map(
	(name) => ({ id: name, name: `Block ${name}`, texts: [], blocks: [name] }));

/** Which transports cannot work, in order.
 * @param {Fault[]} list */
export const blockedBy = (list) =>
	names.filter((name) => list.some(({ blocks }) => blocks.includes(name)));
