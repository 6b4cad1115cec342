#include "http/respond.h"

#include <microhttpd.h>
#include <stdlib.h>

#include "http/connection.h"
#include "http/exchange.h"
#include "live/shard.h"
#include "util/err.h"

struct adding {
	struct MHD_Response *response;
	bool failed;
};

static void
add(void *arg, const char *name, const char *value)
{
	struct adding *adding = arg;
	if (value && MHD_add_response_header(adding->response, name, value) != MHD_YES)
		adding->failed = true;
}

static void
add_fields(struct adding *adding, const struct sl_response *head)
{
	add(adding, "Sluice", SLUICE_VERSION);
	add(adding, "Cache-Control", head->cache_control ? head->cache_control : "no-store");
	add(adding, "Content-Type", head->content_type);
	sl_cors_each(&head->cors, add, adding);
	for (unsigned i = 0; i < head->field_count; i++)
		add(adding, head->fields[i].name, head->fields[i].value.bytes); /* a reply's are terminated */
}

static struct MHD_Response *
create_response(struct sl_buffer *body, struct sl_span fixed)
{
	void *bytes;
	memcpy(&bytes, &fixed.bytes, sizeof bytes); /* not const there, though it is only read */
	if (fixed.bytes)
		return MHD_create_response_from_buffer(fixed.len, bytes, MHD_RESPMEM_PERSISTENT);
	return MHD_create_response_from_buffer_with_free_callback(body->len, body->bytes, free);
}

int
sl_respond(struct sl_exchange *exchange, struct MHD_Connection *mhd)
{
	struct sl_reply *reply = &exchange->reply;
	struct sl_buffer *body = &reply->body;
	if (sl_buffer_status(body) != 0)
		return SL_ENOMEM;
	if (exchange->connection)
		sl_connection_fill_response(exchange->connection, &reply->head);
	/* The body's bytes move to the response, which frees them. */
	struct adding adding = { .response = create_response(body, reply->fixed) };
	if (!adding.response)
		return SL_ENOMEM;
	sl_buffer_init(body);
	add_fields(&adding, &reply->head);
	int err = !adding.failed && MHD_queue_response(mhd, reply->head.status, adding.response) ==
		MHD_YES ? 0 : SL_EIO;
	MHD_destroy_response(adding.response);
	if (err == 0)
		sl_metrics_add(&exchange->shard->metrics, sl_counter_of_status(reply->head.status), 1);
	return err;
}
