#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus/bus.h"
#include "bus/message.h"
#include "core/timer.h"
#include "shard.h"
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

struct sl_demo {
	struct sl_shard *shard;
	struct sl_timer clock, ticker, token;
	uint64_t random;
	double prices[4];
	size_t sentence, at;
	unsigned word;
};

#define from_member(pointer, member) \
	((struct sl_demo *)((char *)(pointer) - offsetof(struct sl_demo, member)))

/* xorshift64: good enough for a walk of prices. */
static uint64_t
draw(struct sl_demo *demo)
{
	demo->random ^= demo->random << 13;
	demo->random ^= demo->random >> 7;
	demo->random ^= demo->random << 17;
	return demo->random;
}

static void
on_published(struct sl_publish *publish)
{
	free(publish);
}

static void
publish(struct sl_demo *demo, const char *channel, const char *json)
{
	struct sl_shard *shard = demo->shard;
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
		sl_log_limited(SL_LOG_WARNING, "demo.publish", "channel=%s error=\"%s\"", channel,
			sl_strerror(result));
}

static void
set_timer(struct sl_demo *demo, struct sl_timer *timer, uint64_t in_ms)
{
	sl_timer_set(&demo->shard->loop.timers, timer, demo->shard->loop.now_ms + in_ms);
}

static void
on_clock(struct sl_timer *timer)
{
	struct sl_demo *demo = from_member(timer, clock);
	char json[128], text[32];
	int64_t now_us = sl_clock_wall_us();
	time_t now = (time_t)(now_us / 1000000);
	struct tm tm;
	gmtime_r(&now, &tm);
	strftime(text, sizeof text, "%H:%M:%S", &tm);
	snprintf(json, sizeof json, "{\"utc\":\"%s\",\"ms\":%lld}", text,
		(long long)(now_us / 1000));
	publish(demo, "demo.clock", json);
	set_timer(demo, timer, CLOCK_MS - (uint64_t)(now_us / 1000 % CLOCK_MS));
}

static void
on_ticker(struct sl_timer *timer)
{
	static const char *const symbols[] = { "ALFA", "BRVO", "CHRL", "DLTA" };
	struct sl_demo *demo = from_member(timer, ticker);
	char json[128];
	size_t i = draw(demo) % 4;
	double step = ((double)(draw(demo) % 2001) - 1000) / 1000 * demo->prices[i] * 0.002;
	demo->prices[i] += demo->prices[i] + step > 1 ? step : -step;
	snprintf(json, sizeof json, "{\"symbol\":\"%s\",\"price\":%.2f,\"change\":%.2f}",
		symbols[i], demo->prices[i], step);
	publish(demo, "demo.ticker", json);
	set_timer(demo, timer, TICKER_MS);
}

static void
on_token(struct sl_timer *timer)
{
	struct sl_demo *demo = from_member(timer, token);
	const char *sentence = sentences[demo->sentence];
	size_t len = strcspn(sentence + demo->at, " ");
	bool last = sentence[demo->at + len] == '\0';
	char json[256];
	snprintf(json, sizeof json, "{\"sentence\":%zu,\"word\":%u,\"text\":\"%.*s%s\",\"last\":%s}",
		demo->sentence, demo->word, (int)len, sentence + demo->at, last ? "" : " ",
		last ? "true" : "false");
	publish(demo, "demo.tokens", json);
	demo->word = last ? 0 : demo->word + 1;
	demo->at = last ? 0 : demo->at + len + 1;
	if (last)
		demo->sentence = (demo->sentence + 1) % (sizeof sentences / sizeof *sentences);
	set_timer(demo, timer, last ? SENTENCE_PAUSE_MS : TOKEN_MIN_MS + draw(demo) % TOKEN_SPREAD_MS);
}

int
sl_demo_create(struct sl_demo **out, struct sl_shard *shard)
{
	struct sl_demo *demo = calloc(1, sizeof *demo);
	if (!demo)
		return SL_ENOMEM;
	demo->shard = shard;
	demo->random = (uint64_t)sl_clock_wall_us() | 1;
	for (size_t i = 0; i < 4; i++)
		demo->prices[i] = 50.0 + 40.0 * (double)i;
	sl_timer_init(&demo->clock, on_clock);
	sl_timer_init(&demo->ticker, on_ticker);
	sl_timer_init(&demo->token, on_token);
	set_timer(demo, &demo->clock, CLOCK_MS);
	set_timer(demo, &demo->ticker, TICKER_MS);
	set_timer(demo, &demo->token, TOKEN_MIN_MS);
	*out = demo;
	return 0;
}

void
sl_demo_destroy(struct sl_demo *demo)
{
	free(demo);
}
