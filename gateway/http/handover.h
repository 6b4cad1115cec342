/* Handover: taking a socket from libmicrohttpd once a request is parsed and allowed.
 * Owner: moves the socket from the front to a connection. Thread: the shard's; the
 * self-test main's. Errors: as each call says.
 *
 * The connection's descriptor is duplicated and the handler returns MHD_NO: libmicrohttpd
 * then frees its 5 KB and closes its own descriptor, ours lives. It skips shutdown() on
 * closing only with MHD_USE_TURBO (MHD_connection_mark_closed_, 0.9.75 to 1.0.1). That is
 * behaviour, not promise: so it stands in this file alone, and a self-test at start refuses
 * to serve where it does not hold. */
#ifndef SL_HTTP_HANDOVER_H
#define SL_HTTP_HANDOVER_H

struct sl_exchange;
struct sl_transport;

/* What every daemon of ours must be started with. */
unsigned sl_handover_get_daemon_flags(void);

/* Hands one socket over for a try. Errors: SL_EIO, it did not survive or there is no
 * memory or descriptor for the test. */
int sl_handover_self_test(void);

/* The same with a daemon of other flags, so that the check itself can be checked. */
int sl_handover_try(unsigned daemon_flags);

/* In the handler's final call: the exchange's socket becomes a connection of `transport`.
 * Whether every byte that came belongs to a request that has been parsed is known by now:
 * if not, the connection cannot be kept after its answer. 0: the handler returns MHD_NO.
 * An error: the socket is still libmicrohttpd's, and `reply` says why but for SL_EAGAIN
 * (a transport that is SL_ONLY_KEPT). */
int sl_handover_take(struct sl_exchange *exchange, const struct sl_transport *transport);

#endif
