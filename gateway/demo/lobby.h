/* Lobby: where accepted sockets wait, under --demo, until the head of a request is there, so
 * that it can be seen as it came before libmicrohttpd reads it away.
 * Owner: the front. Thread: the shard's. Errors: SL_ENOMEM from create.
 *
 * Nothing is read here: bytes are peeked at, edge-triggered, so that a slow head does not
 * keep its shard busy. One that is not complete a second after its first byte goes on as it
 * is: its answers, limits and times are libmicrohttpd's and the front's. A socket that says
 * nothing is closed when libmicrohttpd would have closed it. */
#ifndef SL_DEMO_LOBBY_H
#define SL_DEMO_LOBBY_H

struct sl_lobby;
struct sl_shard;
struct sl_socket;

/* Returns new in `*out`. */
int sl_lobby_create(struct sl_lobby **out, struct sl_shard *shard);

/* Closes the sockets that wait. NULL is allowed. */
void sl_lobby_destroy(struct sl_lobby *lobby);

/* Takes `socket`; it goes on to sl_front_add(), at once or in a later turn. */
void sl_lobby_enter(struct sl_lobby *lobby, struct sl_socket *socket);

#endif
