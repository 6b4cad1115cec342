#include "http/exchange.h"

#include <microhttpd.h>
#include <strings.h>

const char *
sl_exchange_get_header(const struct sl_exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->mhd, MHD_HEADER_KIND, name);
}

size_t
sl_exchange_get_head_len(const struct sl_exchange *exchange)
{
	const union MHD_ConnectionInfo *size = MHD_get_connection_info(exchange->mhd,
		MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	return size ? size->header_size : 0;
}

struct counting {
	const char *name;
	unsigned count;
};

static enum MHD_Result
count_name(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct counting *counting = arg;
	(void)kind, (void)value;
	counting->count += strcasecmp(name, counting->name) == 0;
	return MHD_YES;
}

unsigned
sl_exchange_count_header(const struct sl_exchange *exchange, const char *name)
{
	struct counting counting = { .name = name };
	MHD_get_connection_values(exchange->mhd, MHD_HEADER_KIND, count_name, &counting);
	return counting.count;
}

struct telling {
	void (*take)(void *arg, const char *name, const char *value);
	void *arg;
};

static enum MHD_Result
tell_line(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	const struct telling *telling = arg;
	(void)kind;
	telling->take(telling->arg, name, value);
	return MHD_YES;
}

void
sl_exchange_each_header(const struct sl_exchange *exchange,
	void (*take)(void *arg, const char *name, const char *value), void *arg)
{
	struct telling telling = { take, arg };
	MHD_get_connection_values(exchange->mhd, MHD_HEADER_KIND, tell_line, &telling);
}
