#include "bench/load/account.h"

#include <stdio.h>

void
bench_account_add_stream(struct bench_account *account, const struct bench_stream *stream)
{
	account->down.wire += stream->wire_in;
	account->down.clear += stream->clear_in;
	account->up.wire += stream->wire_out;
	account->up.clear += stream->clear_out;
	if (stream->fd < 0)
		return;
	struct bench_segments segments = bench_stream_segments(stream);
	account->down.segment_headers += segments.in * segments.header_bytes;
	account->up.segment_headers += segments.out * segments.header_bytes;
}

static void
add_way(struct bench_way *way, const struct bench_way *more)
{
	way->wire += more->wire;
	way->clear += more->clear;
	way->heads += more->heads;
	way->payload += more->payload;
	way->segment_headers += more->segment_headers;
}

void
bench_account_add(struct bench_account *account, const struct bench_account *more)
{
	add_way(&account->down, &more->down);
	add_way(&account->up, &more->up);
	account->messages += more->messages;
}

static struct bench_way
way_between(const struct bench_way *before, const struct bench_way *after)
{
	return (struct bench_way){
		.wire = after->wire - before->wire,
		.clear = after->clear - before->clear,
		.heads = after->heads - before->heads,
		.payload = after->payload - before->payload,
		.segment_headers = after->segment_headers - before->segment_headers,
	};
}

struct bench_account
bench_account_between(const struct bench_account *before, const struct bench_account *after)
{
	return (struct bench_account){
		.down = way_between(&before->down, &after->down),
		.up = way_between(&before->up, &after->up),
		.messages = after->messages - before->messages,
	};
}

uint64_t
bench_account_total(const struct bench_account *account)
{
	return account->down.wire + account->down.segment_headers
		+ account->up.wire + account->up.segment_headers;
}

static void
set_kind(json_t *figures, const char *way, const char *kind, double bytes, double messages)
{
	char name[32];
	snprintf(name, sizeof name, "%s_%s", way, kind);
	json_object_set_new(figures, name, json_real(bytes / messages));
}

static void
set_way(json_t *figures, const char *name, const struct bench_way *way, double messages)
{
	/* Signed: bytes of a TLS handshake may stand on both sides of a measured window. */
	set_kind(figures, name, "payload", (double)way->payload, messages);
	set_kind(figures, name, "heads", (double)way->heads, messages);
	set_kind(figures, name, "framing",
		(double)(int64_t)(way->clear - way->heads - way->payload), messages);
	set_kind(figures, name, "tls", (double)(int64_t)(way->wire - way->clear), messages);
	set_kind(figures, name, "tcp_ip", (double)way->segment_headers, messages);
	set_kind(figures, name, "total", (double)(way->wire + way->segment_headers), messages);
}

void
bench_account_set_figures(const struct bench_account *account, double seconds, json_t *figures)
{
	if (account->messages == 0)
		return;
	set_way(figures, "down", &account->down, (double)account->messages);
	set_way(figures, "up", &account->up, (double)account->messages);
	json_object_set_new(figures, "bytes_per_s",
		json_real((double)bench_account_total(account) / seconds));
}
