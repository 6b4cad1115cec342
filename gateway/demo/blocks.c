#include "demo/blocks.h"

#include <stdlib.h>

#include "app.h"
#include "demo/names.h"
#include "demo/tap.h"
#include "http/reply.h"
#include "live/connection.h"
#include "shard.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/json_members.h"

static int
parse_class(struct sl_span string, unsigned *classes)
{
	for (int i = 0; i < SL_CLASS_HTTP; i++) {
		if (!sl_json_string_equals(string.bytes, string.len, sl_class_name((enum sl_class)i)))
			continue;
		*classes |= 1u << i;
		return 0;
	}
	return SL_EINVAL;
}

int
sl_blocks_parse(struct sl_span json, unsigned *classes)
{
	struct sl_json_check check;
	struct sl_json_members elements;
	struct sl_json_member element;
	*classes = 0;
	sl_json_check_init(&check, SL_JSON_DEPTH_MAX);
	if (sl_json_check_feed(&check, json.bytes, json.len) != 0 ||
			sl_json_check_finish(&check) != 0 ||
			sl_json_elements_open(&elements, json.bytes, json.len) != 0)
		return SL_EINVAL;
	while (sl_json_members_next(&elements, &element))
		if (element.kind != SL_JSON_STRING ||
				parse_class(sl_json_unquote(element.value), classes) != 0)
			return SL_EINVAL;
	return 0;
}

/* On its way to one shard. */
struct cutting {
	struct sl_task task; /* first: run gets it */
	struct sl_shard *shard;
	unsigned classes;
	size_t name_len;
	char name[SL_NAME_MAX];
};

static void
cut(struct sl_task *task)
{
	struct cutting *cutting = (struct cutting *)task;
	struct sl_span name = { cutting->name, cutting->name_len };
	struct sl_connection *next;
	for (struct sl_connection *c = cutting->shard->connections; c; c = next) {
		next = c->next;
		if (!(cutting->classes & 1u << c->transport->class) || !sl_tap_is_of(c->socket, name))
			continue;
		sl_metrics_add(&cutting->shard->metrics, SL_COUNTER_DEMO_CUT, 1);
		sl_socket_set_abort(c->socket);
		sl_connection_close(c);
	}
	free(cutting);
}

void
sl_blocks_cut(struct sl_app *app, struct sl_span name, unsigned classes)
{
	for (unsigned i = 0; classes && i < app->shard_count; i++) {
		struct cutting *cutting = calloc(1, sizeof *cutting);
		if (!cutting)
			return; /* what runs goes on; what is new is refused */
		cutting->task.run = cut;
		cutting->shard = &app->shards[i];
		cutting->classes = classes;
		cutting->name_len = name.len;
		memcpy(cutting->name, name.bytes, name.len);
		sl_mailbox_post(&app->shards[i].mailbox, &cutting->task);
	}
}

void
sl_blocks_set_reply(struct sl_reply *reply)
{
	reply->status = 403;
	reply->content_type = "text/html";
	reply->is_foreign = true;
	sl_reply_add_header(reply, "Connection", "close");
	sl_buffer_append_str(&reply->body, "<html><head><title>403 Forbidden</title></head>\n"
		"<body><h1>403 Forbidden</h1><p>Blocked by policy.</p></body></html>\n");
}
