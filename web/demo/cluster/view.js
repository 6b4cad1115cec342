// How the cluster is seen: its processes, its lanes, the verdict over them.
import { describeVerdict } from '../break/checker.js';
import { create, createBadge, get } from '../panel.js';

/** @typedef {import('./processes.js').Node} Node */
/** @typedef {import('./reader.js').Reader} Reader */
/** @typedef {import('./writer.js').Writer} Writer */

const LAST = 'The last gateway must run: without it, nothing can start the others';
const EVENTS = 80; // on the page

const states = {
	gateway: { down: 'killed', starting: 'starting', away: 'no bus', ready: 'ready' },
	nats: { down: 'killed', starting: 'starting', away: 'waiting for a leader', ready: 'ready' },
};
const laneStates = { stopped: 'stopped', idle: 'connecting', connecting: 'connecting', open: 'open',
	waiting: 'disconnected', closed: 'closed' };

/** @param {HTMLElement} element @param {string} words */
function set(element, words) {
	if (element.textContent !== words)
		element.textContent = words;
}

/** A process, and the button that kills or starts it. */
export class ProcessView {
	/** @param {Node} node @param {(what: 'kill' | 'start', name: string) => void} want */
	constructor({ name, kind }, want) {
		this.name = name;
		const title = kind === 'gateway' ? `Gateway ${name}` : `NATS ${name}`;
		this.state = create('p', 'cluster-state');
		this.role = create('p', 'small quiet');
		this.button = create('button', { type: 'button' });
		this.button.addEventListener('click', () => want(this.button.value, name));
		this.element = create('li', `card cluster-${kind}`, create('h4', {}, title), this.state,
			this.role, this.button);
		get(kind === 'gateway' ? 'cluster-gateways' : 'cluster-nats').append(this.element);
	}

	/** @param {Node} node @param {Reader[]} readers @param {boolean} isLast of the gateways */
	draw(node, readers, isLast) {
		const isUp = node.wanted;
		this.element.dataset.state = node.state;
		this.element.toggleAttribute('data-leads', node.leads);
		set(this.state, states[node.kind][node.state]);
		set(this.role, describeRole(node, readers));
		set(this.button, isUp ? 'Kill' : 'Start');
		this.button.value = isUp ? 'kill' : 'start';
		this.button.disabled = isUp && isLast;
		this.button.setAttribute('aria-label', `${isUp ? 'Kill' : 'Start'} ${node.name}`);
		this.button.title = this.button.disabled ? LAST : '';
	}
}

/** @param {Node} node @param {Reader[]} readers */
function describeRole({ kind, state, leads, name }, readers) {
	if (state === 'down')
		return 'not running';
	if (kind === 'gateway') {
		const lanes = readers.filter((reader) => reader.running && reader.gateway === name).length;
		return `serves ${lanes} ${lanes === 1 ? 'lane' : 'lanes'}`;
	}
	if (state !== 'ready')
		return 'holds a copy';
	return leads ? 'leader' : 'follower, holds a copy';
}

/** A lane, and the switch that moves it. */
export class ReaderView {
	/** @param {Reader} reader @param {string[]} gateways
	 * @param {(reader: Reader, gateway: string) => void} move */
	constructor(reader, gateways, move) {
		this.reader = reader;
		const name = `cluster-${reader.name}`;
		this.inputs = gateways.map((value) =>
			create('input', { type: 'radio', value, name, id: `${name}-${value}` }));
		const choice = create('fieldset', 'choice',
			create('legend', 'unseen', `${reader.name}: gateway`),
			...this.inputs.map((input) => create('label', {}, input,
				create('span', {}, `gateway ${input.value}`))));
		choice.addEventListener('change',
			(/** @type {any} */ { target }) => move(reader, target.value));
		this.state = create('td', 'cluster-lane-state');
		this.cells = ['number', 'cursor', 'lost', 'moves'].map((name) =>
			create('td', { className: `number cluster-${name}`, 'data-label': heads[name] }));
		this.element = create('tr', { 'data-transport': reader.name },
			create('th', { scope: 'row' }, createBadge(reader.name)),
			create('td', {}, choice), this.state, ...this.cells);
		get('cluster-lanes').append(this.element);
	}

	/** @param {number} now ms */
	draw(now) {
		const { state, isAway, gateway, number, cursor, checker, moves, gaps } = this.reader;
		for (const input of this.inputs)
			if (input.checked !== (input.value === gateway))
				input.checked = input.value === gateway;
		const isOpen = state === 'open';
		const words = laneStates[/** @type {keyof laneStates} */ (state)] ?? state;
		set(this.state, isAway ? `${words}, no bus` : words);
		this.element.dataset.state = isOpen && isAway ? 'away' : state;
		const lost = checker.countLost(now) + gaps;
		const bad = lost + checker.doubled + checker.reordered;
		const values = [number.toLocaleString('en'), cursor === '0' ? '–' : cursor,
			`${lost} / ${checker.doubled} / ${checker.reordered}`, String(moves)];
		this.cells.forEach((cell, i) => set(cell, values[i]));
		this.element.toggleAttribute('data-bad', bad > 0);
	}
}

/** @type {Record<string, string>} */
const heads = { number: 'last number', cursor: 'cursor', lost: 'lost / duplicated / out of order',
	moves: 'moves' };

/** @param {Reader[]} readers @param {Writer} writer @param {number} now ms */
export function drawVerdict(readers, writer, now) {
	const sum = (/** @type {(reader: Reader) => number} */ count) =>
		readers.reduce((total, reader) => total + count(reader), 0);
	const lost = sum(({ checker, gaps }) => checker.countLost(now) + gaps);
	const doubled = sum(({ checker }) => checker.doubled);
	const reordered = sum(({ checker }) => checker.reordered);
	const received = sum(({ checker }) => checker.received);
	set(get('cluster-verdict'), describeVerdict(lost, doubled, reordered));
	get('cluster-verdict').dataset.clean = String(lost + doubled + reordered === 0);
	set(get('cluster-received'), received.toLocaleString('en'));
	set(get('cluster-published'), writer.taken.toLocaleString('en'));
	set(get('cluster-through'), [...writer.through].sort().map(([name, count]) =>
		`${name} ${count.toLocaleString('en')}`).join(', ') || '–');
	set(get('cluster-again'), writer.again.toLocaleString('en'));
	set(get('cluster-longest'), `${(writer.longest / 1000).toFixed(1)} s`);
	set(get('cluster-moves'), sum(({ moves }) => moves).toLocaleString('en'));
	set(get('cluster-underway'),
		sum(({ checker }) => checker.countUnderway(now)).toLocaleString('en'));
}

/** @param {{ kind: string, words: string, why?: string }} event */
export function addEvent({ kind, words, why }) {
	const list = get('cluster-events');
	const time = new Date().toLocaleTimeString('en-GB', { hour12: false });
	list.prepend(create('li', `is-${kind}`, create('time', 'number quiet', time),
		create('p', {}, create('b', {}, words), why ? ` – ${why}.` : '')));
	while (list.childElementCount > EVENTS)
		list.lastElementChild.remove();
}
