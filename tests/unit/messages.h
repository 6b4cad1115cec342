/* Messages made by hand, stamped, for tests of what comes after the bus.
 * Owner: the test holds the first reference. Thread: main. Errors: abort. */
#ifndef SL_TESTS_MESSAGES_H
#define SL_TESTS_MESSAGES_H

#include <stdlib.h>
#include <string.h>

#include "bus/message.h"

#define MESSAGE_EPOCH 0x9f3a1c07u
#define MESSAGE_TIME_US 1790000000000000

static inline struct sl_message *
make_message_of(uint64_t seq, const char *channel, enum sl_payload_type type,
	const char *payload, size_t len)
{
	struct sl_message *message;
	if (sl_message_create(&message, channel, strlen(channel), type, payload, len) != 0)
		abort();
	sl_message_stamp(message, (struct sl_cursor){ MESSAGE_EPOCH, seq }, MESSAGE_TIME_US);
	return message;
}

static inline struct sl_message *
make_message(uint64_t seq, const char *channel, const char *text)
{
	return make_message_of(seq, channel, SL_TEXT, text, strlen(text));
}

static inline void
drop_messages(struct sl_message **messages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sl_message_unref(messages[i]);
}

#endif
