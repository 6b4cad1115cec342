// A stream of Node's as one of the web's. Readable.toWeb() does the same, but that of Node 18
// throws, where nobody can catch it, when a connection ends after its reader has left.

/** @param {import('node:stream').Readable} stream
 * @returns {ReadableStream<Uint8Array>} */
export function toWeb(stream) {
	let over = false;
	return new ReadableStream({
		start(controller) {
			const end = (/** @type {() => void} */ how) => {
				if (over)
					return;
				over = true;
				how();
			};
			stream.on('data', (chunk) => {
				if (over)
					return;
				controller.enqueue(new Uint8Array(chunk));
				if ((controller.desiredSize ?? 0) <= 0)
					stream.pause();
			});
			stream.on('end', () => end(() => controller.close()));
			stream.on('error', (error) => end(() => controller.error(error)));
			stream.on('close', () => end(() => controller.error(new Error('the connection was closed'))));
		},
		pull() {
			stream.resume();
		},
		cancel() {
			over = true;
			stream.destroy();
		},
	});
}
