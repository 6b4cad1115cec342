/* The networks there are by name, and how one of one's own is read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/network/network.h"
#include "util/err.h"

#define SEED 1
#define MS_MAX 10000.0
#define MBIT_MAX 10000.0
#define QUEUE_MIN_BYTES (64u << 10)
#define QUEUE_MAX_BYTES (1u << 30)
#define QUEUE_MS 100.0 /* of the faster direction's rate, or one round trip when that is more */
#define BYTES_PER_MBIT_MS 125.0

const struct bench_network_kind bench_network_kinds[] = {
	{ .name = "lan", .rtt_ms = 0.2, .seed = SEED },
	{ .name = "wifi", .rtt_ms = 5, .jitter_ms = 2, .loss = 0.005, .seed = SEED },
	/* Its queue holds 100 ms of the way down, 400 ms of the way up. */
	{ .name = "4g", .rtt_ms = 40, .jitter_ms = 10, .loss = 0.005, .down_mbit = 20, .up_mbit = 5,
		.queue_bytes = 250000, .seed = SEED },
	{ .name = "atlantic", .rtt_ms = 90, .loss = 0.001, .seed = SEED },
	{ .name = "satellite", .rtt_ms = 600, .loss = 0.01, .seed = SEED },
	{ .name = "bad", .rtt_ms = 150, .loss = 0.05, .seed = SEED },
	{ .name = "" },
};

/* Reads a number from 0 to `max`; the text goes on behind it. */
static bool
read_number(const char **text, double max, double *value)
{
	char *end;
	if ((**text < '0' || **text > '9') && **text != '.')
		return false; /* strtod() also reads spaces, signs, "inf" and "nan" */
	*value = strtod(*text, &end);
	bool is_good = end != *text && *value >= 0 && *value <= max;
	*text = end;
	return is_good;
}

static bool
read_rate(const char **text, struct bench_network_kind *kind)
{
	if (!read_number(text, MBIT_MAX, &kind->down_mbit))
		return false;
	kind->up_mbit = kind->down_mbit;
	if (**text != '/')
		return true;
	++*text;
	return read_number(text, MBIT_MAX, &kind->up_mbit);
}

/* Reads `key` with its value. Returns what is wrong with it, or NULL. */
static const char *
read_member(const char **text, const char *key, size_t key_len, struct bench_network_kind *kind)
{
	double percent;
	if (key_len == 3 && memcmp(key, "rtt", 3) == 0)
		return read_number(text, MS_MAX, &kind->rtt_ms) ? NULL : "rtt is out of range; use 0 to 10000 (ms)";
	if (key_len == 6 && memcmp(key, "jitter", 6) == 0)
		return read_number(text, MS_MAX, &kind->jitter_ms) ? NULL
			: "jitter is out of range; use 0 to 10000 (ms)";
	if (key_len == 4 && memcmp(key, "rate", 4) == 0)
		return read_rate(text, kind) ? NULL : "rate is out of range; use 0 to 10000 (Mbit/s) or down/up, where 0 is no limit";
	if (key_len != 4 || memcmp(key, "loss", 4) != 0)
		return "use rtt=MS, jitter=MS, loss=PERCENT and rate=MBIT or rate=MBIT/MBIT (down/up)";
	if (!read_number(text, 100, &percent))
		return "loss is out of range; use 0 to 100 (percent)";
	kind->loss = percent / 100;
	return NULL;
}

static const char *
read_members(const char *text, struct bench_network_kind *kind)
{
	bool has_rtt = false;
	for (;; text++) {
		size_t key_len = strcspn(text, "=,");
		const char *key = text, *wrong;
		text += key_len + (text[key_len] == '=');
		wrong = read_member(&text, key, key_len, kind);
		if (wrong)
			return wrong;
		has_rtt = has_rtt || strncmp(key, "rtt=", 4) == 0;
		if (*text == '\0')
			return has_rtt ? NULL : "rtt=MS is missing";
		if (*text != ',')
			return "use commas between the values, and no units";
	}
}

static unsigned
queue_bytes_of(const struct bench_network_kind *kind)
{
	double mbit = kind->down_mbit > kind->up_mbit ? kind->down_mbit : kind->up_mbit;
	double ms = kind->rtt_ms > QUEUE_MS ? kind->rtt_ms : QUEUE_MS;
	double bytes = mbit * ms * BYTES_PER_MBIT_MS;
	if (mbit <= 0)
		return 0; /* nothing waits */
	if (bytes < QUEUE_MIN_BYTES)
		return QUEUE_MIN_BYTES;
	return bytes > QUEUE_MAX_BYTES ? QUEUE_MAX_BYTES : (unsigned)bytes;
}

int
bench_network_parse(struct bench_network_kind *kind, const char *text, const char **why)
{
	for (const struct bench_network_kind *at = bench_network_kinds; at->name[0]; at++)
		if (strcmp(at->name, text) == 0) {
			*kind = *at;
			return 0;
		}
	*kind = (struct bench_network_kind){ .seed = SEED };
	if (snprintf(kind->name, sizeof kind->name, "%s", text) >= (int)sizeof kind->name)
		*why = "it is too long";
	else if (!strchr(text, '='))
		*why = "use lan, wifi, 4g, atlantic, satellite, bad, or rtt=MS,loss=PERCENT,rate=MBIT";
	else
		*why = read_members(text, kind);
	kind->queue_bytes = *why ? 0 : queue_bytes_of(kind);
	return *why ? SL_EINVAL : 0;
}
