/* Assembly: a packet whose attachments have not all come yet: its text, and the binary messages that have followed it.
 * Owner: whoever creates it. Thread: the shard's. Errors: SL_ETOOBIG, SL_ENOMEM.
 *
 * Most clients never send one, so it is made for a packet and freed with it. */
#ifndef SL_SOCKET_IO_SIO_ASSEMBLY_H
#define SL_SOCKET_IO_SIO_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>

#include "clients/socket_io/sio_packet.h"

struct sl_sio_assembly;

/* Returns new, NULL without memory, for the packet whose text this is, which is copied. It waits for `wanted`
 * attachments, 1 to SL_SIO_ATTACHMENTS_MAX. */
struct sl_sio_assembly *sl_sio_assembly_create(struct sl_span text, unsigned wanted);
/* NULL is allowed. */
void sl_sio_assembly_destroy(struct sl_sio_assembly *assembly);

/* Copies the next attachment. Text and attachments may have `max` bytes in all. Errors: SL_ETOOBIG, SL_ENOMEM. */
int sl_sio_assembly_add(struct sl_sio_assembly *assembly, const char *bytes, size_t len, size_t max);

bool sl_sio_assembly_is_complete(const struct sl_sio_assembly *assembly);

struct sl_span sl_sio_assembly_get_text(const struct sl_sio_assembly *assembly);

/* Borrowed, until the next one is added; returns how many there are. */
unsigned sl_sio_assembly_get_attachments(const struct sl_sio_assembly *assembly,
	struct sl_span out[SL_SIO_ATTACHMENTS_MAX]);

#endif
