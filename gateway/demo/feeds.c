#include "demo/feeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus/bus.h"
#include "bus/message.h"
#include "core/timer.h"
#include "demo/cluster.h"
#include "live/shard.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

#define CLOCK_MS 1000
#define TICKER_MS 100
#define TOKEN_MIN_MS 40
#define TOKEN_SPREAD_MS 110
#define SENTENCE_PAUSE_MS 1500

static const char *const sentences[] = {
	"A push gateway keeps a connection open, so that news can travel the moment it exists.",
	"WebSocket carries frames both ways after one handshake; a proxy that does not know it "
		"may swallow them.",
	"Server-Sent Events are a plain HTTP response that never ends, and browsers reconnect "
		"to it by themselves.",
	"A long-poll is a question that waits for its answer; it passes through almost anything.",
	"One cursor says where a reader is, whichever way the next message comes.",
};

struct sl_feeds {
	struct sl_shard *shard;
	const struct sl_cluster *cluster; /* borrows; NULL: nobody else feeds */
	struct sl_timer clock, ticker, token;
	uint64_t random;
	double prices[4];
	size_t sentence, at;
	unsigned word;
};

#define from_member(pointer, member) \
	((struct sl_feeds *)((char *)(pointer) - offsetof(struct sl_feeds, member)))

/* xorshift64: good enough for a walk of prices. */
static uint64_t
draw(struct sl_feeds *feeds)
{
	feeds->random ^= feeds->random << 13;
	feeds->random ^= feeds->random >> 7;
	feeds->random ^= feeds->random << 17;
	return feeds->random;
}

static void
on_published(struct sl_publish *publish)
{
	free(publish);
}

static void
publish(struct sl_feeds *feeds, const char *channel, const char *json)
{
	struct sl_shard *shard = feeds->shard;
	if (!sl_cluster_feeds(feeds->cluster))
		return;
	struct sl_publish *pending = calloc(1, sizeof *pending);
	struct sl_message *message;
	struct sl_cursor id;
	int result = pending ? sl_message_create(&message, channel, strlen(channel), SL_JSON, json,
		strlen(json)) : SL_ENOMEM;
	if (result == 0) {
		pending->on_done = on_published;
		result = sl_bus_publish(shard->bus, shard->index, message, NULL, 0, pending, &id);
	}
	if (result == SL_PENDING)
		return;
	free(pending);
	if (result != 0 && result != SL_EDRAINING)
		sl_log_limited(SL_LOG_WARNING, "feeds.publish", "channel=%s error=\"%s\"", channel,
			sl_strerror(result));
}

static void
set_timer(struct sl_feeds *feeds, struct sl_timer *timer, uint64_t in_ms)
{
	sl_timer_set(&feeds->shard->loop.timers, timer, feeds->shard->loop.now_ms + in_ms);
}

static void
on_clock(struct sl_timer *timer)
{
	struct sl_feeds *feeds = from_member(timer, clock);
	char json[128], text[32];
	int64_t now_us = sl_clock_wall_us();
	time_t now = (time_t)(now_us / 1000000);
	struct tm tm;
	gmtime_r(&now, &tm);
	strftime(text, sizeof text, "%H:%M:%S", &tm);
	snprintf(json, sizeof json, "{\"utc\":\"%s\",\"ms\":%lld}", text,
		(long long)(now_us / 1000));
	publish(feeds, "demo.clock", json);
	set_timer(feeds, timer, CLOCK_MS - (uint64_t)(now_us / 1000 % CLOCK_MS));
}

static void
on_ticker(struct sl_timer *timer)
{
	static const char *const symbols[] = { "ALFA", "BRVO", "CHRL", "DLTA" };
	struct sl_feeds *feeds = from_member(timer, ticker);
	char json[128];
	size_t i = draw(feeds) % 4;
	double step = ((double)(draw(feeds) % 2001) - 1000) / 1000 * feeds->prices[i] * 0.002;
	feeds->prices[i] += feeds->prices[i] + step > 1 ? step : -step;
	snprintf(json, sizeof json, "{\"symbol\":\"%s\",\"price\":%.2f,\"change\":%.2f}",
		symbols[i], feeds->prices[i], step);
	publish(feeds, "demo.ticker", json);
	set_timer(feeds, timer, TICKER_MS);
}

static void
on_token(struct sl_timer *timer)
{
	struct sl_feeds *feeds = from_member(timer, token);
	const char *sentence = sentences[feeds->sentence];
	size_t len = strcspn(sentence + feeds->at, " ");
	bool last = sentence[feeds->at + len] == '\0';
	char json[256];
	snprintf(json, sizeof json, "{\"sentence\":%zu,\"word\":%u,\"text\":\"%.*s%s\",\"last\":%s}",
		feeds->sentence, feeds->word, (int)len, sentence + feeds->at, last ? "" : " ",
		last ? "true" : "false");
	publish(feeds, "demo.tokens", json);
	feeds->word = last ? 0 : feeds->word + 1;
	feeds->at = last ? 0 : feeds->at + len + 1;
	if (last)
		feeds->sentence = (feeds->sentence + 1) % (sizeof sentences / sizeof *sentences);
	set_timer(feeds, timer, last ? SENTENCE_PAUSE_MS : TOKEN_MIN_MS + draw(feeds) % TOKEN_SPREAD_MS);
}

int
sl_feeds_create(struct sl_feeds **out, struct sl_shard *shard, const struct sl_cluster *cluster)
{
	struct sl_feeds *feeds = calloc(1, sizeof *feeds);
	if (!feeds)
		return SL_ENOMEM;
	feeds->shard = shard;
	feeds->cluster = cluster;
	feeds->random = (uint64_t)sl_clock_wall_us() | 1;
	for (size_t i = 0; i < 4; i++)
		feeds->prices[i] = 50.0 + 40.0 * (double)i;
	sl_timer_init(&feeds->clock, on_clock);
	sl_timer_init(&feeds->ticker, on_ticker);
	sl_timer_init(&feeds->token, on_token);
	set_timer(feeds, &feeds->clock, CLOCK_MS);
	set_timer(feeds, &feeds->ticker, TICKER_MS);
	set_timer(feeds, &feeds->token, TOKEN_MIN_MS);
	*out = feeds;
	return 0;
}

void
sl_feeds_destroy(struct sl_feeds *feeds)
{
	if (!feeds)
		return;
	/* Others still stand in the wheel beside them. */
	struct sl_timer_wheel *wheel = &feeds->shard->loop.timers;
	sl_timer_cancel(wheel, &feeds->clock);
	sl_timer_cancel(wheel, &feeds->ticker);
	sl_timer_cancel(wheel, &feeds->token);
	free(feeds);
}
