#include "bus/nats_headers.h"

#define OPENING "NATS/1.0"
#define CLOSING "\r\n\r\n"
#define LEN(literal) (sizeof(literal) - 1)

/* The payload lies no further behind its reply, or they are not of one piece. */
#define BLOCK_MAX (64 << 10)

struct sl_span
sl_nats_headers_between(const char *reply, const char *payload)
{
	const char *block = reply + strlen(reply) + 1;
	uintptr_t distance = (uintptr_t)payload - (uintptr_t)block;
	if ((uintptr_t)payload <= (uintptr_t)block || distance > BLOCK_MAX ||
			distance < LEN(OPENING CLOSING) + 1)
		return (struct sl_span){ NULL, 0 };
	struct sl_span found = { block, distance - 1 };
	const char *closing = block + found.len - LEN(CLOSING);
	bool is_block = memcmp(block, OPENING, LEN(OPENING)) == 0 &&
		memcmp(closing, CLOSING, LEN(CLOSING)) == 0 && block[found.len] == '\0';
	return is_block ? found : (struct sl_span){ NULL, 0 };
}

struct sl_span
sl_nats_headers_get(struct sl_span block, const char *name)
{
	size_t name_len = strlen(name);
	const char *end = block.bytes + block.len;
	const char *line = memchr(block.bytes, '\n', block.len); /* the first one has a status at most */
	while (line && ++line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		const char *stop = next ? next : end;
		size_t len = (size_t)(stop - line);
		if (len > name_len && line[name_len] == ':' && memcmp(line, name, name_len) == 0) {
			if (stop[-1] == '\r')
				stop--;
			return sl_span_trim(line + name_len + 1, stop);
		}
		line = next;
	}
	return (struct sl_span){ NULL, 0 };
}
