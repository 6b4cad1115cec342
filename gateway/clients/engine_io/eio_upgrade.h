/* Upgrade: a socket moves from its polling session to a WebSocket, on whatever shard that is. What the session's shard
 * does for it is here; what the WebSocket's does is in eio_websocket.c.
 *
 *   WebSocket's shard                            session's shard
 *     upgrade request  ---- PROBE ------------>  one at a time
 *     `2probe`         ---- PROBED ----------->  a GET that is held gets `6`, further ones soon
 *     `5`              ---- TAKE ------------->  once no publish waits for its ack: all that the socket is
 *     closes before    ---- UNPROBE ---------->  polling counts as before
 *     closes after     ---- FORGET ----------->  the id is unknown
 *
 * Owner: visits own what is on its way (http/visit.h). Thread: as each call says. Errors: answers. */
#ifndef SL_CLIENTS_EIO_UPGRADE_H
#define SL_CLIENTS_EIO_UPGRADE_H

#include <stdbool.h>

struct sl_eio_session;
struct sl_eio_user;
struct sl_shard;
struct sl_visit;

enum sl_eio_upgrade_step { SL_EIO_PROBE, SL_EIO_PROBED, SL_EIO_TAKE, SL_EIO_UNPROBE, SL_EIO_FORGET };

/* The session's thread: a step arrives, for a socket of `user`. A PROBE's answer has status 101 where the
 * session is there, or was, and brings something where this WebSocket may probe; a TAKE's brings a struct sl_eio_moved,
 * or nothing where the session has ended. */
void sl_eio_upgrade_arrive(struct sl_visit *visit, struct sl_shard *shard, const struct sl_eio_user *user);

/* The same: looks again whether the socket may move. */
void sl_eio_upgrade_go_on(struct sl_eio_session *session);

/* The same: the session closes, or has no memory: the WebSocket that waits gets nothing. */
void sl_eio_upgrade_refuse(struct sl_eio_session *session);

/* The same: has the WebSocket's shard read what its client sent before now, and then calls
 * sl_eio_session_go_on(), unless a TAKE was there before. False without memory. */
bool sl_eio_upgrade_ask(struct sl_eio_session *session);

#endif
