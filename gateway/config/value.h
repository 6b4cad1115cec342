/* Config values: the text of one option into what it means.
 * Owner: results are the caller's. Thread: any. Errors: SL_EINVAL not of the form,
 * SL_ETOOBIG outside min..max (below counts too), SL_ENOMEM. */
#ifndef SL_CONFIG_VALUE_H
#define SL_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

struct sl_buffer;
struct sl_origin;

/* Whose pages an origin may be of. */
enum sl_origin_schemes {
	SL_ORIGIN_WEB, /* http and https */
	SL_ORIGIN_APP, /* any but those that have no origin of their own: file, data, blob, ... */
};

/* Decimal digits only. */
int sl_config_value_count(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/* Digits, then nothing, K, M or G (powers of 1024, either case). */
int sl_config_value_size(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/* Seconds with at most three decimals that count, into milliseconds. */
int sl_config_value_duration(const char *text, uint64_t min_ms, uint64_t max_ms, uint64_t *out_ms);

/* 1 to 32 of a-z, A-Z, 0-9, _ and -: what may stand in the name of a stream of NATS and in a subject. */
bool sl_config_value_is_name(const char *text);

/* "64K" for 65536. */
void sl_config_value_append_size(struct sl_buffer *out, uint64_t bytes);

/* Segments of unreserved characters (RFC 3986, section 2.3), none of them "." or "..";
 * a '/' is put at either end where it lacks. Replaces `*path`, which is freed. */
int sl_config_value_base_path(const char *text, char **path);

/* scheme://host[:port] with nothing behind, such that it equals what a browser sends (RFC
 * 6454, section 6.2): the scheme in lower case; of http and https the host too, and without
 * their default port. The host of an app is as it was written, and may be empty. */
int sl_config_value_origin(const char *text, enum sl_origin_schemes schemes,
	struct sl_origin *out);

#endif
