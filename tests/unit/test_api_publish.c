#include "http/api_publish.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "auth/principal.h"
#include "config/config.h"
#include "http/reply.h"
#include "http/request.h"
#include "tests/backend/slow.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/live_world.h"
#include "tests/unit/read_head.h"
#include "tests/unit/somebody.h"
#include "util/err.h"

#define COUNT(array) (sizeof array / sizeof *array)
#define POLL_TIMEOUT_MS 30000 /* only a lost answer takes as long */
#define JSON "Content-Type: application/json\r\n"
#define TEXT "Content-Type: text/plain\r\n"
#define BATCH "Content-Type: application/x-ndjson\r\n"

static struct live_world world;
static struct sl_posting posting;
static struct sl_reply reply;
static struct sl_buffer answer; /* the reply's body, terminated */
static unsigned done;

static void
count_done(struct sl_posting *its_posting)
{
	CU_ASSERT_PTR_EQUAL(its_posting, &posting);
	done++;
}

static void
keep_answer(void)
{
	sl_buffer_clear(&answer);
	if (!reply.body.failed)
		sl_buffer_append(&answer, reply.body.bytes, reply.body.len);
	sl_buffer_append_char(&answer, '\0');
}

static struct sl_request request;
static struct sl_principal *publisher = &sl_principal_everybody;

static void
prepare(const char *fields, const char *channel, const char *body)
{
	char text[512];
	snprintf(text, sizeof text, "POST /publish HTTP/1.1\r\nHost: h\r\n%s\r\n", fields);
	CU_ASSERT_EQUAL_FATAL(read_head(text), 0);
	request.head = &head;
	request.principal = publisher;
	request.params.channel = (struct sl_span){ channel, channel ? strlen(channel) : 0 };
	request.body = (struct sl_span){ body, strlen(body) };
	posting = (struct sl_posting){ .on_done = count_done };
	reply = (struct sl_reply){ .head.status = 0 };
	done = 0;
}

/* Returns what begin does; with an answer the reply is finished, but for its head. */
static int
publish(const char *fields, const char *channel, const char *body)
{
	prepare(fields, channel, body);
	int result = sl_api_publish_begin(&posting, &world.shard, &request, &reply);
	if (result == 0)
		keep_answer();
	sl_reply_finish(&reply);
	return result;
}

static void
expect_refused(const char *fields, const char *channel, const char *body, unsigned status,
	const char *code)
{
	char begin[64];
	uint64_t errors = world_counter(&world, SL_COUNTER_PUBLISH_ERRORS);
	snprintf(begin, sizeof begin, "{\"error\":{\"code\":\"%s\",\"message\":\"", code);
	CU_ASSERT_EQUAL(publish(fields, channel, body), 0);
	CU_ASSERT_EQUAL(reply.head.status, status);
	CU_ASSERT_EQUAL(strncmp(answer.bytes, begin, strlen(begin)), 0);
	if (strncmp(answer.bytes, begin, strlen(begin)) != 0)
		printf("\n    %s %s: %s", fields, body, answer.bytes);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PUBLISH_ERRORS), errors + 1);
}

static void
expect_id(unsigned number)
{
	char text[64];
	snprintf(text, sizeof text, "{\"id\":\"%08x-%u\"}\n", sl_bus_head(world.bus).epoch, number);
	CU_ASSERT_EQUAL(reply.head.status, 200);
	CU_ASSERT_STRING_EQUAL(reply.head.content_type, "application/json");
	CU_ASSERT_STRING_EQUAL(answer.bytes, text);
}

static void
test_api_publish_answers_with_the_id(void)
{
	world_open(&world, NULL);
	CU_ASSERT_EQUAL(publish(JSON, "a", "{\"x\":1}"), 0);
	expect_id(1);
	CU_ASSERT_EQUAL(publish(TEXT "Idempotency-Key: 0123456789\r\n", "a", ""), 0);
	expect_id(2);
	CU_ASSERT_EQUAL(publish("Content-Type: application/octet-stream\r\n", "b", "\xff"), 0);
	expect_id(3);
	CU_ASSERT_EQUAL(publish(TEXT "Idempotency-Key: 0123456789\r\n", "a", "again"), 0);
	expect_id(2);
	CU_ASSERT_EQUAL(done, 0);
	CU_ASSERT_EQUAL(world_head(&world), 3);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_HTTP, SL_CLASS_MESSAGES_IN), 4);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PUBLISH_ERRORS), 0);
	world_close(&world);
}

static void
test_api_publish_is_forbidden_to_who_may_not(void)
{
	struct sl_principal ann;
	somebody_init(&ann, "ann", NULL, "chat.*");
	world_open(&world, NULL);
	publisher = &ann;
	CU_ASSERT_EQUAL(publish(TEXT, "chat.1", "x"), 0);
	expect_id(1);
	expect_refused(TEXT, "news", "x", 403, "forbidden");
	CU_ASSERT_PTR_NOT_NULL(strstr(answer.bytes, "this token may not publish to news"));
	publisher = NULL; /* the gate has refused that, with 401 */
	expect_refused(TEXT, "chat.1", "x", 403, "unauthorized");
	publisher = &sl_principal_everybody;
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_FORBIDDEN_PUBLISH), 1);
	CU_ASSERT_EQUAL(world_head(&world), 1);
	world_close(&world);
	somebody_finish(&ann);
}

/* A key is unique per subject and channel, whichever connection it comes by. */
static void
test_api_publish_keys_are_of_a_subject_and_a_channel(void)
{
	struct sl_principal ann, ann_again, ben;
	somebody_init(&ann, "ann", NULL, "*");
	somebody_init(&ann_again, "ann", NULL, "*");
	somebody_init(&ben, "ben", NULL, "*");
	const struct {
		struct sl_principal *publisher;
		const char *channel;
		unsigned id;
	} rows[] = {
		{ &ann, "a", 1 }, { &ann_again, "a", 1 }, { &ann, "b", 2 }, { &ben, "a", 3 },
		{ &sl_principal_everybody, "a", 4 }, { &ben, "a", 3 }, { &ann, "a", 1 },
		{ &sl_principal_everybody, "a", 4 },
	};
	world_open(&world, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		publisher = rows[i].publisher;
		CU_ASSERT_EQUAL(publish(TEXT "Idempotency-Key: 0123456789\r\n", rows[i].channel, "x"), 0);
		expect_id(rows[i].id);
	}
	publisher = &sl_principal_everybody;
	world_close(&world);
	somebody_finish(&ann);
	somebody_finish(&ann_again);
	somebody_finish(&ben);
}

static void
test_api_publish_refuses_by_code_and_counts(void)
{
	static const struct {
		const char *fields, *channel, *body;
		unsigned status;
		const char *code;
	} cases[] = {
		{ "", "a", "x", 415, "bad_content_type" },
		{ "Content-Type:\r\n", "a", "x", 415, "bad_content_type" },
		{ "Content-Type: text/html\r\n", "a", "x", 415, "bad_content_type" },
		{ "Content-Type: text/plain; charset=latin1\r\n", "a", "x", 415, "bad_content_type" },
		{ TEXT, NULL, "x", 400, "no_channel" },
		{ TEXT "Idempotency-Key: short\r\n", "a", "x", 400, "bad_key" },
		{ TEXT "Idempotency-Key:\r\n", "a", "x", 400, "bad_key" },
		{ TEXT "Idempotency-Key: 0123 56789\r\n", "a", "x", 400, "bad_key" },
		{ JSON, "a", "{", 400, "bad_json" },
		{ JSON, "a", "", 400, "bad_json" },
		{ JSON, "a", "[[[1]]]", 400, "too_deep" },
		{ TEXT, "a", "\xff", 400, "bad_utf8" },
		{ BATCH "Idempotency-Key: 0123456789\r\n", "a", "{\"data\":1}", 400, "bad_key" },
		{ BATCH, "a", " \r\n\n", 400, "no_data" },
	};
	static const char *const options[] = { "--max-json-depth=2", NULL };
	world_open(&world, options);
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_refused(cases[i].fields, cases[i].channel, cases[i].body, cases[i].status,
			cases[i].code);
	sl_bus_drain(world.bus);
	expect_refused(TEXT, "a", "x", 429, "draining");
	CU_ASSERT_EQUAL(world_head(&world), 0);
	world_close(&world);
}

static void
test_api_publish_answers_each_line_of_a_batch(void)
{
	char text[256];
	world_open(&world, NULL);
	CU_ASSERT_EQUAL(publish(BATCH, "a", "{\"data\":1}\n{\"channel\":\"*\",\"data\":1}\n{\"data\":2}"), 0);
	unsigned epoch = sl_bus_head(world.bus).epoch;
	snprintf(text, sizeof text, "{\"id\":\"%08x-1\"}\n{\"error\":{\"code\":\"bad_channel\",\"message\":"
		"\"channel: the name is missing or not valid; use 1 to 255 bytes of UTF-8 without control characters or *\"}}\n{\"id\":\"%08x-2\"}\n", epoch, epoch);
	CU_ASSERT_STRING_EQUAL(answer.bytes, text);
	CU_ASSERT_EQUAL(reply.head.status, 200);
	CU_ASSERT_STRING_EQUAL(reply.head.content_type, "application/x-ndjson");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PUBLISH_ERRORS), 1);
	world_close(&world);
}

static void
test_api_publish_takes_no_part_of_a_batch_that_is_too_long(void)
{
	char body[101 * 12 + 1] = "";
	for (int i = 0; i < 101; i++)
		strcat(body, "{\"data\":1}\n");
	world_open(&world, NULL);
	expect_refused(BATCH, "a", body, 413, "too_many_messages");
	CU_ASSERT_EQUAL(world_head(&world), 0);
	world_close(&world);
}

static void
test_api_publish_lets_a_batch_be_longer_than_a_message(void)
{
	struct sl_config config = { .max_message_bytes = 10, .max_batch_bytes = 100 };
	static const struct {
		const char *type;
		uint64_t max;
	} cases[] = { { NULL, 10 }, { "", 10 }, { "text/plain", 10 }, { "application/x-ndjson", 100 },
		{ "Application/X-NDJSON; charset=utf-8", 100 }, { "application/x-ndjson; charset=latin1", 10 } };
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sl_span type = { cases[i].type, cases[i].type ? strlen(cases[i].type) : 0 };
		CU_ASSERT_EQUAL(sl_api_publish_max_body(&config, type), cases[i].max);
	}
}

/* ---- over a backend that answers later ---- */

static void
open_slow_world(unsigned fail_percent)
{
	struct sl_slow_config config = { .seed = 1, .store_max_us = 1000, .ack_max_us = 1000,
		.fail_percent = fail_percent, .keys_max = 100 };
	struct sl_backend *backend;
	CU_ASSERT_EQUAL_FATAL(sl_slow_create(&backend, &config), 0);
	world_open_over(&world, backend, NULL);
}

static void
wait_until_done(void)
{
	while (done == 0) {
		struct pollfd fd = { .fd = world.shard.mailbox.event_fd, .events = POLLIN };
		CU_ASSERT_EQUAL_FATAL(poll(&fd, 1, POLL_TIMEOUT_MS), 1);
		world_settle(&world);
	}
	CU_ASSERT_EQUAL(done, 1);
}

static void
end(void)
{
	sl_api_publish_end(&posting, &reply);
	keep_answer();
	sl_reply_finish(&reply);
}

static void
test_api_publish_waits_for_its_backend(void)
{
	open_slow_world(0);
	CU_ASSERT_EQUAL_FATAL(publish(TEXT, "a", "x"), SL_PENDING);
	wait_until_done();
	end();
	expect_id(1);
	CU_ASSERT_EQUAL_FATAL(publish(BATCH, "a", "{\"data\":1}\n{\"data\":[}\n{\"data\":2}"), SL_PENDING);
	wait_until_done();
	end();
	CU_ASSERT_PTR_NOT_NULL(strstr(answer.bytes, "\"}\n{\"error\":{\"code\":\"bad_json\""));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PUBLISH_ERRORS), 1);
	world_close(&world);
}

static void
test_api_publish_tells_what_its_backend_could_not(void)
{
	open_slow_world(100);
	CU_ASSERT_EQUAL_FATAL(publish(TEXT, "a", "x"), SL_PENDING);
	wait_until_done();
	end();
	CU_ASSERT_EQUAL(reply.head.status, 500);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer.bytes, "\"code\":\"backend\""));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PUBLISH_ERRORS), 1);
	world_close(&world);
}

static void
test_api_publish_ends_without_anybody_to_tell(void)
{
	open_slow_world(0);
	CU_ASSERT_EQUAL_FATAL(publish(TEXT, "a", "x"), SL_PENDING);
	wait_until_done();
	sl_api_publish_end(&posting, NULL);
	CU_ASSERT_EQUAL_FATAL(publish(BATCH, "a", "{\"data\":1}\n{\"data\":2}"), SL_PENDING);
	wait_until_done();
	sl_api_publish_end(&posting, NULL);
	CU_ASSERT_EQUAL(world_head(&world), 3);
	world_close(&world);
}

/* ---- without memory ---- */

/* An answer with ids alone. History that has no memory drops messages and publishes them none the
 * less (bus/records.h): one may come in spite of all. */
static bool
is_published(void)
{
	return reply.head.status == 200 && answer.len > 1 && !strstr(answer.bytes, "error");
}

static bool
is_refused(void)
{
	return answer.len == 1 || (strstr(answer.bytes, "\"internal\"") && (reply.head.status == 500 ||
		reply.head.status == 200));
}

static void
test_api_publish_without_memory_says_so_and_keeps_nothing(void)
{
	static const char *const bodies[] = { "x", "{\"data\":1}\n{\"data\":2}" };
	forget_head();
	sl_buffer_reserve(&answer, 4096); /* once for all rounds */
	for (size_t i = 0; i < COUNT(bodies); i++) {
		for_each_failing_allocation(failing) {
			failing_alloc_off();
			world_open(&world, NULL);
			prepare(i == 0 ? TEXT : BATCH, "a", bodies[i]);
			failing_alloc_set(failing.n, failing.is_lasting);
			int result = sl_api_publish_begin(&posting, &world.shard, &request, &reply);
			failing_alloc_off();
			keep_answer();
			sl_reply_finish(&reply);
			CU_ASSERT_EQUAL(result, 0);
			CU_ASSERT_TRUE(is_published() || (failing_alloc_has_failed() && is_refused()));
			CU_ASSERT_TRUE(failing.n > 1 || is_refused());
			world_close(&world);
			forget_head();
		}
	}
}

/* ---- at whose cost ---- */

static void
test_api_publish_over_a_limit_is_429_with_the_time_to_wait(void)
{
	world_open(&world, NULL);
	world_limit_rate(&world, SL_LIMIT_PUBLISHED_BYTES, 10);
	request.owner = sl_owners_get_subject(world.http.owners, "ann");
	CU_ASSERT_EQUAL(publish(TEXT, "a", "0123456789012345678901234567890123456789012345"), 0);
	expect_id(1);
	prepare(TEXT, "a", "x");
	CU_ASSERT_EQUAL(sl_api_publish_begin(&posting, &world.shard, &request, &reply), 0);
	keep_answer();
	CU_ASSERT_EQUAL(reply.head.status, 429);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer.bytes, "{\"error\":{\"code\":\"rate_limited\",\"message\":\"more "
		"published bytes than --publish-bytes allows one client; try again in "));
	CU_ASSERT_STRING_EQUAL(reply.retry_after, "1");
	sl_reply_finish(&reply);
	prepare(BATCH, "a", "{\"data\":1}\n{\"data\":2}\n");
	CU_ASSERT_EQUAL(sl_api_publish_begin(&posting, &world.shard, &request, &reply), 0);
	CU_ASSERT_EQUAL(reply.head.status, 429);
	CU_ASSERT_STRING_EQUAL(reply.retry_after, "1");
	sl_reply_finish(&reply);
	sl_owner_unref(request.owner);
	request.owner = NULL;
	world_close(&world);
}

/* The gate has taken none for it. */
static void
test_api_publish_takes_a_request_for_what_it_refuses(void)
{
	static const struct { const char *fields, *channel, *body; unsigned left; } rows[] = {
		{ JSON, "a", "1", 8 }, { JSON, "a", "nonsense", 7 }, { JSON, NULL, "1", 7 }, { "", "a", "1", 7 },
		{ BATCH, "a", "", 7 }, { BATCH, "a", "nonsense\n{\"data\":1}\n", 7 },
		{ BATCH, "a", "nonsense\nnonsense\n", 6 },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned left = 0;
		world_open(&world, NULL);
		world_limit_rate(&world, SL_LIMIT_REQUESTS, 2);
		request.owner = sl_owners_get_subject(world.http.owners, "ann");
		CU_ASSERT_EQUAL(publish(rows[i].fields, rows[i].channel, rows[i].body), 0);
		while (sl_owner_take(request.owner, SL_LIMIT_REQUESTS, 1, world.shard.loop.now_ms) == 0)
			left++;
		CU_ASSERT_EQUAL(left, rows[i].left);
		sl_owner_unref(request.owner);
		request.owner = NULL;
		world_close(&world);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_api_publish_answers_with_the_id),
		UNIT_TEST(test_api_publish_is_forbidden_to_who_may_not),
		UNIT_TEST(test_api_publish_keys_are_of_a_subject_and_a_channel),
		UNIT_TEST(test_api_publish_refuses_by_code_and_counts),
		UNIT_TEST(test_api_publish_answers_each_line_of_a_batch),
		UNIT_TEST(test_api_publish_takes_no_part_of_a_batch_that_is_too_long),
		UNIT_TEST(test_api_publish_lets_a_batch_be_longer_than_a_message),
		UNIT_TEST(test_api_publish_waits_for_its_backend),
		UNIT_TEST(test_api_publish_tells_what_its_backend_could_not),
		UNIT_TEST(test_api_publish_ends_without_anybody_to_tell),
		UNIT_TEST(test_api_publish_without_memory_says_so_and_keeps_nothing),
		UNIT_TEST(test_api_publish_over_a_limit_is_429_with_the_time_to_wait),
		UNIT_TEST(test_api_publish_takes_a_request_for_what_it_refuses),
		{ NULL, NULL },
	};
	int status = unit_main("api_publish", tests);
	sl_buffer_finish(&answer);
	forget_head();
	return status;
}
