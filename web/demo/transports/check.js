/** Passes a 200 on; throws anything else, with the milliseconds that Retry-After asks for.
 * @param {Response} response */
export async function check(response) {
	if (response.ok)
		return response;
	const seconds = Number(response.headers.get('Retry-After'));
	await response.body?.cancel();
	throw Object.assign(new Error(`status ${response.status}`), { retry: seconds * 1000 || undefined });
}
