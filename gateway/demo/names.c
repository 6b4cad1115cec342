#include "demo/names.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "util/buffer.h"

#define KEPT_MS 60000

struct sl_name {
	char text[SL_NAME_MAX + 1];
	unsigned refs;          /* of connections */
	unsigned blocked;       /* bits of classes */
	uint64_t used_ms;
	struct sl_trace *trace; /* owns; NULL once dropped from the table */
};

struct sl_names {
	pthread_mutex_t lock;
	struct sl_name *list[SL_NAMES_MAX];
	unsigned count;
};

bool
sl_name_valid(struct sl_span name)
{
	if (name.len < SL_NAME_MIN || name.len > SL_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.bytes[i];
		if (!isalnum((unsigned char)c) && c != '_' && c != '-')
			return false;
	}
	return true;
}

bool
sl_name_equals(const struct sl_name *name, struct sl_span text)
{
	return sl_span_equals(text, name->text);
}

struct sl_names *
sl_names_create(void)
{
	struct sl_names *names = calloc(1, sizeof *names);
	if (names)
		pthread_mutex_init(&names->lock, NULL);
	return names;
}

/* ---- the table, under its lock ---- */

/* A connection may still refer to it: the little that is left then goes with that. */
static void
drop(struct sl_names *names, unsigned at)
{
	struct sl_name *name = names->list[at];
	names->list[at] = names->list[--names->count];
	free(name->trace);
	name->trace = NULL;
	if (name->refs == 0)
		free(name);
}

static void
drop_unused(struct sl_names *names, uint64_t now_ms)
{
	for (unsigned i = names->count; i-- > 0;)
		if (names->list[i]->refs == 0 && names->list[i]->used_ms + KEPT_MS < now_ms)
			drop(names, i);
}

static void
drop_longest_unused(struct sl_names *names)
{
	unsigned oldest = 0;
	for (unsigned i = 1; i < names->count; i++)
		if (names->list[i]->used_ms < names->list[oldest]->used_ms)
			oldest = i;
	drop(names, oldest);
}

static struct sl_name *
find(struct sl_names *names, struct sl_span text, uint64_t now_ms)
{
	drop_unused(names, now_ms);
	for (unsigned i = 0; i < names->count; i++)
		if (sl_name_equals(names->list[i], text))
			return names->list[i];
	return NULL;
}

static struct sl_name *
add(struct sl_names *names, struct sl_span text, unsigned *dropped)
{
	struct sl_name *name = calloc(1, sizeof *name);
	struct sl_trace *trace = malloc(sizeof *trace);
	if (!name || !trace) {
		free(name);
		free(trace);
		return NULL;
	}
	if (names->count == SL_NAMES_MAX) {
		drop_longest_unused(names);
		++*dropped;
	}
	memcpy(name->text, text.bytes, text.len);
	sl_trace_init(trace);
	name->trace = trace;
	names->list[names->count++] = name;
	return name;
}

/* Shards read their clocks at different times. */
static void
use(struct sl_name *name, uint64_t now_ms)
{
	if (now_ms > name->used_ms)
		name->used_ms = now_ms;
}

/* ---- calls ---- */

void
sl_names_destroy(struct sl_names *names)
{
	if (!names)
		return;
	while (names->count)
		drop(names, 0);
	pthread_mutex_destroy(&names->lock);
	free(names);
}

struct sl_name *
sl_names_get(struct sl_names *names, struct sl_span text, uint64_t now_ms, unsigned *dropped)
{
	pthread_mutex_lock(&names->lock);
	struct sl_name *name = find(names, text, now_ms);
	if (!name)
		name = add(names, text, dropped);
	if (name) {
		use(name, now_ms);
		name->refs++;
	}
	pthread_mutex_unlock(&names->lock);
	return name;
}

void
sl_names_unref(struct sl_names *names, struct sl_name *name, uint64_t now_ms)
{
	pthread_mutex_lock(&names->lock);
	use(name, now_ms);
	if (--name->refs == 0 && !name->trace)
		free(name);
	pthread_mutex_unlock(&names->lock);
}

bool
sl_names_has_dropped(struct sl_names *names, const struct sl_name *name)
{
	pthread_mutex_lock(&names->lock);
	bool dropped = !name->trace;
	pthread_mutex_unlock(&names->lock);
	return dropped;
}

unsigned
sl_names_note(struct sl_names *names, struct sl_name *name, uint64_t now_ms,
	struct sl_trace_event *event, const char *captured)
{
	unsigned dropped = 0;
	pthread_mutex_lock(&names->lock);
	use(name, now_ms);
	if (name->trace)
		dropped = sl_trace_add(name->trace, event, captured);
	pthread_mutex_unlock(&names->lock);
	return dropped;
}

void
sl_names_block(struct sl_names *names, struct sl_name *name, unsigned classes)
{
	pthread_mutex_lock(&names->lock);
	name->blocked = classes;
	pthread_mutex_unlock(&names->lock);
}

bool
sl_names_is_blocked(struct sl_names *names, struct sl_span text, enum sl_class class_)
{
	bool blocked = false;
	pthread_mutex_lock(&names->lock);
	for (unsigned i = 0; i < names->count; i++)
		if (sl_name_equals(names->list[i], text))
			blocked = names->list[i]->blocked & 1u << class_;
	pthread_mutex_unlock(&names->lock);
	return blocked;
}

void
sl_names_append_classes(struct sl_buffer *out, unsigned classes)
{
	const char *comma = "";
	sl_buffer_append_char(out, '[');
	for (int i = 0; i < SL_CLASS_COUNT; i++) {
		if (!(classes & 1u << i))
			continue;
		sl_buffer_printf(out, "%s\"%s\"", comma, sl_class_name((enum sl_class)i));
		comma = ",";
	}
	sl_buffer_append_char(out, ']');
}

void
sl_names_append(struct sl_names *names, struct sl_buffer *out, struct sl_span text,
	uint64_t after, bool shows_bytes, uint64_t now_ms)
{
	pthread_mutex_lock(&names->lock);
	struct sl_name *name = find(names, text, now_ms);
	if (name) {
		use(name, now_ms);
		sl_buffer_append_char(out, '{');
		sl_trace_append_counts(out, name->trace);
		sl_buffer_append_str(out, ",\"blocked\":");
		sl_names_append_classes(out, name->blocked);
		sl_buffer_append_char(out, ',');
		sl_trace_append_events(out, name->trace, after, shows_bytes);
		sl_buffer_append_char(out, '}');
	} else {
		sl_buffer_append_str(out, "{\"connections\":0,\"requests\":0,"
			"\"received\":{\"heads\":0,\"bodies\":0},\"sent\":{\"heads\":0,\"bodies\":0},"
			"\"blocked\":[],\"next\":0,\"dropped\":0,\"events\":[]}");
	}
	pthread_mutex_unlock(&names->lock);
}
