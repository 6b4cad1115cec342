#include "clients/socket_io/sio_assembly.h"

#include <stdlib.h>

#include "util/buffer.h"
#include "util/err.h"

struct sl_sio_assembly {
	struct sl_buffer bytes; /* the text, then the attachments */
	size_t text_len;
	size_t ends[SL_SIO_ATTACHMENTS_MAX]; /* offsets in `bytes`, each just behind an attachment */
	unsigned wanted, count;
};

struct sl_sio_assembly *
sl_sio_assembly_create(struct sl_span text, unsigned wanted)
{
	struct sl_sio_assembly *assembly = calloc(1, sizeof *assembly);
	if (!assembly)
		return NULL;
	sl_buffer_append(&assembly->bytes, text.bytes, text.len);
	assembly->text_len = text.len;
	assembly->wanted = wanted;
	if (sl_buffer_status(&assembly->bytes) == 0)
		return assembly;
	sl_sio_assembly_destroy(assembly);
	return NULL;
}

void
sl_sio_assembly_destroy(struct sl_sio_assembly *assembly)
{
	if (assembly)
		sl_buffer_finish(&assembly->bytes);
	free(assembly);
}

int
sl_sio_assembly_add(struct sl_sio_assembly *assembly, const char *bytes, size_t len, size_t max)
{
	if (len > max || assembly->bytes.len > max - len)
		return SL_ETOOBIG;
	int err = sl_buffer_reserve(&assembly->bytes, len);
	if (err != 0)
		return err;
	sl_buffer_append(&assembly->bytes, bytes, len);
	assembly->ends[assembly->count++] = assembly->bytes.len;
	return 0;
}

bool
sl_sio_assembly_is_complete(const struct sl_sio_assembly *assembly)
{
	return assembly->count == assembly->wanted;
}

struct sl_span
sl_sio_assembly_get_text(const struct sl_sio_assembly *assembly)
{
	return (struct sl_span){ assembly->bytes.bytes, assembly->text_len };
}

unsigned
sl_sio_assembly_get_attachments(const struct sl_sio_assembly *assembly,
	struct sl_span out[SL_SIO_ATTACHMENTS_MAX])
{
	size_t start = assembly->text_len;
	for (unsigned i = 0; i < assembly->count; i++) {
		out[i] = (struct sl_span){ assembly->bytes.bytes + start, assembly->ends[i] - start };
		start = assembly->ends[i];
	}
	return assembly->count;
}
