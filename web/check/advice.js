// What to ask the network's administrator for: a sentence for each fault, in plain words with the
// terms that administrators look for. Pure.
import { LIMIT_MS, time } from '../client/explain.js';
import { getDelay } from '../client/verdict.js';

/** @typedef {import('../client/explain.js').Answer} Answer */
/** @typedef {import('../client/verdict.js').Facts} Facts */
/** @typedef {import('./report.js').TransportReport} TransportReport */
/** @typedef {import('./rounds.js').Measured} Measured */
/** host: the gateway's name, with its port
 * @typedef {{ facts: Facts, transports: Record<string, TransportReport>, host: string,
 * 	measured: Record<string, Measured>, limit: number }} Case */

const MOST = 10;
const STREAMS = /** @type {const} */ (['sse', 'stream']);
const UPGRADE_NGINX = '(nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; ' +
	'proxy_set_header Connection "upgrade")';

/** @param {Answer | undefined} answer refused by somebody else than the gateway */
function isForeign(answer) {
	return answer?.status !== undefined && !answer.ours && !answer.good;
}

/* ---- everything ---- */

/** Where nothing of the gateway gets through.
 * @param {Case} found
 * @returns {string[]} */
function askForAccess({ facts, host }) {
	const { poll, gateway } = facts;
	const answer = [poll, gateway].find(isForeign);
	if ([poll, gateway].some(({ status }) => status === 407))
		return [`Let requests to ${host} pass without a login, or give this computer a login ` +
			'for the proxy (it answers with status 407).'];
	if (answer?.type?.includes('html') && (answer.status ?? 0) < 400)
		return [`Let requests to ${host} pass without a login: the login page of this network ` +
			'answers instead (captive portal). Or log in to this network first.'];
	if (answer)
		return [`Let requests to ${host} pass: a proxy answers them with status ` +
			`${answer.status}.`];
	if (poll.silent || gateway.silent)
		return [`Let HTTP and HTTPS to ${host} pass: requests get no answer (a firewall may ` +
			'drop them).'];
	return [`Let HTTP and HTTPS to ${host} pass: connections to it fail or are reset.`];
}

/** For what changes answers, or removes the header by which the client recognizes the gateway.
 * @param {Case} found
 * @returns {string[]} */
function askForAnswers({ facts, host }) {
	const answers = [facts.gateway, facts.poll, facts.sse, facts.stream];
	const list = [];
	if (answers.some(({ ours, good, status }) => good && !ours && status === 200))
		list.push(`Let the response header Sluice of ${host} pass: the proxy removes it.`);
	if ([facts.gateway, facts.poll].some(({ ours, good, status, silent, cut }) =>
		ours && !good && status === 200 && !silent && !cut))
		list.push(`Do not change answers of ${host}: something inserts or rewrites content ` +
			'(content filter, advertisements, compression without Content-Encoding).');
	return list;
}

/** For what the gateway itself refuses: only its operator can change that.
 * @param {Case} found
 * @returns {string[]} */
function askOperator({ facts, host }) {
	const { poll, sse, echo, websocket } = facts;
	const refused = [poll, sse, echo, websocket.plain].find((answer) => answer?.ours &&
		(answer.status ?? 0) >= 400 && answer.code !== 'upgrade_required' && answer.message);
	return refused ? [`Tell the operator of ${host}, not of the network: ${refused.message}.`] : [];
}

/* ---- WebSocket ---- */

/** @param {Case} found
 * @returns {string[]} */
function askForSocket({ facts, transports, host }) {
	const { websocket, head } = facts;
	const { handshake, ended, seen, status, connect, plain, foreign, small, large } = websocket;
	const pass = `Let WebSocket pass to ${host}:`;
	if (transports.websocket.class === 'missing')
		return ['Use a browser with WebSocket: this browser has none, or it is turned off.'];
	if (transports.websocket.state !== 'dead' || transports.websocket.class === 'slow')
		return [];
	if (connect)
		return [`${pass} the proxy refuses the tunnel (allow CONNECT to ${host}` +
			`${status ? `; it answers ${status}` : ''}).`];
	if (handshake === undefined) {
		if (seen === 'plain_get' || status === 426)
			return [`${pass} the proxy removes the header Upgrade` +
				`${head.value?.version === 'HTTP/1.0' ? ' (it uses HTTP/1.0)' : ''} ` +
				`${UPGRADE_NGINX}.`];
		if (seen?.startsWith('upgraded'))
			return [`${pass} the answer to the upgrade (status 101) does not arrive unchanged.`];
		if (plain?.ours && plain.status !== 426)
			return []; // the gateway's own
		const how = status ? `the proxy refuses the upgrade with status ${status}` :
			'the proxy refuses the upgrade';
		return [ended === undefined ? `${pass} something drops the upgrade request.` :
			`${pass} ${how}.`];
	}
	if (foreign)
		return [`Do not change WebSocket data of ${host}: something inserts bytes (content ` +
			'inspection).'];
	if (small !== undefined && large === undefined)
		return [`Let large WebSocket frames pass to ${host}: frames of 4 KB do not pass, small ` +
			'ones do.'];
	return [`${pass} the upgrade passes (status 101), but the data after it does not.`];
}

/* ---- streams ---- */

/** The paths of the streams that have this class.
 * @param {Case} found @param {string} word */
function listPaths({ transports, facts }, word) {
	const { pathname } = new URL(facts.url);
	return STREAMS.filter((name) => transports[name].class === word)
		.map((name) => `${pathname}${name}`).join(' and ');
}

/** @param {Case} found
 * @returns {string[]} */
function askForStreams(found) {
	const { facts, transports, host } = found;
	const list = [];
	const buffered = listPaths(found, 'buffered');
	if (buffered)
		list.push(`Turn off response buffering for ${buffered} of ${host}: the proxy holds ` +
			'messages back (nginx: proxy_buffering off).');
	const compressed = listPaths(found, 'compressed');
	if (compressed)
		list.push(`Do not compress ${compressed} of ${host}: compression holds messages back ` +
			'(nginx: gzip off; or exclude text/event-stream and application/x-ndjson).');
	const refused = listPaths(found, 'refused');
	const names = STREAMS.filter((name) => transports[name].class === 'refused');
	const answers = names.map((name) => facts[name]).filter(isForeign);
	if (refused && answers.length)
		list.push(`Let GET ${refused} of ${host} pass: a proxy answers with status ` +
			`${answers[0].status}.`);
	if (STREAMS.some((name) => transports[name].state === 'dead' && facts[name].echo?.silent &&
		facts.echo.good))
		list.push(`Allow more connections to ${host} at a time: while one is in use, others get ` +
			'no answer (connection limit).');
	if (STREAMS.some((name) => transports[name].class === 'missing'))
		list.push('Use a current browser: this one cannot read an answer before it ends.');
	return list;
}

/* ---- requests ---- */

/** @param {Case} found
 * @returns {string[]} */
function askForPolls({ facts, transports, host }) {
	const { poll, longpoll, echo, sse, stream } = facts;
	const list = [];
	if (transports.longpoll.cached || transports.poll.cached)
		list.push(`Do not cache answers of ${host}: they carry Cache-Control: no-store, but a ` +
			'cache repeats old ones.');
	else if (poll.good && poll.ours && transports.longpoll.state !== 'works' &&
		!longpoll.good && ['cut', 'swallowed'].includes(transports.longpoll.class)) {
		const become = longpoll.status ? `become status ${longpoll.status}` : 'do not arrive';
		list.push(`Wait at least 60 s for answers of ${host}: answers that take ` +
			`${time(longpoll.hold)} ${become} (read or response timeout of the proxy).`);
	}
	const posts = echo.status ? `a proxy answers them with status ${echo.status}` : 'they fail';
	if (poll.good && !echo.ours && !echo.good && !echo.silent)
		list.push(sse.echo?.good || stream.echo?.good ?
			`Let POST requests of 4 KB and more pass to ${host}: the proxy limits their size.` :
			`Let POST requests pass to ${host}: ${posts}.`);
	else if (poll.good && echo.silent && echo.status === undefined && getDelay(facts) < LIMIT_MS)
		list.push(`Let POST requests pass to ${host}: they get no answer.`);
	return list;
}

/* ---- quality ---- */

/** For connections that are cut.
 * @param {Case} found
 * @returns {string[]} */
function askForLife({ facts, transports, host, measured }) {
	const list = [];
	const isFaulty = (/** @type {string} */ name) => transports[name].state !== 'works';
	const idle = Object.entries(facts.idle ?? {}).filter(([name, { cut }]) =>
		cut !== undefined && isFaulty(name)).map(([, { cut = 0 }]) => cut);
	const ends = Object.entries(measured).filter(([name]) => isFaulty(name) && name !== 'poll' &&
		name !== 'longpoll').flatMap(([, one]) => [...one.mute === null ? [] : [one.mute],
		...one.ends.filter(({ bye, opened }) => opened && !bye).map(({ lived }) => lived)]);
	const ended = STREAMS.map((name) => facts[name]).find((one) => one.open !== undefined &&
		one.mark === undefined && one.ended !== undefined)?.ended;
	if (idle.length)
		list.push(`Keep idle connections to ${host} open for 60 s or more: they are closed after ` +
			`${time(Math.min(...idle))} (idle timeout).`);
	else if (ended !== undefined || ends.length)
		list.push(`Do not close long connections to ${host}: they are closed after ` +
			`${time(ended ?? Math.min(...ends))}.`);
	return list;
}

/** @param {Case} found
 * @returns {string[]} */
function askForQuality({ facts, transports, host, measured, limit }) {
	const list = [];
	const all = Object.entries(transports);
	const flaky = all.filter(([, one]) => one.class === 'flaky');
	if (flaky.length)
		list.push(`Find out why requests to ${host} sometimes fail (see the proxy's log of this ` +
			'time; often a backend or a connection limit).');
	const delay = getDelay(facts);
	if (delay >= LIMIT_MS)
		list.push(`Find out why new connections to ${host} take ${time(delay)} (content ` +
			'inspection, name lookups or overload of the proxy).');
	const small = Object.entries(measured).filter(([name, { down, tried, ends, trips, mute }]) =>
		transports[name].state !== 'dead' && down !== null && down < tried && down > 0 &&
		tried <= limit && trips.length && !ends.length && mute === null);
	const others = Object.values(measured).some(({ down, tried }) => down === tried);
	const size = Math.max(...small.map(([, { tried }]) => tried)) / 1024;
	if (small.length && others)
		list.push(`Let messages of ${size} KB pass from ${host}: some transports lose them ` +
			'(size limit for answers or frames).');
	return list;
}

/** @param {Case} found
 * @returns {string[]} */
function askForHead({ facts, host }) {
	const headers = facts.head.value?.headers;
	const isThere = headers?.some((/** @type {string[]} */ [name]) =>
		name.toLowerCase() === 'last-event-id');
	return headers && !isThere ?
		[`Let the request header Last-Event-ID pass to ${host}: the proxy removes it.`] : [];
}

/** @param {Case} found
 * @returns {string[]} nothing where all is well */
export function advise(found) {
	const { facts, transports } = found;
	const isDead = Object.values(transports).every(({ state }) => state === 'dead');
	const own = askOperator(found);
	if (isDead && !facts.gateway.ours && !facts.gateway.good && !facts.poll.ours)
		return own.length ? own : askForAccess(found);
	const all = [...own, ...askForAnswers(found), ...askForSocket(found), ...askForStreams(found),
		...askForPolls(found), ...askForLife(found), ...askForQuality(found), ...askForHead(found)];
	return [...new Set(all)].slice(0, MOST);
}
