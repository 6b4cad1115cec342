// Verdicts that several proxies share.

/** @typedef {Record<string, 'works' | 'degraded' | 'dead'>} Expected */

/** @type {Expected} */
export const live = { websocket: 'works', sse: 'works', stream: 'works', longpoll: 'works', poll: 'works' };
/** @type {Expected} */
export const stripped = { ...live, websocket: 'dead' };
/** @type {Expected} */
export const held = { ...live, sse: 'dead', stream: 'dead' };
/** @type {Expected} */
export const cut = { websocket: 'degraded', sse: 'degraded', stream: 'degraded', longpoll: 'degraded', poll: 'works' };
/** @type {Expected} */
export const dead = { websocket: 'dead', sse: 'dead', stream: 'dead', longpoll: 'dead', poll: 'dead' };
