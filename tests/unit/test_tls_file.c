#include "core/tls_file.h"

#include "tests/unit/certificates.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/log_lines.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static char text[512];
static const struct sl_tls_error error = { text, sizeof text };

static void
test_tls_file_is_read_whole(void)
{
	struct sl_tls_file file;
	CU_ASSERT_EQUAL_FATAL(sl_tls_file_read(&file, "--x", certificates_write("a", "one\0two", 7), error), 0);
	CU_ASSERT_EQUAL(file.len, 7);
	CU_ASSERT_EQUAL(memcmp(file.bytes, "one\0two", 8), 0);
	sl_tls_file_finish(&file);
	CU_ASSERT_PTR_NULL(file.bytes);
	sl_tls_file_finish(&file);
	CU_ASSERT_EQUAL_FATAL(sl_tls_file_read(&file, "--x", certificates_write_text("a", ""), error), 0);
	CU_ASSERT_EQUAL(file.len, 0);
	sl_tls_file_finish(&file);
}

static void
expect_refusal(const char *path, const char *why)
{
	struct sl_tls_file file;
	char expected[512];
	snprintf(expected, sizeof expected, "--x %s: %s", path, why);
	CU_ASSERT_EQUAL(sl_tls_file_read(&file, "--x", path, error), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(text, expected);
	CU_ASSERT_PTR_NULL(file.bytes);
}

static void
test_tls_file_that_is_none_is_refused_by_name_and_reason(void)
{
	expect_refusal(certificates_path("missing"), "cannot read the file (No such file or directory); use the path of a file that sluice may read");
	expect_refusal("/", "not a regular file; use the path of a file");
	expect_refusal("/dev/zero", "not a regular file; use the path of a file");
	const char *fifo = certificates_path("fifo");
	CU_ASSERT_EQUAL_FATAL(mkfifo(fifo, 0600), 0);
	expect_refusal(fifo, "not a regular file; use the path of a file"); /* and nobody waits for its writer */
}

static void
test_tls_file_that_is_too_large_is_refused(void)
{
	const char *path = certificates_write_text("large", "x");
	struct sl_tls_file file;
	CU_ASSERT_EQUAL_FATAL(truncate(path, SL_TLS_FILE_BYTES_MAX), 0);
	CU_ASSERT_EQUAL(sl_tls_file_read(&file, "--x", path, error), 0);
	sl_tls_file_finish(&file);
	CU_ASSERT_EQUAL_FATAL(truncate(path, SL_TLS_FILE_BYTES_MAX + 1), 0);
	expect_refusal(path, "1048577 bytes are too many; use a file of at most 1 MiB");
}

static bool
warns(const char *path, mode_t mode)
{
	struct sl_tls_file file;
	chmod(path, mode);
	log_lines_begin();
	CU_ASSERT_EQUAL(sl_tls_file_read_secret(&file, "--x", path, error), 0);
	const char *said = log_lines_end();
	sl_tls_file_finish(&file);
	return strstr(said, "warning tls.exposed option=--x") && strstr(said, path);
}

static void
test_tls_file_of_a_secret_that_others_can_read_is_warned_of(void)
{
	const char *path = certificates_write_text("secret", "x");
	CU_ASSERT_FALSE(warns(path, 0600));
	CU_ASSERT_FALSE(warns(path, 0640)); /* a group for keys is how services get them */
	CU_ASSERT_TRUE(warns(path, 0604));
	CU_ASSERT_TRUE(warns(path, 0602 | 0400));
}

static void
test_tls_file_without_memory_is_an_error(void)
{
	const char *path = certificates_write_text("a", "text");
	for_each_failing_allocation(failing) {
		struct sl_tls_file file;
		failing_expect(sl_tls_file_read(&file, "--x", path, error));
		sl_tls_file_finish(&file);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_tls_file_is_read_whole),
		UNIT_TEST(test_tls_file_that_is_none_is_refused_by_name_and_reason),
		UNIT_TEST(test_tls_file_that_is_too_large_is_refused),
		UNIT_TEST(test_tls_file_of_a_secret_that_others_can_read_is_warned_of),
		UNIT_TEST(test_tls_file_without_memory_is_an_error),
		{ NULL, NULL },
	};
	return unit_main("tls_file", tests);
}
