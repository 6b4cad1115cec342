/* Memory: the channels of namespaces that joined or left some after CONNECT, which their pids do not say; as long as
 * their client is there, and two minutes longer, so that it is recovered wherever in this process it comes back.
 * Owner: the app. All shards share it, under a lock of its own (law 1), which is held for look-ups and copies only.
 * Thread: any. Errors: none: what is not kept is not recovered.
 *
 * It is bounded in entries and bytes. A full one forgets the oldest entry of the owner that has most. */
#ifndef SL_SOCKET_IO_SIO_MEMORY_H
#define SL_SOCKET_IO_SIO_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "clients/socket_io/sio_recovery.h"

#define SL_SIO_MEMORY_MS 120000u     /* after its client has gone; as long as the reference keeps a session */
#define SL_SIO_MEMORY_ENTRIES 65536u
#define SL_SIO_MEMORY_BYTES 33554432u

struct sl_secret;
struct sl_sio_memory;

struct sl_sio_kept_channel {
	struct sl_span name;
	uint64_t after; /* the number from which on it has messages */
	uint64_t floor; /* the same for a client that has seen the last change */
};

/* What a namespace has. */
struct sl_sio_kept {
	unsigned stars; /* of its events' offsets, after the last change */
	uint32_t epoch; /* of the numbers */
	unsigned count;
	struct sl_sio_kept_channel channels[SL_CHANNELS_MAX];
};

/* Signs with a key of this secret. Errors: SL_ENOMEM, SL_EIO. */
int sl_sio_memory_create(struct sl_sio_memory **out, const struct sl_secret *secret);
/* The same from now on; that of another secret counts no more. NULL is allowed. */
void sl_sio_memory_set_secret(struct sl_sio_memory *memory, const struct sl_secret *secret);
/* NULL is allowed. */
void sl_sio_memory_destroy(struct sl_sio_memory *memory);

/* The key that pids are signed with. */
void sl_sio_memory_get_key(struct sl_sio_memory *memory, uint8_t out[SL_SIO_KEY_LEN]);

/* SL_SIO_TAG_LEN bytes, drawn once: whose stars these are. */
const char *sl_sio_memory_get_tag(const struct sl_sio_memory *memory);

/* Keeps a copy, in the place of what was kept for the id. `owner` is whose it is (sl_owner_get_id); `is_joining`: its
 * client is another one's than before, or the first. Returns how many others were forgotten for it. */
unsigned sl_sio_memory_keep(struct sl_sio_memory *memory, const char id[SL_SIO_ID_LEN], const struct sl_sio_kept *kept,
	uint64_t owner, bool is_joining);

/* Fills `*out`; its names stand in `space`, which is cleared. False: nothing is known. `joins`: a client is there for
 * it from now on. */
bool sl_sio_memory_find(struct sl_sio_memory *memory, const char id[SL_SIO_ID_LEN], struct sl_sio_kept *out,
	struct sl_buffer *space, bool joins, uint64_t now_ms);

/* A client that was there for it has gone. */
void sl_sio_memory_leave(struct sl_sio_memory *memory, const char id[SL_SIO_ID_LEN], uint64_t now_ms);

/* It will not come back. */
void sl_sio_memory_forget(struct sl_sio_memory *memory, const char id[SL_SIO_ID_LEN]);

unsigned sl_sio_memory_count(struct sl_sio_memory *memory);

#endif
