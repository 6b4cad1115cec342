#include "http/content.h"

#include "tests/unit/unit.h"
#include "util/err.h"

/* In a block of just its size. */
static int
read_type(const char *value, struct sl_content *content)
{
	size_t len = value ? strlen(value) : 0;
	char *copy = malloc(len ? len : 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	memcpy(copy, value ? value : "", len);
	int err = sl_content_read_type((struct sl_span){ value ? copy : NULL, len }, content);
	free(copy);
	return err;
}

static bool
is_identity(const char *value)
{
	return sl_content_is_identity((struct sl_span){ value, value ? strlen(value) : 0 });
}

static void
expect_type(const char *value, enum sl_payload_type wanted)
{
	struct sl_content content = { true, (enum sl_payload_type)-1 };
	int err = read_type(value, &content);
	CU_ASSERT_EQUAL(err, 0);
	CU_ASSERT_EQUAL(content.type, wanted);
	CU_ASSERT_FALSE(content.is_batch);
	if (err != 0 || content.type != wanted)
		printf("\n    %s\n", value);
}

static void
expect_refused(const char *value, int wanted)
{
	struct sl_content content;
	int err = read_type(value, &content);
	CU_ASSERT_EQUAL(err, wanted);
	if (err != wanted)
		printf("\n    %s\n", value ? value : "none");
}

static void
test_content_type_is_the_media_type_in_any_case(void)
{
	expect_type("application/json", SL_JSON);
	expect_type("APPLICATION/Json", SL_JSON);
	expect_type("text/plain", SL_TEXT);
	expect_type("application/octet-stream", SL_BINARY);
	static const char *const others[] = { NULL, "", " ", ";", "text", "text/", "text/plainer", "text/html",
		"application/json,text/plain", "json", "application/x-www-form-urlencoded", "image/png" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		expect_refused(others[i], SL_EINVAL);
}

static void
test_content_type_of_a_batch_is_ndjson(void)
{
	struct sl_content content = { 0 };
	CU_ASSERT_EQUAL(read_type("Application/X-NDJSON; charset=utf-8", &content), 0);
	CU_ASSERT_TRUE(content.is_batch);
	expect_refused("application/x-ndjson; charset=utf-16", SL_EUTF8);
	expect_refused("application/ndjson", SL_EINVAL);
}

static void
test_content_type_takes_utf8_and_ascii_however_written(void)
{
	static const char *const values[] = { "text/plain;charset=utf-8", "text/plain; charset=UTF-8",
		"text/plain ; charset=\"utf-8\"", "text/plain;charset=utf8", "text/plain; Charset=us-ascii",
		"text/plain;format=flowed;charset=utf-8;delsp=yes", "text/plain; charset=utf-8;",
		"text/plain; x=\"charset=latin1\"", "text/plain; x=\"a\\\"; charset=latin1\"",
		"text/plain; xcharset=latin1", "text/plain;", "text/plain; charset", "text/plain; x",
		"text/plain;charset=\"utf-8" };
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		expect_type(values[i], SL_TEXT);
	expect_type("application/json;charset=utf-8", SL_JSON);
}

static void
test_content_type_refuses_other_charsets_of_text(void)
{
	static const char *const values[] = { "text/plain;charset=iso-8859-1", "text/plain; charset=utf-16",
		"text/plain; CHARSET=Windows-1252", "text/plain;charset=\"latin1\"", "text/plain;charset=",
		"text/plain;charset=\"\"", "text/plain charset=latin1",
		"text/plain;charset=utf-8;charset=latin1", "text/plain;charset=\"utf\\-8\"",
		"text/plain;x=y;;charset=utf-80", "application/json; charset=utf-16le" };
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		expect_refused(values[i], SL_EUTF8);
	expect_type("application/octet-stream;charset=iso-8859-1", SL_BINARY); /* it has none */
}

static void
test_content_encoding_is_identity_or_nothing(void)
{
	static const char *const identity[] = { NULL, "", "identity", "Identity", " identity\t",
		"identity, identity", ",", "identity," };
	static const char *const others[] = { "gzip", "identity, gzip", "gzip, identity", "br", "deflate",
		"x-gzip", "aws-chunked", "identity;q=1", "identityx", "ident ity" };
	for (size_t i = 0; i < sizeof identity / sizeof *identity; i++)
		CU_ASSERT_TRUE(is_identity(identity[i]));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		CU_ASSERT_FALSE(is_identity(others[i]));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_content_type_is_the_media_type_in_any_case),
		UNIT_TEST(test_content_type_of_a_batch_is_ndjson),
		UNIT_TEST(test_content_type_takes_utf8_and_ascii_however_written),
		UNIT_TEST(test_content_type_refuses_other_charsets_of_text),
		UNIT_TEST(test_content_encoding_is_identity_or_nothing),
		{ NULL, NULL },
	};
	return unit_main("content", tests);
}
