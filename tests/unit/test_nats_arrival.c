#include "bus/nats_arrival.h"

#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static const struct sl_nats_arrival_limits limits = { "main", 3, 100 };

static struct sl_span
span(const char *text)
{
	return text ? (struct sl_span){ text, strlen(text) } : (struct sl_span){ NULL, 0 };
}

static int
read_as(struct sl_message **out, const char *type, const char *payload)
{
	struct sl_nats_arrival arrival = { .subject = span("sluice.main.chat"), .payload = span(payload),
		.type = span(type) };
	return sl_nats_arrival_read(out, &arrival, &limits);
}

static void
expect_type(enum sl_payload_type type, const char *header, const char *payload)
{
	struct sl_message *message;
	CU_ASSERT_EQUAL_FATAL(read_as(&message, header, payload), 0);
	CU_ASSERT_EQUAL(message->type, type);
	CU_ASSERT_STRING_EQUAL(message->channel, "chat");
	CU_ASSERT_EQUAL(message->payload_len, strlen(payload));
	CU_ASSERT_EQUAL(memcmp(message->payload, payload, strlen(payload)), 0);
	CU_ASSERT_FALSE(message->uncompressed);
	CU_ASSERT_EQUAL(message->owner, 0);
	sl_message_unref(message);
}

static void
test_the_header_says_the_type(void)
{
	expect_type(SL_JSON, "json", "{\"a\":1}");
	expect_type(SL_TEXT, "text", "{\"a\":1}");
	expect_type(SL_BINARY, "binary", "{\"a\":1}");
	expect_type(SL_TEXT, "text", "");
	expect_type(SL_BINARY, "binary", "\xff");
}

static void
test_without_the_header_the_payload_says_it(void)
{
	expect_type(SL_JSON, NULL, "{\"a\":1}");
	expect_type(SL_JSON, NULL, "12");
	expect_type(SL_TEXT, NULL, "hello");
	expect_type(SL_TEXT, NULL, "");
	expect_type(SL_BINARY, NULL, "\xff\xfe");
}

static void
test_a_payload_that_breaks_its_type_is_refused(void)
{
	struct sl_message *message;
	CU_ASSERT_EQUAL(read_as(&message, "json", "{"), SL_ESYNTAX);
	CU_ASSERT_EQUAL(read_as(&message, "json", "\"\xff\""), SL_EUTF8);
	CU_ASSERT_EQUAL(read_as(&message, "text", "\xff"), SL_EUTF8);
	CU_ASSERT_EQUAL(read_as(&message, "json", "[[[[1]]]]"), SL_ETOODEEP);
	CU_ASSERT_EQUAL(read_as(&message, NULL, "[[[[1]]]]"), SL_ETOODEEP);
	CU_ASSERT_EQUAL(read_as(&message, "xml", "a"), SL_EINVAL);
	CU_ASSERT_EQUAL(read_as(&message, "", "a"), SL_EINVAL);
}

static void
test_a_payload_may_be_as_large_as_the_limit(void)
{
	char payload[102];
	struct sl_message *message;
	memset(payload, 'x', sizeof payload);
	payload[100] = '\0';
	expect_type(SL_TEXT, NULL, payload);
	payload[100] = 'x';
	payload[101] = '\0';
	CU_ASSERT_EQUAL(read_as(&message, "binary", payload), SL_ETOOBIG);
}

static void
test_a_channel_that_is_not_legal_is_refused(void)
{
	static const char *const wrong[] = { "sluice.main.a=2Ab", "sluice.main.=C3", "sluice.main.a=C2=80", "sluice.main.a=0A",
		"sluice.other.a", "sluice.main.=61", "other", "sluice.main.=7E" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct sl_message *message;
		struct sl_nats_arrival arrival = { .subject = span(wrong[i]), .payload = span("1") };
		CU_ASSERT_EQUAL(sl_nats_arrival_read(&message, &arrival, &limits), SL_EINVAL);
	}
}

static void
test_a_leased_channel_comes_back(void)
{
	struct sl_message *message;
	struct sl_nats_arrival arrival = { .subject = span("sluice.main.=7Elent.0"), .payload = span("1") };
	CU_ASSERT_EQUAL_FATAL(sl_nats_arrival_read(&message, &arrival, &limits), 0);
	CU_ASSERT_STRING_EQUAL(message->channel, "~lent.0");
	sl_message_unref(message);
}

static uint64_t
owner_of(const char *text)
{
	struct sl_message *message;
	struct sl_nats_arrival arrival = { .subject = span("sluice.main.a"), .payload = span("1"),
		.owner = span(text) };
	CU_ASSERT_EQUAL_FATAL(sl_nats_arrival_read(&message, &arrival, &limits), 0);
	uint64_t owner = message->owner;
	sl_message_unref(message);
	return owner;
}

static void
test_the_owner_is_sixteen_digits_or_nobody(void)
{
	CU_ASSERT_EQUAL(owner_of("0123456789abcdef"), 0x0123456789abcdef);
	CU_ASSERT_EQUAL(owner_of("ffffffffffffffff"), UINT64_MAX);
	CU_ASSERT_EQUAL(owner_of("123456789abcdef"), 0);
	CU_ASSERT_EQUAL(owner_of("00123456789abcdef"), 0);
	CU_ASSERT_EQUAL(owner_of("0123456789ABCDEF"), 0);
	CU_ASSERT_EQUAL(owner_of(""), 0);
}

static void
test_what_must_not_be_compressed_says_so(void)
{
	struct sl_message *message;
	struct sl_nats_arrival arrival = { .subject = span("sluice.main.a"), .payload = span("1"),
		.compress = span("no") };
	CU_ASSERT_EQUAL_FATAL(sl_nats_arrival_read(&message, &arrival, &limits), 0);
	CU_ASSERT_TRUE(message->uncompressed);
	sl_message_unref(message);
}

static int
read_event(struct sl_message **out, const char *event, const char *args, const char *payload)
{
	struct sl_nats_arrival arrival = { .subject = span("sluice.main.a"), .payload = span(payload),
		.event = span(event), .args = span(args) };
	return sl_nats_arrival_read(out, &arrival, &limits);
}

static void
test_an_event_comes_back_with_its_args(void)
{
	struct sl_message *message;
	CU_ASSERT_EQUAL_FATAL(read_event(&message, "chat=20message", NULL, "plain text"), 0);
	CU_ASSERT_STRING_EQUAL(message->event, "chat message");
	CU_ASSERT_EQUAL(message->event_len, 12);
	CU_ASSERT_EQUAL(message->args, SL_ARGS_ONE);
	CU_ASSERT_EQUAL(message->type, SL_TEXT);
	sl_message_unref(message);
	CU_ASSERT_EQUAL_FATAL(read_event(&message, "e", "list", "[1,2]"), 0);
	CU_ASSERT_EQUAL(message->args, SL_ARGS_LIST);
	sl_message_unref(message);
	CU_ASSERT_EQUAL_FATAL(read_event(&message, "e", "binary", "{\"list\":[],\"attachments\":[]}"), 0);
	CU_ASSERT_EQUAL(message->args, SL_ARGS_BINARY);
	sl_message_unref(message);
	CU_ASSERT_EQUAL_FATAL(read_event(&message, NULL, NULL, "1"), 0);
	CU_ASSERT_PTR_NULL(message->event);
	sl_message_unref(message);
}

static void
test_an_event_that_is_not_legal_is_refused(void)
{
	static const struct { const char *event, *args, *payload; } wrong[] = {
		{ "", NULL, "1" }, { "=0A", NULL, "1" }, { "=", NULL, "1" }, { "=FF", NULL, "1" }, { "e", "one", "1" },
		{ "e", "", "1" }, { "e", "list", "1" }, { "e", "binary", "[]" }, { NULL, "list", "[]" },
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct sl_message *message;
		CU_ASSERT_EQUAL(read_event(&message, wrong[i].event, wrong[i].args, wrong[i].payload), SL_EINVAL);
	}
}

static void
test_without_memory_it_says_so_and_leaks_nothing(void)
{
	for_each_failing_allocation(failing) {
		struct sl_message *message = NULL;
		failing_expect(read_as(&message, "text", "needs \"escapes\""));
		sl_message_unref(message);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_the_header_says_the_type),
		UNIT_TEST(test_without_the_header_the_payload_says_it),
		UNIT_TEST(test_a_payload_that_breaks_its_type_is_refused),
		UNIT_TEST(test_a_payload_may_be_as_large_as_the_limit),
		UNIT_TEST(test_a_channel_that_is_not_legal_is_refused),
		UNIT_TEST(test_a_leased_channel_comes_back),
		UNIT_TEST(test_the_owner_is_sixteen_digits_or_nobody),
		UNIT_TEST(test_what_must_not_be_compressed_says_so),
		UNIT_TEST(test_without_memory_it_says_so_and_leaks_nothing),
		UNIT_TEST(test_an_event_comes_back_with_its_args),
		UNIT_TEST(test_an_event_that_is_not_legal_is_refused),
		{ NULL, NULL },
	};
	return unit_main("nats_arrival", tests);
}
