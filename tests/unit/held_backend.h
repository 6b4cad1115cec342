/* A backend that answers a publish when the test says so: without a thread, at no time of its own.
 * Owner: the bus it is given to. Thread: main. Errors: abort without memory. */
#ifndef SL_TESTS_HELD_BACKEND_H
#define SL_TESTS_HELD_BACKEND_H

#include <stdlib.h>

#include "bus/backend.h"
#include "bus/message.h"
#include "util/err.h"

/* The oldest is answered first. */
struct held_backend {
	struct sl_backend base; /* first */
	struct {
		struct sl_message *message; /* owns */
		struct sl_publish *pending;
	} held[8];
	unsigned count;
};

static inline int
held_start(struct sl_backend *backend)
{
	return sl_bus_draw_epoch(backend->bus);
}

static inline int
held_publish(struct sl_backend *backend, struct sl_message *message, const char *key,
	size_t key_len, struct sl_publish *pending, struct sl_cursor *id)
{
	struct held_backend *held = (struct held_backend *)backend;
	(void)key, (void)key_len, (void)id;
	if (held->count == sizeof held->held / sizeof *held->held) {
		sl_message_unref(message);
		return SL_EFULL;
	}
	held->held[held->count].message = message;
	held->held[held->count++].pending = pending;
	return SL_PENDING;
}

/* Answers the oldest as a log does from which the bus has not read it yet; returns it, to be appended. */
static inline struct sl_message *
held_acknowledge(struct held_backend *held)
{
	struct sl_message *message = held->held[0].message;
	struct sl_publish *pending = held->held[0].pending;
	struct sl_cursor id = sl_bus_head(held->base.bus);
	for (unsigned i = 1; i < held->count; i++)
		held->held[i - 1] = held->held[i];
	held->count--;
	id.seq++;
	sl_bus_complete(held->base.bus, pending, 0, id);
	return message;
}

/* Numbers and delivers it, unless `err` is one. */
static inline void
held_answer(struct held_backend *held, int err)
{
	struct sl_message *message = held->held[0].message;
	struct sl_publish *pending = held->held[0].pending;
	struct sl_cursor id = { 0 };
	for (unsigned i = 1; i < held->count; i++)
		held->held[i - 1] = held->held[i];
	held->count--;
	if (err == 0)
		id = sl_bus_append(held->base.bus, message, 0, -1);
	pending->receivers = message->receivers;
	sl_message_unref(message);
	sl_bus_complete(held->base.bus, pending, err, id);
}

static inline void
held_destroy(struct sl_backend *backend)
{
	struct held_backend *held = (struct held_backend *)backend;
	while (held->count)
		held_answer(held, SL_EDRAINING);
	free(held);
}

static inline struct held_backend *
held_create(void)
{
	static const struct sl_backend_ops ops = { .name = "held", .answers_later = true,
		.start = held_start, .destroy = held_destroy, .publish = held_publish };
	struct held_backend *held = calloc(1, sizeof *held);
	if (!held)
		abort();
	held->base.ops = &ops;
	return held;
}

#endif
