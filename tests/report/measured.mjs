// Results of networks as sluice-bench writes them, made of a few medians.
const TRANSPORTS = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];

/** @param {number} median @param {number} [range] a share of it, on both sides */
export function spread(median, range = .001) {
	return { median, min: median * (1 - range), max: median * (1 + range), count: 3 };
}

/** @param {object} network @param {string} transport @param {string} scenario @param {object} params
 * @param {Record<string, number | object>} figures a number becomes a narrow spread */
export function result(network, transport, scenario, params, figures) {
	const summary = Object.fromEntries(Object.entries(figures).map(([name, figure]) =>
		[name, typeof figure === 'number' ? spread(figure) : figure]));
	return { scenario, server: 'sluice', transport, network, case: params, repeats: [{}, {}, {}], summary };
}

/** Latencies in ms: by rate, of each transport the p50, or p50, p90 and p99.
 * @param {object} network @param {Record<number, (number | number[] | null)[]>} byRate null: none */
export function latencies(network, byRate) {
	return Object.entries(byRate).flatMap(([rate, all]) => all.flatMap((times, i) => {
		if (times === null)
			return [];
		const [p50, p90 = p50 * 1.05, p99 = p50 * 1.1] = [times].flat();
		return result(network, TRANSPORTS[i], 'net-latency', { rate: Number(rate), payload: 64 },
			{ latency_p50_us: p50 * 1000, latency_p90_us: p90 * 1000, latency_p99_us: p99 * 1000 });
	}));
}
