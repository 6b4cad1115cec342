#include "check/channels.h"

#include <ctype.h>
#include <stdlib.h>

#include "bus/bus.h"
#include "http/settings.h"
#include "live/lease.h"
#include "tests/unit/check_world.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/ws_bytes.h"
#include "util/clock.h"
#include "util/err.h"

static char text[1 << 16];

/* ---- lending ---- */

static void
test_channels_have_names_that_nobody_guesses(void)
{
	char names[50][SL_CHECK_NAME_LEN + 1];
	check_open(NULL);
	for (int i = 0; i < 50; i++) {
		strcpy(names[i], check_issue());
		CU_ASSERT_EQUAL(strlen(names[i]), SL_CHECK_NAME_LEN);
		CU_ASSERT_EQUAL(names[i][0], '~');
		CU_ASSERT_EQUAL(strspn(names[i] + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"abcdefghijklmnopqrstuvwxyz0123456789-_"), SL_CHECK_NAME_LEN - 1);
		CU_ASSERT_TRUE(sl_channel_name_valid(names[i], SL_CHECK_NAME_LEN));
		for (int j = 0; j < i; j++)
			CU_ASSERT_STRING_NOT_EQUAL(names[i], names[j]);
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_CHECK_ISSUED), 50);
	check_close();
}

static int
issue_to(const struct sl_address *address, struct sl_issue *issue)
{
	return sl_check_channels_issue(channels, &world.shard, address, issue);
}

static void
test_channels_of_an_address_are_three(void)
{
	struct sl_issue issue;
	struct sl_address one = check_address(1), two = check_address(2);
	check_open(NULL);
	for (unsigned i = 0; i < SL_CHECK_OF_ADDRESS; i++, world_pass(&world, 1600))
		CU_ASSERT_EQUAL(issue_to(&one, &issue), 0);
	CU_ASSERT_EQUAL(issue_to(&one, &issue), SL_EFULL);
	CU_ASSERT_TRUE(issue.is_of_address);
	CU_ASSERT_EQUAL(issue.wait_ms, SL_CHECK_LIFE_MS - 3 * 1600);
	CU_ASSERT_EQUAL(issue_to(&two, &issue), 0);
	one.port = 77; /* is no part of whose it is */
	CU_ASSERT_EQUAL(issue_to(&one, &issue), SL_EFULL);
	world_pass(&world, issue.wait_ms);
	CU_ASSERT_EQUAL(issue_to(&one, &issue), 0);
	CU_ASSERT_EQUAL(issue_to(&one, &issue), SL_EFULL);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_CHECK_REFUSED_ADDRESS), 3);
	check_close();
}

static void
test_channels_of_an_ipv6_network_are_those_of_one_address(void)
{
	struct sl_issue issue;
	struct sl_address here = { .family = AF_INET6, .bytes = { 0x20, 1, 0xd, 0xb8, [7] = 1 } };
	check_open(NULL);
	for (unsigned i = 0; i < SL_CHECK_OF_ADDRESS; i++, here.bytes[8 + i]++)
		CU_ASSERT_EQUAL(issue_to(&here, &issue), 0);
	CU_ASSERT_EQUAL(issue_to(&here, &issue), SL_EFULL);
	here.bytes[7]++;
	CU_ASSERT_EQUAL(issue_to(&here, &issue), 0);
	/* IPv4 addresses at an IPv6 listener are no network of theirs */
	for (unsigned i = 0; i < 2 * SL_CHECK_OF_ADDRESS; i++) {
		struct sl_address mapped = check_address((uint8_t)i);
		mapped.family = AF_INET6;
		CU_ASSERT_EQUAL(issue_to(&mapped, &issue), 0);
	}
	check_close();
}

static void
test_channels_in_all_are_two_hundred(void)
{
	struct sl_issue issue;
	struct sl_address other = check_address(1);
	check_open(NULL);
	for (unsigned i = 0; i < SL_CHECK_TOTAL; i++)
		check_issue(); /* a Unix socket's client has no address to be limited by */
	CU_ASSERT_EQUAL(issue_to(&other, &issue), SL_EFULL);
	CU_ASSERT_FALSE(issue.is_of_address);
	CU_ASSERT_EQUAL(issue.wait_ms, SL_CHECK_LIFE_MS);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_CHECK_REFUSED_TOTAL), 1);
	CU_ASSERT_EQUAL(sl_check_channels_count(channels), SL_CHECK_TOTAL);
	world_pass(&world, SL_CHECK_LIFE_MS + 2000);
	CU_ASSERT_EQUAL(sl_check_channels_count(channels), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_CHECK_EXPIRED), SL_CHECK_TOTAL);
	CU_ASSERT_EQUAL(issue_to(&other, &issue), 0);
	check_close();
}

/* ---- each use of a name, as a client makes it ---- */

struct use {
	const char *name;
	const char *head, *body;  /* %s: the channel's name */
	const char *in_answer;    /* when it is lent */
	bool joins, publishes;    /* and so may meet a limit */
	const char *frame;        /* what is sent on a WebSocket to ~other, instead of `head` */
	unsigned ok;
};

#define GET_OF(target) "GET " target " HTTP/1.1\r\nHost: localhost\r\n"
#define WS_FIELDS "Upgrade: websocket\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

static const struct use uses[] = {
	{ "sse", GET_OF("/sse?channels=a,%s"), "", "event: open", true, false, NULL, 200 },
	{ "sse escaped", GET_OF("/sse?channels=a,%%7E%s"), "", "event: open", true, false, NULL, 200 },
	{ "stream", GET_OF("/stream?channels=%s"), "", "\"type\":\"open\"", true, false, NULL, 200 },
	{ "stream head", "HEAD /stream?channels=%s HTTP/1.1\r\nHost: localhost\r\n", "", "", false, false,
		NULL, 200 },
	{ "poll", GET_OF("/poll?channels=%s&since=0&wait=0"), "", "\"messages\":[]", true, false, NULL, 200 },
	{ "poll from now", GET_OF("/poll?channels=%s&wait=0"), "", "\"messages\":[]", false, false, NULL, 200 },
	{ "longpoll", GET_OF("/poll?channels=%s&since=0"), "", "", true, false, NULL, 0 },
	{ "longpoll from now", GET_OF("/poll?channels=%s"), "", "\"messages\":[]", false, false, NULL, 200 },
	{ "websocket", GET_OF("/ws?channels=%s") WS_FIELDS, "", "\"type\":\"open\"", true, false, NULL, 101 },
	{ "websocket raw", GET_OF("/ws?channels=%s&format=raw") WS_FIELDS, "", "Upgrade", true, false, NULL,
		101 },
	{ "publish", "POST /publish?channel=%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n",
		"x", "{\"id\":", false, true, NULL, 200 },
	{ "batch", "POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n",
		"{\"channel\":\"%s\",\"data\":1}", "{\"id\":", false, true, NULL, 200 },
	{ "batch of one channel", "POST /publish?channel=%s HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Type: application/x-ndjson\r\n", "{\"data\":1}", "{\"id\":", false, true, NULL, 200 },
	{ "websocket subscribe", NULL, NULL, "\"type\":\"subscribed\"", true, false,
		"{\"type\":\"subscribe\",\"channels\":[\"b\",\"%s\"]}", 0 },
	{ "websocket subscribe escaped", NULL, NULL, "\"type\":\"subscribed\"", true, false,
		"{\"type\":\"subscribe\",\"channels\":[\"\\u007e%s\"]}", 0 },
	{ "websocket publish", NULL, NULL, "\"type\":\"ack\"", false, true,
		"{\"type\":\"publish\",\"channel\":\"%s\",\"data\":1}", 0 },
};
#define USES (sizeof uses / sizeof *uses)

/* The template with the name in it; an escape stands for the '~' itself. */
static const char *
put_name(char *out, const char *template, const char *name)
{
	bool is_escaped = strstr(template, "%%7E") || strstr(template, "\\u007e");
	const char *at = strstr(template, "%s");
	if (!at)
		return strcpy(out, template);
	char *end = out;
	for (const char *c = template; *c; c++) {
		if (c == at) {
			end += sprintf(end, "%s", name + is_escaped);
			c++;
		} else if (!(c[0] == '%' && c[1] == '%')) {
			*end++ = *c;
		}
	}
	*end = '\0';
	return out;
}

static void
put_request(const struct use *use, const char *name)
{
	char head[1024], body[256];
	put_name(head, use->head, name);
	put_name(body, use->body, name);
	if (*body)
		snprintf(text, sizeof text, "%sContent-Length: %zu\r\n\r\n%s", head, strlen(body), body);
	else
		snprintf(text, sizeof text, "%s\r\n", head);
}

static void
put_frame(const struct use *use, const char *name, struct sl_buffer *out)
{
	char object[256];
	ws_put(out, true, SL_WS_OPCODE_TEXT, put_name(object, use->frame, name));
}

/* What has come; frames have bytes that would end it, which become '.'. */
static const char *
take(struct world_client *client)
{
	for (int i = 0; i < 3; i++)
		world_settle(&world);
	client_read(client);
	size_t len = client->got.len < sizeof text - 1 ? client->got.len : sizeof text - 1;
	for (size_t i = 0; i < len; i++)
		text[i] = client->got.bytes[i] ? client->got.bytes[i] : '.';
	text[len] = '\0';
	sl_buffer_clear(&client->got);
	return text;
}

/* The answer to the use of a name, by a client that stays until it is closed. */
static const char *
make_use(struct world_client *client, const struct use *use, const char *name)
{
	if (!use->frame) {
		http_connect(client, &world);
		put_request(use, name);
		client_send(client, text, strlen(text));
		return take(client);
	}
	struct sl_buffer frame = SL_BUFFER_INIT;
	struct world_request request = { .query = "channels=other", .http_minor = 1 };
	CU_ASSERT_TRUE_FATAL(client_open(client, &world, &sl_transport_websocket, &request));
	take(client);
	put_frame(use, name, &frame);
	client_send(client, frame.bytes, frame.len);
	sl_buffer_finish(&frame);
	return take(client);
}

/* An error with a status of its own, where what it is about is not one line or frame of several. */
static bool
is_error(const struct use *use, const char *answer, unsigned status, const char *code)
{
	char wanted[64];
	snprintf(wanted, sizeof wanted, "\"code\":\"%s\"", code);
	bool has_status = use->frame || strncmp(use->name, "batch", 5) == 0 || http_is(answer, status);
	return has_status && (strstr(answer, wanted) || strstr(use->name, "head"));
}

static void
leave(struct world_client *client)
{
	client_close(client);
	world_settle(&world);
	world_pass(&world, 6000); /* a link lingers */
}

static void
expect_refused(const char *name, unsigned status, const char *code, bool joins, bool publishes)
{
	for (size_t i = 0; i < USES; i++) {
		const struct use *use = &uses[i];
		struct world_client client;
		if (!(use->joins && joins) && !(use->publishes && publishes) && status != 404)
			continue;
		const char *answer = make_use(&client, use, name);
		bool is_right = is_error(use, answer, status, code);
		CU_ASSERT_TRUE(is_right);
		if (!is_right)
			printf("\n    %s: %.300s\n", use->name, answer);
		client_close(&client);
		world_settle(&world);
	}
}

static void
test_channels_that_are_lent_serve_every_use(void)
{
	for (size_t i = 0; i < USES; i++) {
		struct world_client client;
		check_open(NULL);
		const char *answer = make_use(&client, &uses[i], check_issue());
		bool is_right = (uses[i].ok == 0 || http_is(answer, uses[i].ok)) &&
			strstr(answer, uses[i].in_answer);
		CU_ASSERT_TRUE(is_right);
		if (!is_right)
			printf("\n    %s: %.300s\n", uses[i].name, answer);
		leave(&client);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_CHECK_REFUSED_UNKNOWN), 0);
		check_close();
	}
}

static void
test_channels_that_nobody_lent_serve_no_use(void)
{
	check_open(NULL);
	const char *lent = check_issue();
	char near[SL_CHECK_NAME_LEN + 8];
	expect_refused("~AAAAAAAAAAAAAAAAAAAAAA", 404, "no_check_channel", true, true);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_CHECK_REFUSED_UNKNOWN), USES);
	snprintf(near, sizeof near, "%sx", lent);
	expect_refused(near, 404, "no_check_channel", true, true);
	snprintf(near, sizeof near, "%.40s", lent);
	expect_refused(near, 404, "no_check_channel", true, true);
	strcpy(near, lent);
	near[1] ^= 0x20;
	if (isalpha((unsigned char)lent[1])) /* any other would be no legal name */
		expect_refused(near, 404, "no_check_channel", true, true);
	check_close();
}

static void
test_channels_without_a_lender_serve_no_use(void)
{
	world_open(&world, NULL);
	expect_refused("~AAAAAAAAAAAAAAAAAAAAAA", 404, "no_check_channel", true, true);
	world_close(&world);
}

static void
test_channels_that_have_expired_serve_no_use(void)
{
	char name[SL_CHECK_NAME_LEN + 1];
	check_open(NULL);
	strcpy(name, check_issue());
	world.shard.loop.now_ms += SL_CHECK_LIFE_MS; /* at once, though it is not swept yet */
	expect_refused(name, 404, "no_check_channel", true, true);
	world_pass(&world, 2000);
	expect_refused(name, 404, "no_check_channel", true, true);
	check_close();
}

static void
test_channels_take_five_connections_at_a_time(void)
{
	struct world_client clients[SL_CHECK_CONNECTIONS], last;
	char name[SL_CHECK_NAME_LEN + 1];
	check_open(NULL);
	strcpy(name, check_issue());
	for (unsigned i = 0; i < SL_CHECK_CONNECTIONS; i++)
		make_use(&clients[i], &uses[i % 2 ? 2 : 0], name);
	expect_refused(name, 429, "check_full", true, false);
	unsigned joining = 0;
	for (size_t i = 0; i < USES; i++)
		joining += uses[i].joins;
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_CHECK_REFUSED_FULL), joining);
	leave(&clients[0]);
	CU_ASSERT_TRUE(http_is(make_use(&last, &uses[2], name), 200));
	leave(&last);
	CU_ASSERT_TRUE(http_is(make_use(&clients[0], &uses[2], name), 200));
	expect_refused(name, 429, "check_full", true, false);
	for (unsigned i = 0; i < SL_CHECK_CONNECTIONS; i++)
		leave(&clients[i]);
	check_close();
}

static void
test_channels_carry_two_hundred_messages(void)
{
	char name[SL_CHECK_NAME_LEN + 1];
	struct world_client client;
	check_open((const char *const[]){ "--history-messages=0", "--history-total=0", NULL });
	strcpy(name, check_issue());
	for (unsigned i = 0; i < SL_CHECK_MESSAGES; i++) {
		CU_ASSERT_TRUE(http_is(make_use(&client, &uses[10], name), 200));
		client_close(&client);
	}
	expect_refused(name, 429, "check_used_up", false, true);
	/* and hold all of them, whatever is kept of others */
	snprintf(text, sizeof text, GET_OF("/poll?channels=%s&since=0&wait=0") "\r\n", name);
	http_connect(&client, &world);
	CU_ASSERT_EQUAL(http_count(http_ask(&client, &world, text), "\"data\":\"x\""), SL_CHECK_MESSAGES);
	leave(&client);
	struct sl_bus_stats stats;
	sl_bus_get_stats(world.bus, &stats);
	CU_ASSERT_EQUAL(stats.leased_messages_now, SL_CHECK_MESSAGES);
	CU_ASSERT_EQUAL(stats.history_messages_now, 0);
	check_close();
}

static void
test_channels_carry_a_mebibyte(void)
{
	char name[SL_CHECK_NAME_LEN + 1];
	struct world_client client;
	struct sl_buffer request = SL_BUFFER_INIT;
	check_open(NULL);
	strcpy(name, check_issue());
	for (unsigned i = 0; i <= 16; i++) {
		sl_buffer_clear(&request);
		sl_buffer_printf(&request, "POST /publish?channel=%s HTTP/1.1\r\nHost: localhost\r\n"
			"Content-Type: text/plain\r\nContent-Length: %u\r\n\r\n", name, i < 15 ? 65536 : 32769);
		for (unsigned k = 0; k < (i < 15 ? 65536 : 32769); k++)
			sl_buffer_append_char(&request, 'x');
		http_connect(&client, &world);
		for (size_t at = 0; at < request.len; at += 32768) {
			client_send(&client, request.bytes + at, request.len - at < 32768 ? request.len - at : 32768);
			world_settle(&world);
		}
		const char *answer = http_take(&client, &world);
		CU_ASSERT_TRUE(http_is(answer, i < 16 ? 200 : 429));
		CU_ASSERT_EQUAL(strstr(answer, "check_used_up") != NULL, i == 16);
		client_close(&client);
	}
	CU_ASSERT_TRUE(http_is(make_use(&client, &uses[10], name), 200)); /* a small one fits */
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_CHECK_REFUSED_USED_UP), 1);
	leave(&client);
	sl_buffer_finish(&request);
	check_close();
}

/* ---- expiring ---- */

static void
test_channels_end_their_streams_when_they_expire(void)
{
	static const size_t which[] = { 0, 2, 6, 8 }; /* sse, stream, longpoll, websocket */
	struct world_client clients[4], bystander;
	char name[SL_CHECK_NAME_LEN + 1];
	check_open(NULL);
	strcpy(name, check_issue());
	world_pass(&world, SL_CHECK_LIFE_MS - 20000);
	for (int i = 0; i < 4; i++)
		make_use(&clients[i], &uses[which[i]], name);
	make_use(&bystander, &uses[2], "a");
	world_pass(&world, 22000);
	for (int i = 0; i < 4; i++) {
		const char *answer = take(&clients[i]);
		CU_ASSERT_TRUE(clients[i].ended);
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, i == 2 ? "\"messages\":[]" :
			"{\"type\":\"bye\",\"reason\":\"expired\","));
		if (i == 3)
			CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\x88\x02\x0f\xa2")); /* close, 4002 */
		leave(&clients[i]);
	}
	take(&bystander);
	CU_ASSERT_FALSE(bystander.ended);
	leave(&bystander);
	check_close();
}

/* A second shard of the same gateway. */
static void
open_other(struct live_world *other, struct sl_shard *both[2])
{
	world_open(&world, NULL);
	*other = (struct live_world){ .bus = world.bus, .settings = world.settings };
	both[0] = &world.shard;
	both[1] = &other->shard;
	world.http.shards = both;
	world.http.shard_count = 2;
	other->http = world.http;
	CU_ASSERT_EQUAL_FATAL(sl_shard_init(&other->shard, 1, 2, world.bus, &world.settings->config), 0);
	CU_ASSERT_EQUAL_FATAL(sl_front_init(&other->front, &world.http, &other->shard, world.settings), 0);
	check_secret = check_make_secret();
	CU_ASSERT_EQUAL_FATAL(sl_check_channels_create(&channels, &world.http, check_secret), 0);
}

static void
test_channels_are_the_same_on_every_shard(void)
{
	struct world_client here[3], there[2], last;
	struct live_world other;
	struct sl_shard *both[2];
	char query[64];
	open_other(&other, both);
	snprintf(query, sizeof query, "channels=%s", check_issue());
	for (int i = 0; i < 3; i++)
		client_open_stream(&here[i], &world, query);
	for (int i = 0; i < 2; i++)
		client_open_stream(&there[i], &other, query);
	struct world_request request = { .query = query };
	client_open(&last, &other, &sl_transport_stream, &request);
	world_settle(&other);
	client_skip_head(&last);
	CU_ASSERT_PTR_NOT_NULL(strstr(client_take_text(&last, &other), "check_full"));
	other.shard.loop.now_ms += SL_CHECK_LIFE_MS;
	world_pass(&world, 10);
	world.shard.loop.now_ms += SL_CHECK_LIFE_MS + 1000;
	world_settle(&world);
	world_settle(&other);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(client_take_text(&here[i], &world), "\"reason\":\"expired\""));
	for (int i = 0; i < 2; i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(client_take_text(&there[i], &other), "\"reason\":\"expired\""));
	for (int i = 0; i < 3; i++)
		client_close(&here[i]);
	for (int i = 0; i < 2; i++)
		client_close(&there[i]);
	client_close(&last);
	sl_check_channels_destroy(channels);
	sl_secret_destroy(check_secret);
	sl_shard_close_links(&other.shard);
	sl_front_finish(&other.front);
	sl_shard_finish(&other.shard);
	world_close(&world);
}

static void
test_channels_that_expire_leave_no_history_and_no_gap(void)
{
	char name[SL_CHECK_NAME_LEN + 1];
	struct world_client client;
	struct sl_bus_stats stats;
	check_open(NULL);
	strcpy(name, check_issue());
	http_connect(&client, &world);
	snprintf(text, sizeof text, GET_OF("/poll?channels=a&since=%08x-0&wait=0") "\r\n",
		sl_bus_head(world.bus).epoch);
	char ask[256];
	strcpy(ask, text);
	world_publish(&world, name, "x");
	sl_bus_get_stats(world.bus, &stats);
	CU_ASSERT_EQUAL(stats.leased_messages_now, 1);
	world_pass(&world, SL_CHECK_LIFE_MS + 2000);
	sl_bus_get_stats(world.bus, &stats);
	CU_ASSERT_EQUAL(stats.leased_messages_now + stats.leased_bytes_now + stats.channels_now, 0);
	client_close(&client);
	http_connect(&client, &world);
	CU_ASSERT_PTR_NOT_NULL(strstr(http_ask(&client, &world, ask), "\"gaps\":[]"));
	leave(&client);
	check_close();
}

static void
test_channels_resume_from_their_history(void)
{
	char name[SL_CHECK_NAME_LEN + 1];
	struct world_client client;
	check_open((const char *const[]){ "--history-age=0", "--history-bytes=0", NULL });
	strcpy(name, check_issue());
	for (int i = 0; i < 3; i++)
		world_publish(&world, name, "x");
	world_pass(&world, 5000);
	snprintf(text, sizeof text, "channels=%s&since=EPOCH-1", name);
	client_open_stream(&client, &world, text);
	world_settle(&world);
	const char *story = client_take_story(&client, &world);
	CU_ASSERT_PTR_NOT_NULL(strstr(story, "2"));
	CU_ASSERT_EQUAL(http_count(story, name), 2);
	CU_ASSERT_PTR_NULL(strstr(story, "gap"));
	leave(&client);
	check_close();
}

/* ---- lent by another gateway of the bus ---- */

#define OTHER_GATEWAY 77

/* As another gateway lends it, to expire in `left_s`. */
static const char *
lend_elsewhere(int left_s)
{
	static char name[SL_CHECK_NAME_LEN + 1];
	struct sl_lent_name lent = { sl_clock_wall_us() / 1000000 + left_s, OTHER_GATEWAY };
	uint8_t key[SL_DERIVED_KEY_LEN];
	CU_ASSERT_EQUAL_FATAL(sl_secret_derive(check_secret, "check", key), 0);
	CU_ASSERT_EQUAL_FATAL(sl_lent_name_make(name, &lent, key), 0);
	return name;
}

static void
test_channels_of_another_gateway_serve_every_use(void)
{
	for (size_t i = 0; i < USES; i++) {
		struct world_client client;
		check_open(NULL);
		const char *answer = make_use(&client, &uses[i], lend_elsewhere(100));
		bool is_right = (uses[i].ok == 0 || http_is(answer, uses[i].ok)) &&
			strstr(answer, uses[i].in_answer);
		CU_ASSERT_TRUE(is_right);
		if (!is_right)
			printf("\n    %s: %.300s\n", uses[i].name, answer);
		leave(&client);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_CHECK_REFUSED_UNKNOWN), 0);
		CU_ASSERT_EQUAL(sl_check_channels_count(channels), 1);
		check_close();
	}
}

static void
test_channels_of_a_gateway_with_another_secret_serve_no_use(void)
{
	struct sl_secret *another = check_make_secret();
	char name[SL_CHECK_NAME_LEN + 1];
	check_open(NULL);
	strcpy(name, lend_elsewhere(100));
	sl_check_channels_set_secret(channels, another);
	expect_refused(name, 404, "no_check_channel", true, true);
	sl_check_channels_set_secret(channels, check_secret);
	struct world_client client;
	CU_ASSERT_TRUE(http_is(make_use(&client, &uses[2], name), 200));
	sl_check_channels_set_secret(channels, another); /* it is known by now */
	leave(&client);
	CU_ASSERT_TRUE(http_is(make_use(&client, &uses[2], name), 200));
	leave(&client);
	sl_secret_destroy(another);
	check_close();
}

static void
test_channels_of_another_gateway_that_have_expired_serve_no_use(void)
{
	check_open(NULL);
	expect_refused(lend_elsewhere(0), 404, "no_check_channel", true, true);
	expect_refused(lend_elsewhere(-100), 404, "no_check_channel", true, true);
	CU_ASSERT_EQUAL(sl_check_channels_count(channels), 0);
	check_close();
}

/* What this process lent counts by the table alone, where it has expired by the shard's clock, while by the wall
 * clock (which the test leaves alone, as one does that was set back) its name would go on. */
static void
test_channels_lent_here_do_not_live_twice(void)
{
	char name[SL_CHECK_NAME_LEN + 1];
	check_open(NULL);
	strcpy(name, check_issue());
	world_pass(&world, SL_CHECK_LIFE_MS + 2000);
	CU_ASSERT_EQUAL(sl_check_channels_count(channels), 0);
	expect_refused(name, 404, "no_check_channel", true, true);
	CU_ASSERT_EQUAL(sl_check_channels_count(channels), 0);
	check_close();
}

static void
test_channels_of_another_gateway_have_limits_of_their_own_here(void)
{
	struct world_client clients[SL_CHECK_CONNECTIONS];
	char name[SL_CHECK_NAME_LEN + 1];
	check_open(NULL);
	strcpy(name, lend_elsewhere(100));
	for (unsigned i = 0; i < SL_CHECK_CONNECTIONS; i++)
		make_use(&clients[i], &uses[i % 2 ? 2 : 0], name);
	expect_refused(name, 429, "check_full", true, false);
	for (unsigned i = 0; i < SL_CHECK_CONNECTIONS; i++)
		leave(&clients[i]);
	for (unsigned i = 0; i < SL_CHECK_MESSAGES; i++) {
		CU_ASSERT_TRUE(http_is(make_use(&clients[0], &uses[10], name), 200));
		client_close(&clients[0]);
	}
	expect_refused(name, 429, "check_used_up", false, true);
	check_close();
}

/* One with an early end may come after one with a late end; and a clock that is behind gives nobody more than a
 * channel's life. */
static void
test_channels_of_another_gateway_end_when_their_names_say(void)
{
	struct world_client clients[3];
	static const int lefts[] = { 100000, 60, 20 }, ends[] = { 120, 60, 20 };
	check_open(NULL);
	for (int i = 0; i < 3; i++)
		make_use(&clients[i], &uses[2], lend_elsewhere(lefts[i]));
	int now = 0;
	for (int i = 2; i >= 0; i--) {
		world_pass(&world, (uint64_t)(ends[i] - now - 5) * 1000);
		CU_ASSERT_PTR_NULL(strstr(take(&clients[i]), "\"reason\":\"expired\""));
		world_pass(&world, 7000);
		now = ends[i] + 2;
		CU_ASSERT_PTR_NOT_NULL(strstr(take(&clients[i]), "\"reason\":\"expired\""));
		leave(&clients[i]);
		now += 6;
	}
	CU_ASSERT_EQUAL(sl_check_channels_count(channels), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_CHECK_EXPIRED), 0);
	check_close();
}

static void
test_channels_of_other_gateways_take_none_of_those_lent_here_and_are_bounded(void)
{
	struct sl_issue issue;
	struct sl_address here = check_address(1);
	check_open(NULL);
	for (unsigned i = 0; i < SL_CHECK_FOREIGN; i++)
		CU_ASSERT_EQUAL(world.shard.lender->ops->find(world.shard.lender, &world.shard,
			(struct sl_span){ lend_elsewhere(100), SL_CHECK_NAME_LEN }), 0);
	CU_ASSERT_EQUAL(world.shard.lender->ops->find(world.shard.lender, &world.shard,
		(struct sl_span){ lend_elsewhere(100), SL_CHECK_NAME_LEN }), SL_ENOLEASE);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_CHECK_REFUSED_TOTAL), 1);
	for (unsigned i = 0; i < SL_CHECK_OF_ADDRESS; i++)
		CU_ASSERT_EQUAL(issue_to(&here, &issue), 0);
	CU_ASSERT_EQUAL(issue_to(&here, &issue), SL_EFULL);
	CU_ASSERT_TRUE(issue.is_of_address);
	check_close();
}

/* ---- without memory ---- */

static void
test_channels_without_memory_lend_nothing(void)
{
	struct sl_address address = check_address(1);
	struct sl_issue issue;
	struct sl_secret *secret = check_make_secret();
	world_open(&world, NULL);
	for_each_failing_allocation(failing) {
		int err = sl_check_channels_create(&channels, &world.http, secret);
		if (err == 0) {
			err = issue_to(&address, &issue);
			CU_ASSERT_EQUAL(sl_check_channels_count(channels), err == 0);
			sl_check_channels_destroy(channels);
		}
		failing_expect(err);
	}
	sl_check_channels_destroy(NULL);
	sl_secret_destroy(secret);
	world_close(&world);
}

static void
test_channels_without_memory_to_tell_of_it_expire_later(void)
{
	check_open(NULL);
	check_issue();
	world.shard.loop.now_ms += SL_CHECK_LIFE_MS;
	failing_alloc_set(1, true);
	sl_timer_wheel_run(&world.shard.loop.timers, world.shard.loop.now_ms);
	failing_alloc_off();
	CU_ASSERT_EQUAL(sl_check_channels_count(channels), 1);
	world_pass(&world, 1100);
	CU_ASSERT_EQUAL(sl_check_channels_count(channels), 0);
	check_close();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_channels_have_names_that_nobody_guesses),
		UNIT_TEST(test_channels_of_an_address_are_three),
		UNIT_TEST(test_channels_of_an_ipv6_network_are_those_of_one_address),
		UNIT_TEST(test_channels_in_all_are_two_hundred),
		UNIT_TEST(test_channels_that_are_lent_serve_every_use),
		UNIT_TEST(test_channels_that_nobody_lent_serve_no_use),
		UNIT_TEST(test_channels_without_a_lender_serve_no_use),
		UNIT_TEST(test_channels_that_have_expired_serve_no_use),
		UNIT_TEST(test_channels_take_five_connections_at_a_time),
		UNIT_TEST(test_channels_carry_two_hundred_messages),
		UNIT_TEST(test_channels_carry_a_mebibyte),
		UNIT_TEST(test_channels_end_their_streams_when_they_expire),
		UNIT_TEST(test_channels_are_the_same_on_every_shard),
		UNIT_TEST(test_channels_that_expire_leave_no_history_and_no_gap),
		UNIT_TEST(test_channels_resume_from_their_history),
		UNIT_TEST(test_channels_of_another_gateway_serve_every_use),
		UNIT_TEST(test_channels_of_a_gateway_with_another_secret_serve_no_use),
		UNIT_TEST(test_channels_of_another_gateway_that_have_expired_serve_no_use),
		UNIT_TEST(test_channels_lent_here_do_not_live_twice),
		UNIT_TEST(test_channels_of_another_gateway_have_limits_of_their_own_here),
		UNIT_TEST(test_channels_of_another_gateway_end_when_their_names_say),
		UNIT_TEST(test_channels_of_other_gateways_take_none_of_those_lent_here_and_are_bounded),
		UNIT_TEST(test_channels_without_memory_lend_nothing),
		UNIT_TEST(test_channels_without_memory_to_tell_of_it_expire_later),
		{ NULL, NULL },
	};
	return unit_main("channels", tests);
}
