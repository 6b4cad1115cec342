#include "live/publication.h"

#include <string.h>

#include "bus/message.h"
#include "config/config.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static const struct sl_config config = { .max_message_bytes = 20, .max_json_depth = 4 };

/* As the members of {"channel":..,"data":..,"key":..} stand in the text. */
static struct sl_json_member
member(const char *value)
{
	if (!value)
		return (struct sl_json_member){ 0 };
	return (struct sl_json_member){ .value = { value, strlen(value) },
		.kind = *value == '"' ? SL_JSON_STRING : SL_JSON_NUMBER };
}

static int
make(struct sl_publication *out, const char *channel, const char *data, const char *key,
	const char *instead, struct sl_refusal *refusal)
{
	struct sl_publication_members members = { member(channel), member(data), member(key) };
	struct sl_span span = { instead, instead ? strlen(instead) : 0 };
	*refusal = (struct sl_refusal){ 0 };
	return sl_publication_make(out, &members, span, &config, refusal);
}

static void
test_publication_is_what_its_members_say(void)
{
	struct sl_publication publication;
	struct sl_refusal refusal;
	CU_ASSERT_EQUAL_FATAL(make(&publication, "\"a\\u002eb\"", "[1]", "\"12345678\"", NULL, &refusal), 0);
	CU_ASSERT_STRING_EQUAL(publication.message->channel, "a.b"); /* escapes are decoded */
	CU_ASSERT_TRUE(sl_span_equals(publication.key, "12345678"));
	sl_message_unref(publication.message);
	CU_ASSERT_EQUAL_FATAL(make(&publication, NULL, "1", NULL, "c", &refusal), 0);
	CU_ASSERT_STRING_EQUAL(publication.message->channel, "c");
	CU_ASSERT_PTR_NULL(publication.key.bytes);
	sl_message_unref(publication.message);
}

static void
test_publication_refusals_have_the_codes_of_the_protocol(void)
{
	static const struct { const char *channel, *data, *key, *code; } cases[] = {
		{ NULL, "1", NULL, "bad_channel" },
		{ "1", "1", NULL, "bad_channel" },
		{ "\"a..b\"", "1", NULL, "bad_channel" },
		{ "\"a\"", NULL, NULL, "no_data" },
		{ "\"a\"", "\"1234567890123456789\"", NULL, "too_large" },
		{ "\"a\"", "1", "\"short\"", "bad_key" },
		{ "\"a\"", "1", "12345678", "bad_key" },
		{ "\"a\"", "[[[[[1]]]]]", NULL, "too_deep" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sl_publication publication;
		struct sl_refusal refusal;
		CU_ASSERT_TRUE(make(&publication, cases[i].channel, cases[i].data, cases[i].key, NULL,
			&refusal) < 0);
		CU_ASSERT_PTR_NOT_NULL_FATAL(refusal.code);
		CU_ASSERT_STRING_EQUAL(refusal.code, cases[i].code);
		CU_ASSERT_NOT_EQUAL(refusal.message[0], '\0');
	}
}

static void
test_publication_without_memory_is_refused(void)
{
	for_each_failing_allocation(failing) {
		struct sl_publication publication;
		struct sl_refusal refusal;
		int err = make(&publication, "\"a\\u002eb\"", "[1]", "\"1234567\\u0038\"", NULL, &refusal);
		CU_ASSERT_EQUAL(err == 0, refusal.code == NULL);
		if (err == 0)
			sl_message_unref(publication.message);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_publication_is_what_its_members_say),
		UNIT_TEST(test_publication_refusals_have_the_codes_of_the_protocol),
		UNIT_TEST(test_publication_without_memory_is_refused),
		{ NULL, NULL },
	};
	return unit_main("publication", tests);
}
