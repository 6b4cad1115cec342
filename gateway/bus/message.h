/* Message: one published payload with its JSON object, encoded once.
 * Owner: counted references; the publisher holds the first. Thread: any; a stamped message never changes.
 * Errors: SL_ENOMEM, SL_EUTF8, SL_ESYNTAX, SL_ETOODEEP, SL_EINVAL from creating.
 *
 * The object (PROTOCOL.md, json format) is `{"id":"<epoch>-<seq>","channel":...,"event":...,"args":...,
 * "time":...,"data":...}`; most messages have neither event nor args. Number and time are unknown until the
 * backend has accepted the message. So the object is encoded with room for twenty digits before it, and stamped
 * in place. */
#ifndef SL_BUS_MESSAGE_H
#define SL_BUS_MESSAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/args.h"
#include "bus/cursor.h"
#include "util/span.h"

#define SL_CHANNEL_MAX 255 /* bytes of a channel's name */
#define SL_EVENT_MAX 128   /* bytes of an event's name */

enum sl_payload_type { SL_JSON, SL_TEXT, SL_BINARY };

struct sl_message {
	_Atomic uint32_t refs;
	enum sl_payload_type type : 8;
	enum sl_args args : 8; /* of the event */
	uint8_t event_len;
	bool uncompressed; /* no encoder may compress it */
	uint64_t seq;      /* 0 until stamped */
	uint64_t arrived_ms; /* CLOCK_MONOTONIC; set by sl_bus_deliver */
	uint64_t owner;    /* the publisher's owner, as full tables count (struct sl_publish); 0: nobody */
	uint32_t epoch;
	uint32_t receivers; /* subscribers of its channel in all shards; set by sl_bus_deliver */
	uint32_t payload_len, object_len;
	uint16_t channel_len, time_at; /* of the object's tail, in bytes; see message.c */
	const char *payload; /* the bytes as published; may point into the object */
	const char *object;  /* valid once stamped */
	const char *channel; /* NUL-terminated */
	const char *event;   /* the same, or NULL: it has none */
	/* the storage of all four follows */
};

/* True for a legal channel name: 1 to 255 bytes of UTF-8 without control characters (C0, DEL, C1) and without
 * '*'. A name that begins with '~' is that of a leased channel. A name may contain quotes, commas, backslashes
 * and blanks, so code that writes a name escapes it. */
bool sl_channel_name_valid(const char *name, size_t len);

/* What is wrong with a name that is not legal, as it follows its quotation: "has a *". */
const char *sl_channel_name_explain(const char *name, size_t len);

/* The form of a name, for messages. */
#define SL_EVENT_FORM "1 to 128 bytes of UTF-8 without control characters"
#define SL_CHANNEL_NAME_FORM "1 to 255 bytes of UTF-8 without control characters or *"

/* True for a legal name of an event: 1 to 128 bytes of UTF-8 without control characters. */
bool sl_event_name_valid(const char *name, size_t len);

/* True for the name of a leased channel (live/lease.h). `name` is legal. */
static inline bool
sl_channel_name_is_leased(const char *name)
{
	return name[0] == '~';
}

/* A payload to publish, as it came from a client. */
struct sl_payload {
	enum sl_payload_type type;
	const char *bytes;
	size_t len;
	unsigned depth_max; /* levels of arrays and objects that json may have at most */
	bool uncompressed;  /* it may never be compressed: it may hold a secret (THREATS.md) */
	struct sl_span event; /* absent: none */
	enum sl_args args;  /* with an event, and json, only */
};

/* Returns a new message with one reference in `*out`. `channel` is a legal name. A json payload must be one
 * JSON text (RFC 8259) and UTF-8, a text payload UTF-8. Line breaks between the tokens of a json payload become
 * spaces in the object (not in the payload). Errors: SL_ENOMEM, SL_EUTF8, SL_ESYNTAX, SL_ETOODEEP; SL_EINVAL,
 * the event's name is not legal, or the payload does not have the form of its args. */
int sl_message_create_from(struct sl_message **out, struct sl_span channel,
	const struct sl_payload *payload);

/* The same for a payload of the program itself, with the greatest depth allowed. */
int sl_message_create(struct sl_message **out, const char *channel, size_t channel_len,
	enum sl_payload_type type, const char *payload, size_t payload_len);

/* Gives the message its place in the order, and the time in its object: microseconds since the epoch, limited
 * to 1970 to 2286. Call it once, before other threads can see the message. It allocates nothing and does not
 * copy the payload, so it is fit to be called under a lock. */
void sl_message_stamp(struct sl_message *message, struct sl_cursor id, int64_t time_us);

struct sl_message *sl_message_ref(struct sl_message *message);

/* Drops a reference; NULL is allowed. */
void sl_message_unref(struct sl_message *message);

/* Bytes of memory that the message holds, for history's limits. */
size_t sl_message_bytes(const struct sl_message *message);

#endif
