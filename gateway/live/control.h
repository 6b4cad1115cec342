/* Control objects: the gateway's own announcements between messages (PROTOCOL.md).
 * Owner: nobody; each call builds one object and queues it for the subscriber in its format. Thread: the
 * shard's. Errors: none; a subscriber without memory has its link closed. */
#ifndef SL_LIVE_CONTROL_H
#define SL_LIVE_CONTROL_H

#include "live/subscriber.h"

struct sl_buffer;
struct sl_config;

/* Puts `head` in front of the object. */
void sl_control_send_open(struct sl_subscriber *subscriber, const struct sl_buffer *head);
void sl_control_send_heartbeat(struct sl_subscriber *subscriber);
void sl_control_send_mark(struct sl_subscriber *subscriber);
void sl_control_send_gap(struct sl_subscriber *subscriber, const struct sl_gap *gap);
void sl_control_send_backend(struct sl_subscriber *subscriber, bool is_away);
void sl_control_send_bye(struct sl_subscriber *subscriber, enum sl_end_reason reason);

/* Queues an answer to an object of the client: SL_CONTROL_ANSWER or SL_CONTROL_STATE. `object` is one JSON
 * object; a buffer that failed closes the link. */
void sl_control_send_answer(struct sl_subscriber *subscriber, enum sl_control_type type,
	const char *name, const struct sl_buffer *object);

/* Appends the cursor in the form for clients: EPOCH-NUMBER. */
void sl_control_append_cursor(struct sl_buffer *out, struct sl_cursor cursor);
/* The gap object, also for the answers of polls. */
void sl_control_append_gap(struct sl_buffer *out, const struct sl_gap *gap);
/* Value of the header Sluice-Gap: `after=CURSOR resumed=CURSOR`. */
void sl_control_append_gap_header(struct sl_buffer *out, const struct sl_gap *gap);

/* The bye object with its retry, for a transport that composes its own refusal. */
void sl_control_append_bye(struct sl_buffer *out, const char *reason, unsigned retry_ms,
	uint64_t sent);

/* Append members behind other members of an object. `,"sent":N` counts the messages and gaps queued for the
 * subscriber. `,"limits":{..}` lists the limits of a client's requests. */
void sl_control_append_sent(struct sl_buffer *out, const struct sl_subscriber *subscriber);
void sl_control_append_limits(struct sl_buffer *out, const struct sl_config *config);

/* "draining", "slow_consumer", ... */
const char *sl_control_get_reason(enum sl_end_reason reason);

/* Returns the milliseconds until a client may come back: random, so that not all clients come at once. */
unsigned sl_control_draw_retry_ms(enum sl_end_reason reason);

#endif
