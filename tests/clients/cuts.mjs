// Clients with recovery whose connections are cut again and again while backends publish: what each of them got.
import { io } from 'socket.io-client';
import { Door } from './door.mjs';
import { judge, makeRandom, sum } from './judge.mjs';
import { until } from './world.mjs';

const NAMESPACES = ['red', 'green', 'blue', 'grey'];
/** What the clients may use, in turn. */
const CHOICES = [undefined, ['polling'], ['websocket'], undefined];
const EVENT = 'tick';
const CURSOR = /^\S+$/;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One client: a connection with some namespaces, through a door of its own. */
class Cuttable {
	cuts = 0; // times at which connections were destroyed
	drops = 0; // times at which the client noticed
	connects = 0;
	notRecovered = 0;
	badCursors = 0;
	errors = new Map();

	/** @param {number} number of the client @param {Door} door @param {() => number} random */
	constructor(number, door, random) {
		this.door = door;
		this.random = random;
		this.transports = CHOICES[number % CHOICES.length];
		const count = 1 + number % 3;
		this.numbers = new Map(NAMESPACES.slice(number % 2, number % 2 + count).map((name) => [name, []]));
		this.sockets = [];
	}

	open() {
		const options = { reconnectionDelay: 5, reconnectionDelayMax: 50, query: { recovery: '1' },
			...this.transports && { transports: this.transports } };
		for (const [name, numbers] of this.numbers) {
			const [first] = this.sockets;
			const socket = first ? first.io.socket(`/${name}`) : io(`${this.door.url}/${name}`, { forceNew: true, ...options });
			this.sockets.push(socket);
			this.#watch(socket, numbers);
			socket.connect();
		}
		this.sockets[0].io.on('close', () => this.drops++);
	}

	#watch(socket, numbers) {
		let times = 0;
		socket.on('connect', () => {
			this.connects++;
			this.notRecovered += Number(times++ > 0 && !socket.recovered);
		});
		socket.on('connect_error', ({ message }) => this.errors.set(message, (this.errors.get(message) ?? 0) + 1));
		socket.on(EVENT, (n, cursor, ...rest) => {
			numbers.push(n);
			this.badCursors += Number(typeof cursor !== 'string' || !CURSOR.test(cursor) || rest.length > 0);
		});
	}

	get isConnected() {
		return this.sockets.every((socket) => socket.connected);
	}

	/** Is cut at random until `mayGoOn()` says no: mostly some time after it is connected, also at once, before
	 * anything came, and while it connects again. */
	async suffer(mayGoOn) {
		while (mayGoOn()) {
			const dice = this.random();
			if (dice < 0.8)
				await until('connected again', () => this.isConnected);
			await sleep(dice < 0.5 ? this.random() * 300 : dice < 0.65 ? 0 : this.random() * 20);
			if (mayGoOn() && this.door.cut(this.random() < 0.5) > 0)
				this.cuts++;
		}
		await until('connected at last', () => this.isConnected);
	}

	close() {
		this.sockets.forEach((socket) => socket.disconnect());
		return this.door.close();
	}
}

/** Publishes to one channel until it is told to end.
 * @returns {Promise<number>} how many */
async function publishOn(server, channel, pause, isOver) {
	let n = 0;
	while (!isOver()) {
		await server.publish(channel, ++n, { event: EVENT });
		await sleep(pause);
	}
	return n;
}

/** @param {{ port: number, publish: Function }} server with recovery
 * @param {{ clients: number, cuts: number, pause?: number, seed?: number }} how pause: ms between two messages of a channel */
export async function sufferCuts(server, { clients: count, cuts, pause = 100, seed = 1 }) {
	const clients = await Promise.all(Array.from({ length: count }, async (_, number) =>
		new Cuttable(number, await new Door(server.port).open(), makeRandom(seed * 1000 + number))));
	const countCuts = () => clients.reduce((total, client) => total + client.cuts, 0);
	try {
		clients.forEach((client) => client.open());
		await until('all connected', () => clients.every((client) => client.isConnected));
		let isOver = false;
		const publishers = NAMESPACES.map((name) => publishOn(server, name, pause, () => isOver));
		await Promise.all(clients.map((client) => client.suffer(() => countCuts() < cuts)));
		isOver = true;
		const published = new Map((await Promise.all(publishers)).map((n, at) => [NAMESPACES[at], n]));
		await untilQuiet(clients, published);
		return report(clients, published);
	} finally {
		await Promise.all(clients.map((client) => client.close()));
	}
}

/** Until all have the last message of each channel; who lost it is judged, after a while. */
async function untilQuiet(clients, published) {
	const hasAll = ({ numbers }) => [...numbers].every(([name, list]) => list.includes(published.get(name)));
	await until('the last messages', () => clients.every(hasAll), 30000).catch(() => {});
	await sleep(300); // what comes twice comes late
}

/** @param {any[]} list @param {(one: any) => [string, number]} pick */
function countBy(list, pick) {
	const counts = {};
	for (const [name, n] of list.map(pick))
		counts[name] = (counts[name] ?? 0) + n;
	return counts;
}

function report(clients, published) {
	const add = (pick) => clients.reduce((total, client) => total + pick(client), 0);
	return {
		clients: clients.length,
		cuts: add(({ cuts }) => cuts),
		drops: add(({ drops }) => drops),
		connects: add(({ connects }) => connects),
		notRecovered: add(({ notRecovered }) => notRecovered),
		badCursors: add(({ badCursors }) => badCursors),
		published: [...published.values()].reduce((total, n) => total + n),
		received: add(({ numbers }) => [...numbers.values()].reduce((total, { length }) => total + length, 0)),
		...sum(clients.flatMap(({ numbers }) => [...numbers].map(([name, list]) => judge(list, published.get(name))))),
		cutsOf: countBy(clients, ({ transports, cuts }) => [transports?.[0] ?? 'defaults', cuts]),
		lostOf: countBy(clients, ({ transports, numbers }) => [transports?.[0] ?? 'defaults',
			sum([...numbers].map(([name, list]) => judge(list, published.get(name)))).lost]),
		errors: countBy(clients.flatMap(({ errors }) => [...errors]), (pair) => pair),
	};
}
