// Delivers the messages of `channels` to handleMessage, through a native EventSource with a new ticket for
// each connection. Fails when the gateway rejects the token.
export async function listen(gateway, channels, getToken, handleMessage, lastEventId = '') {
	for (;;) {
		const ticket = await buyTicket(gateway, getToken);
		const query = new URLSearchParams({ channels, lastEventId, ticket });
		const source = new EventSource(`${gateway}sse?${query}`);
		const note = (event) => { lastEventId = event.lastEventId || lastEventId; };
		for (const type of ['message', 'open', 'heartbeat', 'gap']) // each id is a cursor
			source.addEventListener(type, note);
		source.addEventListener('message', ({ data }) => handleMessage(JSON.parse(data)));
		const wait = await new Promise((done) => {
			source.addEventListener('bye', ({ data }) => done(JSON.parse(data).retry));
			source.addEventListener('error', () => done(1000));
		});
		source.close(); // else it would reconnect with the old ticket
		await new Promise((done) => setTimeout(done, wait));
	}
}

async function buyTicket(gateway, getToken) {
	const headers = { Authorization: `Bearer ${await getToken()}` };
	const answer = await fetch(`${gateway}ticket`, { method: 'POST', headers });
	const { ticket, error } = await answer.json();
	if (!ticket)
		throw new Error(`${error.code}: ${error.message}`);
	return ticket;
}
