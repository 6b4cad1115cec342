#include "auth/secret.h"

#include "tests/unit/certificates.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/log.h"

static char error[512];

static struct sl_secret *
create(const char *path)
{
	struct sl_secret *secret;
	error[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(sl_secret_create(&secret, path, error, sizeof error), 0);
	return secret;
}

static bool
are_same(const struct sl_secret *a, const struct sl_secret *b)
{
	uint8_t one[SL_DERIVED_KEY_LEN], two[SL_DERIVED_KEY_LEN];
	CU_ASSERT_EQUAL_FATAL(sl_secret_derive(a, "ticket", one), 0);
	CU_ASSERT_EQUAL_FATAL(sl_secret_derive(b, "ticket", two), 0);
	return memcmp(one, two, sizeof one) == 0;
}

/* HKDF-SHA256 without salt of 32 bytes 'k' and the use "ticket", by another implementation (Python's
 * hmac): extract with 32 zero bytes, expand with "ticket" and 0x01. */
static void
test_secret_derives_by_rfc_5869(void)
{
	static const uint8_t expected[SL_DERIVED_KEY_LEN] = {
		0xd7, 0xd2, 0x54, 0xf2, 0x06, 0xce, 0xa7, 0x0d, 0x7e, 0xa3, 0x1a, 0x54,
		0x7c, 0x48, 0xae, 0xdb, 0xac, 0xa9, 0xd4, 0x91, 0x2f, 0x41, 0xda, 0x8b,
		0xfe, 0xc5, 0x9c, 0xc3, 0xcf, 0xd6, 0xf6, 0x39,
	};
	uint8_t out[SL_DERIVED_KEY_LEN];
	struct sl_secret *secret = create(certificates_write_text("k", "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\n"));
	CU_ASSERT_EQUAL(sl_secret_derive(secret, "ticket", out), 0);
	CU_ASSERT_EQUAL(memcmp(out, expected, sizeof out), 0);
	CU_ASSERT_EQUAL(sl_secret_derive(secret, "cursor", out), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(out, expected, sizeof out), 0);
	sl_secret_destroy(secret);
	sl_secret_destroy(NULL);
}

static void
test_secret_file_is_made_once_for_its_owner_alone(void)
{
	struct stat st;
	const char *path = certificates_path("made");
	struct sl_secret *first = create(path), *second = create(path);
	CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(st.st_size, 97);
	CU_ASSERT_EQUAL(st.st_nlink, 1); /* and its draft is gone */
	CU_ASSERT_TRUE(are_same(first, second));
	sl_secret_destroy(first);
	sl_secret_destroy(second);
}

static void
test_secret_without_a_file_is_another_each_time(void)
{
	struct sl_secret *first = create(NULL), *second = create(NULL);
	CU_ASSERT_FALSE(are_same(first, second));
	sl_secret_destroy(first);
	sl_secret_destroy(second);
}

static void
expect_refused(const char *path, const char *part)
{
	struct sl_secret *secret;
	CU_ASSERT_EQUAL(sl_secret_create(&secret, path, error, sizeof error), SL_EINVAL);
	CU_ASSERT_PTR_NULL(secret);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, part));
	CU_ASSERT_EQUAL(strncmp(error, "--secret ", 9), 0);
}

static void
test_secret_that_is_none_is_refused_by_name(void)
{
	expect_refused(certificates_write_text("short", "0123456789abcdef0123456789abcde\n"), "31 bytes are too few; use 32");
	expect_refused(certificates_write_text("empty", ""), "0 bytes are too few; use 32");
	expect_refused("/no/such/folder/secret", "cannot make the file (No such file or directory)");
	expect_refused("/dev/null", "not a regular file");
	CU_ASSERT_PTR_NULL(strstr(error, "0123"));
}

static void
test_secret_without_memory(void)
{
	const char *path = certificates_path("memory");
	for_each_failing_allocation(failing) {
		struct sl_secret *secret;
		unlink(path);
		int err = sl_secret_create(&secret, path, error, sizeof error);
		failing_expect(err);
		if (err != 0)
			CU_ASSERT_STRING_EQUAL(error, "--secret: out of memory");
		sl_secret_destroy(secret);
	}
	for_each_failing_allocation(failing) {
		struct sl_secret *secret;
		failing_expect(sl_secret_create(&secret, NULL, error, sizeof error));
		sl_secret_destroy(secret);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_secret_derives_by_rfc_5869),
		UNIT_TEST(test_secret_file_is_made_once_for_its_owner_alone),
		UNIT_TEST(test_secret_without_a_file_is_another_each_time),
		UNIT_TEST(test_secret_that_is_none_is_refused_by_name),
		UNIT_TEST(test_secret_without_memory),
		{ NULL, NULL },
	};
	sl_log_set_level(SL_LOG_ERROR);
	return unit_main("secret", tests);
}
