// What an app does with socket.io-client, by commands that travel as JSON: the same file plays in Node and in the
// page of a browser. Nothing of the client is changed; what it tells is written down in its order.

const BASE64 = '$base64'; // binary, where it travels as JSON

/** @param {any} value @returns {any} */
export function pack(value) {
	if (value instanceof ArrayBuffer)
		value = new Uint8Array(value);
	if (ArrayBuffer.isView(value))
		return { [BASE64]: btoa(Array.from(/** @type {Uint8Array} */ (value), (byte) => String.fromCharCode(byte)).join('')) };
	if (Array.isArray(value))
		return value.map(pack);
	return value && typeof value === 'object'
		? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, pack(one)])) : value;
}

/** @param {any} value @returns {any} */
export function unpack(value) {
	if (Array.isArray(value))
		return value.map(unpack);
	if (!value || typeof value !== 'object')
		return value;
	if (BASE64 in value)
		return Uint8Array.from(atob(value[BASE64]), (one) => one.charCodeAt(0));
	return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unpack(one)]));
}

/** @param {typeof import('socket.io-client').io} io */
export function createPlayer(io) {
	/** @type {Map<string, { socket: import('socket.io-client').Socket, log: any[], latest: object }>} */
	const seats = new Map();
	const find = (name) => seats.get(name) ?? (() => { throw new Error(`nobody is called ${name}`); })();

	function watch(name, socket) {
		const log = [];
		const note = (what, more) => log.push({ what, ...more });
		socket.on('connect', () => note('connect', { recovered: socket.recovered, id: socket.id }));
		socket.on('disconnect', (reason) => note('disconnect', { reason }));
		socket.on('connect_error', (error) => note('connect_error', { message: error.message, data: error.data }));
		socket.onAny((event, ...args) => note('event', { event, args: pack(args) }));
		const watchEngine = () => {
			socket.io.engine.on('upgrade', ({ name: to }) => note('upgrade', { to }));
			note('open', { transport: socket.io.engine.transport.name });
		};
		socket.io.on('open', watchEngine);
		seats.set(name, { socket, log, latest: {} });
	}

	return {
		/** @param {string} name of whom is seated @param {object} options of the client; `beside` is another one whose connection it
		 * shares, as namespaces do; `authLater` is the auth from the second connect on */
		open(name, url, { beside, authLater, ...options } = {}) {
			if (beside) {
				const { io: manager } = find(beside).socket;
				watch(name, manager.socket(new URL(url).pathname, options));
				find(name).socket.connect();
				return;
			}
			let times = 0;
			if (authLater) {
				const { auth } = options;
				options.auth = (done) => done(times++ ? authLater : auth);
			}
			watch(name, io(url, { forceNew: true, autoConnect: false, reconnectionDelay: 50, reconnectionDelayMax: 200, ...options }));
			find(name).socket.connect();
		},

		emit: (name, event, ...args) => { find(name).socket.emit(event, ...unpack(args)); },

		/** What the server acknowledges it with. */
		ask: async (name, event, ...args) => pack(await find(name).socket.timeout(20000).emitWithAck(event, ...unpack(args))),

		getLog: (name) => find(name).log,

		getState(name) {
			const { socket } = find(name);
			const { engine } = socket.io;
			return { connected: socket.connected, recovered: socket.recovered, id: socket.id, transport: engine?.transport?.name };
		},

		disconnect: (name) => { find(name).socket.disconnect(); },
		connect: (name) => { find(name).socket.connect(); },

		close() {
			for (const { socket } of seats.values()) {
				socket.offAny();
				socket.disconnect();
			}
			seats.clear();
		},
	};
}
