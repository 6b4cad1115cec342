#include "demo/blocks.h"

#include <stdlib.h>

#include "demo/names.h"
#include "demo/tap.h"
#include "http/http.h"
#include "http/reply.h"
#include "live/link.h"
#include "live/shard.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/json_members.h"

static int
parse_class(struct sl_span string, unsigned *classes)
{
	for (int i = 0; i < SL_CLASS_NATIVE_COUNT; i++) {
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
	struct sl_json_members elements;
	struct sl_json_member element;
	*classes = 0;
	if (sl_json_check(json.bytes, json.len, SL_JSON_DEPTH_MAX) != 0 ||
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
	struct sl_link *next;
	for (struct sl_link *link = cutting->shard->links; link; link = next) {
		next = link->next;
		if (!(cutting->classes & 1u << link->class) || !sl_tap_is_of(&link->socket, name))
			continue;
		sl_metrics_add(&cutting->shard->metrics, SL_COUNTER_DEMO_CUT, 1);
		sl_link_abort(link);
	}
	free(cutting);
}

void
sl_blocks_cut(const struct sl_http *http, struct sl_span name, unsigned classes)
{
	for (unsigned i = 0; classes && i < http->shard_count; i++) {
		struct cutting *cutting = calloc(1, sizeof *cutting);
		if (!cutting)
			return; /* what runs goes on; what is new is refused */
		cutting->task.run = cut;
		cutting->shard = http->shards[i];
		cutting->classes = classes;
		cutting->name_len = name.len;
		memcpy(cutting->name, name.bytes, name.len);
		sl_mailbox_post(&http->shards[i]->mailbox, &cutting->task);
	}
}

void
sl_blocks_set_reply(struct sl_reply *reply)
{
	reply->head = (struct sl_response){
		.status = 403,
		.content_type = "text/html",
		.closes = true,
		.is_foreign = true, /* and knows nothing of CORS */
	};
	sl_buffer_append_str(&reply->body, "<html><head><title>403 Forbidden</title></head>\n"
		"<body><h1>403 Forbidden</h1><p>Blocked by policy.</p></body></html>\n");
}
