#include "http/batch.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "auth/principal.h"
#include "bus/bus.h"
#include "tests/backend/slow.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/live_world.h"
#include "tests/unit/somebody.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define POLL_TIMEOUT_MS 30000 /* only a lost answer takes as long */

static struct live_world world;
static struct sl_batch *batch;
static const struct sl_principal *publisher = &sl_principal_everybody;
static unsigned done;

static void
count_done(struct sl_batch_waiter *waiter)
{
	(void)waiter;
	done++;
}

static struct sl_refusal refusal;
static struct sl_owner *owner; /* or nobody */
static struct sl_batch_waiter waiter = { count_done };

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static int
publish(const char *body, const char *channel)
{
	batch = NULL;
	done = 0;
	struct sl_batch_order order = { span(body), { { 0 }, { 0 }, { 0 } }, publisher, owner };
	if (channel)
		order.defaults.channel = span(channel);
	return sl_batch_publish(&batch, &world.shard, &order, &waiter, &refusal);
}

/* The answers so far, with the epoch replaced. */
static const char *
get_answers(unsigned *errors)
{
	static char text[16384];
	struct sl_buffer out = SL_BUFFER_INIT;
	char epoch[16];
	*errors = sl_batch_append_answers(batch, &out);
	sl_buffer_append_char(&out, '\0');
	CU_ASSERT_TRUE_FATAL(out.len <= sizeof text);
	memcpy(text, out.bytes, out.len);
	sl_buffer_finish(&out);
	snprintf(epoch, sizeof epoch, "%08x-", sl_bus_head(world.bus).epoch);
	for (char *at = text; (at = strstr(at, epoch)); at += strlen("EPOCH-")) {
		memcpy(at, "EPOCH-", strlen("EPOCH-"));
		memmove(at + strlen("EPOCH-"), at + strlen(epoch), strlen(at + strlen(epoch)) + 1);
	}
	return text;
}

static void
expect_answers(const char *wanted, unsigned wanted_errors)
{
	unsigned errors;
	const char *answers = get_answers(&errors);
	CU_ASSERT_STRING_EQUAL(answers, wanted);
	CU_ASSERT_EQUAL(errors, wanted_errors);
	if (strcmp(answers, wanted) != 0)
		printf("\n    %s", answers);
	sl_batch_destroy(batch);
}

/* One line, and the code of its answer. */
static void
expect_refused(const char *line, const char *code)
{
	char begin[64];
	unsigned errors;
	CU_ASSERT_EQUAL_FATAL(publish(line, NULL), 0);
	const char *answers = get_answers(&errors);
	snprintf(begin, sizeof begin, "{\"error\":{\"code\":\"%s\",\"message\":\"", code);
	bool fits = strncmp(answers, begin, strlen(begin)) == 0;
	CU_ASSERT_TRUE(fits);
	CU_ASSERT_EQUAL(errors, 1);
	if (!fits)
		printf("\n    %s: %s", line, answers);
	sl_batch_destroy(batch);
}

static uint64_t
count_pending(void)
{
	struct sl_bus_stats stats;
	sl_bus_get_stats(world.bus, &stats);
	return stats.pending_now;
}

static void
wait_for_backend(void)
{
	while (count_pending() > 0) {
		struct pollfd fd = { .fd = world.shard.mailbox.event_fd, .events = POLLIN };
		CU_ASSERT_TRUE_FATAL(poll(&fd, 1, POLL_TIMEOUT_MS) == 1 || count_pending() == 0);
		world_settle(&world);
	}
	world_settle(&world);
}

/* ---- lines ---- */

static void
test_batch_lines_end_with_lf_or_crlf_or_the_body(void)
{
	static const char *const bodies[] = { "{1}\n{2}\n", "{1}\n{2}", "{1}\r\n{2}\r\n",
		"\n\n{1}\n \t\r\n{2}\n\r\n", "{1}\n{2}\n   " };
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct sl_span rest = span(bodies[i]);
		for (int n = 1; n <= 2; n++) {
			struct sl_span line = sl_batch_next_line(&rest);
			CU_ASSERT_TRUE_FATAL(line.len == 3 || (line.len == 4 && line.bytes[3] == '\r'));
			CU_ASSERT_EQUAL(line.bytes[1], '0' + n);
		}
		CU_ASSERT_PTR_NULL(sl_batch_next_line(&rest).bytes);
		CU_ASSERT_PTR_NULL(sl_batch_next_line(&rest).bytes);
	}
	struct sl_span none = { NULL, 0 };
	CU_ASSERT_PTR_NULL(sl_batch_next_line(&none).bytes);
}

static void
test_batch_line_is_an_object_with_members_in_any_order(void)
{
	struct sl_publication_members members;
	CU_ASSERT_EQUAL(sl_batch_read_line(&members, span(
		" {\"d\\u0061ta\" : [1] ,\"more\":{\"key\":1}, \"key\":\"k\",\"channel\":\"c\"}\r"), 2), 0);
	CU_ASSERT_TRUE(sl_span_equals(members.channel.value, "\"c\""));
	CU_ASSERT_TRUE(sl_span_equals(members.data.value, "[1]"));
	CU_ASSERT_TRUE(sl_span_equals(members.key.value, "\"k\""));
	CU_ASSERT_EQUAL(sl_batch_read_line(&members, span("{}"), 2), 0);
	CU_ASSERT_PTR_NULL(members.channel.value.bytes);
	CU_ASSERT_PTR_NULL(members.data.value.bytes);
	CU_ASSERT_EQUAL(sl_batch_read_line(&members, span("{\"data\":[[1]]}"), 2), 0);
	CU_ASSERT_EQUAL(sl_batch_read_line(&members, span("{\"data\":[[[]]]}"), 2), SL_ETOODEEP);
	CU_ASSERT_EQUAL(sl_batch_read_line(&members, span("{\"data\":\"\xff\"}"), 2), SL_EUTF8);
	static const char *const wrong[] = { "[]", "1", "{", "{} {}", "{\"data\":1}}", "\xef\xbb\xbf{}", "x" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CU_ASSERT_EQUAL(sl_batch_read_line(&members, span(wrong[i]), 2), SL_ESYNTAX);
}

/* ---- over the memory backend ---- */

static void
test_batch_lines_have_events_of_their_own(void)
{
	world_open(&world, NULL);
	CU_ASSERT_EQUAL_FATAL(publish(
		"{\"channel\":\"a\",\"data\":1,\"event\":\"one\"}\n"
		"{\"channel\":\"a\",\"data\":[2],\"event\":\"two\",\"args\":\"list\"}\n"
		"{\"channel\":\"a\",\"data\":3,\"event\":\"\"}\n"
		"{\"channel\":\"a\",\"data\":4,\"args\":\"list\"}\n", NULL), 0);
	expect_answers("{\"id\":\"EPOCH-1\"}\n{\"id\":\"EPOCH-2\"}\n"
		"{\"error\":{\"code\":\"bad_event\",\"message\":\"event: \\\"\\\" is not valid; use 1 to 128 bytes of"
		" UTF-8 without control characters\"}}\n"
		"{\"error\":{\"code\":\"bad_args\",\"message\":\"args: there is no event; use args with event only\"}}\n", 2);
	world_close(&world);
}

static void
test_batch_answers_each_line_in_order(void)
{
	world_open(&world, NULL);
	CU_ASSERT_EQUAL_FATAL(publish(
		"{\"channel\":\"a\",\"data\":{\"x\":1}}\n"
		"{\"channel\":\"b\",\"data\":null}\r\n"
		"\n"
		"{\"channel\":\"a.*\",\"data\":1}\n"
		"{\"channel\":\"a\",\"data\":\"two\"}", NULL), 0);
	CU_ASSERT_EQUAL(done, 0);
	expect_answers("{\"id\":\"EPOCH-1\"}\n{\"id\":\"EPOCH-2\"}\n"
		"{\"error\":{\"code\":\"bad_channel\",\"message\":\"channel: \\\"a.*\\\" has a *; use 1 to 255 bytes of UTF-8 "
		"without control characters or *\"}}\n"
		"{\"id\":\"EPOCH-3\"}\n", 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PUBLISHES), 3);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_HTTP, SL_CLASS_MESSAGES_IN), 3);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_HTTP, SL_CLASS_PAYLOAD_BYTES_IN),
		strlen("{\"x\":1}") + strlen("null") + strlen("\"two\""));
	world_close(&world);
}

static void
test_batch_errors_are_told_by_code(void)
{
	static const char *const options[] = { "--max-message=10", "--max-json-depth=2", NULL };
	world_open(&world, options);
	expect_refused("{\"data\":1}", "bad_channel");
	expect_refused("{\"channel\":5,\"data\":1}", "bad_channel");
	expect_refused("{\"channel\":\"a\"}", "no_data");
	expect_refused("{\"channel\":\"a\",\"base64\":\"AA==\"}", "no_data");
	expect_refused("{\"channel\":\"a\",\"data\":\"123456789\"}", "too_large");
	expect_refused("{\"channel\":\"a\",\"data\":[[[1]]]}", "too_deep");
	expect_refused("{\"channel\":\"a\",\"data\":1,\"key\":\"short\"}", "bad_key");
	expect_refused("{\"channel\":\"a\",\"data\":1,\"key\":null}", "bad_key");
	expect_refused("{\"channel\":\"a\",\"data\":01}", "bad_json");
	expect_refused("[{\"channel\":\"a\",\"data\":1}]", "bad_json");
	expect_refused("{\"channel\":\"a\",\"data\":\"\xff\"}", "bad_utf8");
	sl_bus_drain(world.bus);
	expect_refused("{\"channel\":\"a\",\"data\":1}", "draining");
	CU_ASSERT_EQUAL(world_head(&world), 0);
	world_close(&world);
}

static void
test_batch_channel_of_the_query_stands_in_for_a_missing_one(void)
{
	world_open(&world, NULL);
	CU_ASSERT_EQUAL_FATAL(publish("{\"data\":1}\n{\"channel\":\"b\",\"data\":2}\n"
		"{\"channel\":\"\",\"data\":3}", "a"), 0);
	expect_answers("{\"id\":\"EPOCH-1\"}\n{\"id\":\"EPOCH-2\"}\n"
		"{\"error\":{\"code\":\"bad_channel\",\"message\":\"channel: \\\"\\\" is empty; use 1 to 255 bytes of "
		"UTF-8 without control characters or *\"}}\n", 1);
	world_close(&world);
}

static void
test_batch_keys_make_one_message_of_a_repeat(void)
{
	static const char body[] = "{\"channel\":\"a\",\"data\":1,\"key\":\"key-0001\"}\n"
		"{\"channel\":\"b\",\"data\":1,\"key\":\"key-0001\"}\n"
		"{\"channel\":\"a\",\"data\":2,\"key\":\"key-\\u0030001\"}\n";
	world_open(&world, NULL);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL_FATAL(publish(body, NULL), 0);
		expect_answers("{\"id\":\"EPOCH-1\"}\n{\"id\":\"EPOCH-2\"}\n{\"id\":\"EPOCH-1\"}\n", 0);
	}
	CU_ASSERT_EQUAL(world_head(&world), 2);
	world_close(&world);
}

static void
append_lines(struct sl_buffer *body, int count)
{
	for (int i = 0; i < count; i++)
		sl_buffer_printf(body, "{\"channel\":\"a\",\"data\":%d}\n\n", i);
	sl_buffer_append_char(body, '\0');
}

static void
test_batch_has_one_to_a_hundred_lines(void)
{
	world_open(&world, NULL);
	static const char *const empty[] = { "", "\n", " \r\n\t\n" };
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
		CU_ASSERT_EQUAL(publish(empty[i], "a"), SL_ENOENT);
	for (int count = SL_BATCH_LINES_MAX; count <= SL_BATCH_LINES_MAX + 1; count++) {
		struct sl_buffer body = SL_BUFFER_INIT;
		append_lines(&body, count);
		int result = publish(body.bytes, NULL);
		CU_ASSERT_EQUAL(result, count == SL_BATCH_LINES_MAX ? 0 : SL_ETOOBIG);
		sl_batch_destroy(batch);
		sl_buffer_finish(&body);
	}
	CU_ASSERT_EQUAL(world_head(&world), SL_BATCH_LINES_MAX);
	world_close(&world);
}

/* ---- over a backend that answers later ---- */

static void
open_slow(const struct sl_slow_config *config)
{
	struct sl_backend *backend;
	CU_ASSERT_EQUAL_FATAL(sl_slow_create(&backend, config), 0);
	world_open_over(&world, backend, NULL);
}

static void
test_batch_waits_until_every_line_is_known_and_answers_in_order(void)
{
	static const struct sl_slow_config config = { .seed = 7, .store_max_us = 3000,
		.ack_max_us = 3000, .immediate_percent = 20 };
	struct sl_buffer body = SL_BUFFER_INIT;
	unsigned errors, seen = 0;
	open_slow(&config);
	sl_buffer_append_str(&body, "{\"channel\":\"a\"}\n");
	append_lines(&body, 50);
	CU_ASSERT_EQUAL_FATAL(publish(body.bytes, NULL), SL_PENDING);
	CU_ASSERT_EQUAL(done, 0);
	wait_for_backend();
	CU_ASSERT_EQUAL(done, 1);
	const char *answers = get_answers(&errors);
	CU_ASSERT_EQUAL(errors, 1);
	CU_ASSERT_PTR_EQUAL(strstr(answers, "{\"error\":{\"code\":\"no_data\""), answers);
	for (const char *at = strchr(answers, '\n'); (at = strstr(at, "{\"id\":\"EPOCH-")); at++)
		seen++;
	CU_ASSERT_EQUAL(seen, 50);
	sl_batch_destroy(batch);
	sl_buffer_finish(&body);
	world_close(&world);
}

static void
test_batch_failures_of_the_backend_are_each_lines_own(void)
{
	static const struct sl_slow_config config = { .seed = 7, .store_max_us = 100,
		.fail_percent = 50 };
	struct sl_buffer body = SL_BUFFER_INIT;
	unsigned errors;
	open_slow(&config);
	append_lines(&body, 60);
	CU_ASSERT_EQUAL_FATAL(publish(body.bytes, NULL), SL_PENDING);
	wait_for_backend();
	CU_ASSERT_EQUAL(done, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(get_answers(&errors), "{\"error\":{\"code\":\"backend\","));
	CU_ASSERT_TRUE(errors > 0 && errors < 60);
	sl_batch_destroy(batch);
	sl_buffer_finish(&body);
	world_close(&world);
}

static struct sl_batch *left;

static void
destroy_left(struct sl_batch_waiter *unused)
{
	(void)unused;
	sl_batch_destroy(left);
	left = NULL;
	done++;
}

static void
test_batch_that_waits_when_its_shard_ends_is_told_so_once(void)
{
	static const struct sl_slow_config config = { .seed = 7, .store_max_us = 4000,
		.ack_max_us = UINT32_MAX };
	struct sl_batch_waiter leaving = { destroy_left };
	struct sl_buffer body = SL_BUFFER_INIT;
	open_slow(&config);
	append_lines(&body, 40);
	done = 0;
	struct sl_batch_order order = { { body.bytes, body.len - 1 }, { { 0 }, { 0 }, { 0 } }, publisher };
	CU_ASSERT_EQUAL_FATAL(sl_batch_publish(&left, &world.shard, &order, &leaving, &refusal),
		SL_PENDING);
	CU_ASSERT_EQUAL(done, 0);
	world_close(&world);
	CU_ASSERT_EQUAL(done, 1);
	CU_ASSERT_PTR_NULL(left);
	sl_buffer_finish(&body);
}

/* ---- at whose cost ---- */

static void
open_limited(enum sl_limit limit, uint64_t rate)
{
	world_open(&world, NULL);
	world_limit_rate(&world, limit, rate);
	owner = sl_owners_get_subject(world.http.owners, "ann");
}

static void
close_limited(void)
{
	sl_owner_unref(owner);
	owner = NULL;
	world_close(&world);
}

#define LIMITED "{\"error\":{\"code\":\"rate_limited\",\"message\":\"more publishes than --publish-rate " \
	"allows one client; try again in 1 s\",\"retry\":1000}}\n"

/* They keep their order: what is repeated comes behind what was published. */
static void
test_batch_tries_no_line_behind_one_that_is_over_a_limit(void)
{
	open_limited(SL_LIMIT_PUBLISHES, 1);
	CU_ASSERT_EQUAL_FATAL(publish("{\"data\":1}\nnonsense\n{\"data\":2}\n{\"data\":3}\nnonsense\n"
		"{\"data\":4}\n", "a"), 0);
	unsigned errors;
	const char *answers = get_answers(&errors);
	CU_ASSERT_EQUAL(strncmp(answers, "{\"id\":\"EPOCH-1\"}\n{\"error\":{\"code\":\"bad_json\"", 44), 0);
	CU_ASSERT_STRING_EQUAL(strstr(answers, "{\"id\":\"EPOCH-2\"}\n"), "{\"id\":\"EPOCH-2\"}\n"
		LIMITED LIMITED LIMITED);
	CU_ASSERT_EQUAL(errors, 4);
	CU_ASSERT_EQUAL(world_head(&world), 2);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LIMITED_PUBLISHES), 1);
	sl_batch_destroy(batch);
	close_limited();
}

static void
test_batch_whose_first_line_is_over_a_limit_is_refused_whole(void)
{
	open_limited(SL_LIMIT_PUBLISHES, 1);
	CU_ASSERT_EQUAL_FATAL(publish("{\"data\":1}\n{\"data\":2}\n", "a"), 0);
	sl_batch_destroy(batch);
	CU_ASSERT_EQUAL(publish("{\"data\":3}\n{\"data\":4}\n", "a"), SL_ELIMITED);
	CU_ASSERT_PTR_NULL(batch);
	CU_ASSERT_STRING_EQUAL(refusal.code, "rate_limited");
	CU_ASSERT_EQUAL(refusal.retry_ms, 1000);
	CU_ASSERT_EQUAL(world_head(&world), 2);
	close_limited();
}

static void
test_batch_takes_a_request_for_each_line_that_is_refused(void)
{
	open_limited(SL_LIMIT_REQUESTS, 2);
	CU_ASSERT_EQUAL_FATAL(publish("{\"data\":1}\nnonsense\n{\"data\":2}\n{\"channel\":1,\"data\":3}\n",
		"a"), 0);
	sl_batch_destroy(batch);
	unsigned rest = 0;
	while (sl_owner_take(owner, SL_LIMIT_REQUESTS, 1, world.shard.loop.now_ms) == 0)
		rest++;
	CU_ASSERT_EQUAL(rest, 6);
	close_limited();
}

/* ---- who publishes ---- */

static void
test_batch_refuses_the_lines_whose_channels_are_forbidden(void)
{
	struct sl_principal ann;
	somebody_init(&ann, "ann", NULL, "chat.*");
	world_open(&world, NULL);
	publisher = &ann;
	CU_ASSERT_EQUAL_FATAL(publish("{\"data\":1}\n{\"channel\":\"news\",\"data\":2}\n"
		"{\"channel\":\"chat.2\",\"data\":3}", "chat.1"), 0);
	expect_answers("{\"id\":\"EPOCH-1\"}\n{\"error\":{\"code\":\"forbidden\","
		"\"message\":\"this token may not publish to news\"}}\n{\"id\":\"EPOCH-2\"}\n", 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_FORBIDDEN_PUBLISH), 1);
	publisher = &sl_principal_everybody;
	world_close(&world);
	somebody_finish(&ann);
}

/* ---- without memory ---- */

static void
test_batch_without_memory_publishes_nothing_or_says_so_in_a_line(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		world_open(&world, NULL);
		failing_alloc_set(failing.n, failing.is_lasting);
		int err = publish("{\"data\":1}\n{\"data\":2}", "a");
		failing_alloc_off();
		if (err == 0) {
			unsigned errors;
			const char *answers = get_answers(&errors);
			CU_ASSERT_EQUAL(strstr(answers, "\"internal\"") != NULL, errors > 0);
			CU_ASSERT_EQUAL(world_head(&world), 2 - errors);
			CU_ASSERT_TRUE(errors == 0 || failing_alloc_has_failed());
		} else {
			CU_ASSERT_EQUAL(err, SL_ENOMEM);
			CU_ASSERT_PTR_NULL(batch);
			CU_ASSERT_EQUAL(world_head(&world), 0);
		}
		sl_batch_destroy(batch);
		world_close(&world);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_batch_lines_end_with_lf_or_crlf_or_the_body),
		UNIT_TEST(test_batch_line_is_an_object_with_members_in_any_order),
		UNIT_TEST(test_batch_answers_each_line_in_order),
		UNIT_TEST(test_batch_errors_are_told_by_code),
		UNIT_TEST(test_batch_channel_of_the_query_stands_in_for_a_missing_one),
		UNIT_TEST(test_batch_keys_make_one_message_of_a_repeat),
		UNIT_TEST(test_batch_has_one_to_a_hundred_lines),
		UNIT_TEST(test_batch_waits_until_every_line_is_known_and_answers_in_order),
		UNIT_TEST(test_batch_failures_of_the_backend_are_each_lines_own),
		UNIT_TEST(test_batch_that_waits_when_its_shard_ends_is_told_so_once),
		UNIT_TEST(test_batch_tries_no_line_behind_one_that_is_over_a_limit),
		UNIT_TEST(test_batch_whose_first_line_is_over_a_limit_is_refused_whole),
		UNIT_TEST(test_batch_takes_a_request_for_each_line_that_is_refused),
		UNIT_TEST(test_batch_refuses_the_lines_whose_channels_are_forbidden),
		UNIT_TEST(test_batch_without_memory_publishes_nothing_or_says_so_in_a_line),
		UNIT_TEST(test_batch_lines_have_events_of_their_own),
		{ NULL, NULL },
	};
	return unit_main("batch", tests);
}
