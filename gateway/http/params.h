/* Params: the query string of the delivery requests, and of publish and probe (PROTOCOL.md, parameters).
 * Owner: the struct is the caller's; its spans borrow the query, which is decoded in place. Thread: one at a
 * time. Errors: SL_EINVAL, with a code and a sentence for the client. */
#ifndef SL_HTTP_PARAMS_H
#define SL_HTTP_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "live/join.h"
#include "util/span.h"

#define SL_PARAMS_OWN_MAX 8

enum sl_format { SL_FORMAT_JSON, SL_FORMAT_RAW };

struct sl_params {
	struct sl_join join;     /* of a delivery request */
	enum sl_format format;
	int wait_s;              /* -1: absent */
	struct sl_span channel;  /* publish's: a legal name, which is one of the join's channels too */
	bool repeats_channel;    /* channel= is there more than once */
	bool uncompressed;       /* publish's: compress=0 */
	struct sl_span event, args; /* publish's, judged there */
	struct sl_span n;        /* a poll's, to be echoed; an illegal one counts as absent */
	struct sl_span last_event_id; /* replaces the header; any text */
	struct sl_span probe, nonce;
	struct sl_span token, ticket; /* credentials (http/credentials.h) */
	struct sl_span demo, of, show, name; /* of the demo, judged there */
	struct sl_span own[SL_PARAMS_OWN_MAX]; /* by the rules' `own`, in its order; any text */
};

/* How a path's query is read. */
struct sl_params_rules {
	unsigned max_channels;   /* 1..SL_CHANNELS_MAX */
	bool bears_others;       /* its clients send any names that their users like. Of the names below only channels,
	                          * channel, token, ticket and demo count; the values of others are ignored */
	const char *const *own;  /* names of the path's own, at most SL_PARAMS_OWN_MAX; ends in NULL; or NULL */
};

struct sl_params_error {
	const char *code; /* static */
	char message[160];
};

/* Reads `query` (the part behind the '?') and decodes its percent escapes in place; '+' stands for itself.
 * Ignores unknown names. Takes at most `max_channels` (1..SL_CHANNELS_MAX) channels: those of channels=, which
 * is split at commas after decoding, and of each channel=, which has one name. Errors: SL_EINVAL and `*error`
 * filled: bad_query, bad_parameter, bad_channel, too_many_channels, bad_cursor, bad_format, bad_heartbeat,
 * bad_wait, bad_verify, bad_probe, bad_request (compress). */
int sl_params_parse(struct sl_params *out, char *query, size_t len, unsigned max_channels,
	struct sl_params_error *error);

/* The same by other rules. Each own name may be there once. */
int sl_params_parse_by(struct sl_params *out, char *query, size_t len,
	const struct sl_params_rules *rules, struct sl_params_error *error);

/* SSE: the header Last-Event-ID replaces the query's `last_event_id`, and either replaces since=. A value that
 * is no cursor counts as one of another epoch, an empty value as absent. */
void sl_params_set_last_event_id(struct sl_params *params, struct sl_span header);

/* For requests that deliver: at least one channel, exactly one in raw format. Errors:
 * SL_EINVAL with no_channels or raw_one_channel. */
int sl_params_require_channels(const struct sl_params *params, struct sl_params_error *error);

/* For requests that publish: channel= at most once. Errors: SL_EINVAL with bad_parameter. */
int sl_params_require_one_channel(const struct sl_params *params, struct sl_params_error *error);

#endif
