// The panels beside the lanes: many gateways, the wire, try it and its clients, break it.
import { Break } from './break/break.js';
import { Clients } from './clients/clients.js';
import { Cluster } from './cluster/cluster.js';
import { Diagnose } from './diagnose/diagnose.js';
import { Chat } from './try/chat.js';
import { Load } from './try/load.js';
import { Tokens } from './try/tokens.js';
import { Wire } from './wire/wire.js';

/** @param {import('./page.js').Page} page */
export function start(page) {
	if (page.isCluster)
		new Cluster(page);
	new Wire(page);
	new Chat(page);
	const tokens = new Tokens(page);
	new Load(page, tokens);
	new Clients(page);
	new Break(page);
	new Diagnose(page);
}
