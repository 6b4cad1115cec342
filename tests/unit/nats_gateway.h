/* A bus on NATS, as a gateway has it, on the server of nats_place.h.
 * Owner: the caller's struct. Thread: main. Errors: abort, or a failed assertion. */
#ifndef SL_TESTS_NATS_GATEWAY_H
#define SL_TESTS_NATS_GATEWAY_H

#include "bus/backend.h"
#include "bus/message.h"
#include "bus/nats_backend.h"
#include "tests/unit/nats_place.h"

struct nats_gateway {
	struct sl_config config;
	struct sl_bus *bus; /* NULL: it did not start */
	struct sl_mailbox mailbox;
};

/* Returns what the start did. */
static inline int
nats_gateway_open(struct nats_gateway *gateway, const char *const *options)
{
	const struct sl_bus_config limits = { .history_messages = 1000, .history_bytes = 1 << 20,
		.history_age_ms = 300000, .history_total_bytes = 1 << 24, .channels_max = 1000 };
	struct sl_backend *backend;
	place_configure(&gateway->config, options);
	gateway->bus = NULL;
	int err = sl_nats_backend_create(&backend, &gateway->config);
	if (err == 0)
		err = sl_bus_create(&gateway->bus, &limits, backend);
	if (err != 0)
		return err;
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&gateway->mailbox, 1024), 0);
	sl_bus_attach(gateway->bus, 0, &gateway->mailbox, NULL);
	return 0;
}

static inline void
nats_gateway_close(struct nats_gateway *gateway)
{
	if (gateway->bus) {
		sl_bus_detach(gateway->bus, 0);
		sl_bus_destroy(gateway->bus);
		sl_mailbox_finish(&gateway->mailbox);
	}
	sl_config_finish(&gateway->config);
}

struct nats_shot {
	struct sl_publish publish; /* first */
	bool is_done;
};

static inline void
nats_shot_done(struct sl_publish *publish)
{
	((struct nats_shot *)publish)->is_done = true;
}

/* Publishes and waits for the answer. Returns the error; `*id` is the message's. */
static inline int
nats_gateway_publish(struct nats_gateway *gateway, const char *text, struct sl_cursor *id)
{
	struct nats_shot shot = { .publish.on_done = nats_shot_done };
	struct sl_message *message;
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&message, "channel", 7, SL_TEXT, text, strlen(text)), 0);
	int err = sl_bus_publish(gateway->bus, 0, message, NULL, 0, &shot.publish, id);
	if (err != SL_PENDING)
		return err;
	place_await((sl_mailbox_run_tasks(&gateway->mailbox), shot.is_done));
	*id = shot.publish.id;
	return shot.publish.err;
}

#endif
