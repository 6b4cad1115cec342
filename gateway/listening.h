/* Listening: opens everything that the gateway was told to listen at.
 * Owner: the caller's list, which sl_listener_finish closes one by one. Thread: main's, before
 * shards run. Errors: SL_EINVAL (not allowed), SL_EIO, SL_ENOMEM; each has been logged, and
 * the list holds what had been opened by then. */
#ifndef SL_LISTENING_H
#define SL_LISTENING_H

#include <stddef.h>

struct sl_config;
struct sl_listener;

/* Appends to an empty list: the sockets that systemd passed, where nothing else was given, or a
 * listener for each address of each --listen and --tls-listen; and one for each of --admin-listen. A place
 * that is listed twice, as 127.0.0.1 beside localhost, is listened at once. */
int sl_listening_open(struct sl_listener **listeners, size_t *count,
	const struct sl_config *config);

/* From now on clients can connect, who were refused until now; those of Unix sockets, and of what systemd passed, have
 * waited. */
int sl_listening_begin(const struct sl_listener *listeners, size_t count);

/* Prints a line for each on standard output. */
void sl_listening_announce(const struct sl_listener *listeners, size_t count, const char *base_path);

#endif
