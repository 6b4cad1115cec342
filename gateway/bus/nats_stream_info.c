#include "bus/nats_stream_info.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NOT_FOUND 10059 /* server/errors.json: JSStreamNotFoundErr */
#define GENERATION "generation="

uint64_t
sl_nats_stream_info_generation(const char *description)
{
	const char *at = description ? strstr(description, GENERATION) : NULL;
	uint64_t generation = 0;
	if (!at)
		return 0;
	at += strlen(GENERATION);
	struct sl_span digits = { at, strspn(at, "0123456789") };
	return sl_span_to_number(digits, UINT64_MAX, &generation) ? generation : 0;
}

/* Digits behind a point, as nanoseconds; moves `*text` behind them. */
static int64_t
read_fraction(const char **text)
{
	int64_t value = 0, scale = 100000000;
	if (**text != '.')
		return 0;
	for (++*text; isdigit((unsigned char)**text); ++*text, scale /= 10)
		value += (**text - '0') * scale;
	return value;
}

int64_t
sl_nats_stream_info_time(const char *text)
{
	struct tm tm = { 0 };
	int hours = 0, minutes = 0;
	const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!at)
		return 0;
	int64_t fraction = read_fraction(&at);
	char sign = *at;
	bool is_zoned = (sign == '+' || sign == '-') && sscanf(at + 1, "%2d:%2d", &hours, &minutes) == 2;
	if (!is_zoned && strcmp(at, "Z") != 0)
		return 0;
	int64_t seconds = timegm(&tm), offset = hours * 3600 + minutes * 60;
	return (seconds - (sign == '-' ? -offset : offset)) * 1000000000 + fraction;
}

static uint64_t
get_number(const json_t *object, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(object, name));
	return value > 0 ? (uint64_t)value : 0;
}

static bool
has_leader(const json_t *cluster)
{
	const char *leader = json_string_value(json_object_get(cluster, "leader"));
	return !cluster || (leader && *leader);
}

/* The stream's leader answers, and counts those that it hears from and itself. */
static bool
has_majority(const json_t *cluster)
{
	const json_t *replicas = json_object_get(cluster, "replicas");
	size_t count = json_array_size(replicas), present = 1;
	for (size_t i = 0; i < count; i++) {
		const json_t *replica = json_array_get(replicas, i);
		json_int_t silent_ns = json_integer_value(json_object_get(replica, "active"));
		present += !json_is_true(json_object_get(replica, "offline")) &&
			silent_ns < SL_NATS_PEER_SILENCE_NS;
	}
	return present > (count + 1) / 2;
}

static enum sl_nats_info
read_state(struct sl_nats_stream_state *out, const json_t *root)
{
	const json_t *state = json_object_get(root, "state"), *config = json_object_get(root, "config");
	const json_t *cluster = json_object_get(root, "cluster");
	const char *created = json_string_value(json_object_get(root, "created"));
	*out = (struct sl_nats_stream_state){
		.created_ns = created ? sl_nats_stream_info_time(created) : 0,
		.generation = sl_nats_stream_info_generation(
			json_string_value(json_object_get(config, "description"))),
		.first = get_number(state, "first_seq"),
		.last = get_number(state, "last_seq"),
		.has_leader = has_leader(cluster) && has_majority(cluster),
	};
	if (!json_is_object(state) || out->created_ns == 0)
		return SL_NATS_INFO_AGAIN;
	return has_leader(cluster) && !has_majority(cluster) ? SL_NATS_INFO_CUT_OFF : SL_NATS_INFO_STATE;
}

enum sl_nats_info
sl_nats_stream_info_read(struct sl_nats_stream_state *out, struct sl_span body)
{
	json_t *root = json_loadb(body.bytes ? body.bytes : "", body.len, 0, NULL);
	const json_t *error = json_object_get(root, "error");
	enum sl_nats_info info = SL_NATS_INFO_AGAIN;
	if (error)
		info = get_number(error, "err_code") == NOT_FOUND ? SL_NATS_INFO_MISSING : SL_NATS_INFO_AGAIN;
	else if (root)
		info = read_state(out, root);
	json_decref(root);
	return info;
}
