#include "auth/revocation_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/revocations.h"
#include "tests/unit/certificates.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/log.h"

#define NOW_S 1790000000
#define DAY_S 86400
#define ANN "{\"subject\":\"ann\",\"until\":1790000000,\"kept\":1790086400}\n"
#define BOB "{\"subject\":\"bob \\\"b\\\" \\\\ \xc3\xa9\",\"until\":1790000001,\"kept\":1790086401}\n"

static char error[512];

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static const char *
read_text(const char *path)
{
	static char text[4096];
	int fd = open(path, O_RDONLY);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static int
open_at(struct sl_revocation_file **file, const char *path, struct sl_revocations *revocations,
	int64_t now_s)
{
	error[0] = '\0';
	return sl_revocation_file_open(file, path, revocations, now_s, error, sizeof error);
}

static void
test_revocation_file_outlasts_the_table(void)
{
	struct sl_revocations *first = sl_revocations_create(10), *second = sl_revocations_create(10);
	struct sl_revocation_file *file;
	struct stat st;
	const char *path = certificates_path("revoked");
	CU_ASSERT_EQUAL_FATAL(open_at(&file, path, first, NOW_S), 0);
	CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0); /* it is there from the start: it can be written */
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(st.st_size, 0);
	CU_ASSERT_EQUAL(sl_revocation_file_run(file, NOW_S), UINT64_MAX);
	sl_revocations_add(first, span("ann"), NOW_S, NOW_S + DAY_S, NOW_S);
	sl_revocations_add(first, span("bob \"b\" \\ \xc3\xa9"), NOW_S + 1, NOW_S + DAY_S + 1, NOW_S);
	CU_ASSERT_EQUAL(sl_revocation_file_run(file, NOW_S), UINT64_MAX);
	CU_ASSERT_STRING_EQUAL(read_text(path), ANN BOB);
	sl_revocation_file_close(file);

	CU_ASSERT_EQUAL_FATAL(open_at(&file, path, second, NOW_S), 0);
	CU_ASSERT_EQUAL(sl_revocations_count(second), 2);
	CU_ASSERT_TRUE(sl_revocations_has(second, span("ann"), NOW_S, NOW_S));
	CU_ASSERT_FALSE(sl_revocations_has(second, span("ann"), NOW_S + 1, NOW_S));
	CU_ASSERT_TRUE(sl_revocations_has(second, span("bob \"b\" \\ \xc3\xa9"), NOW_S + 1, NOW_S));
	sl_revocation_file_close(file);
	sl_revocation_file_close(NULL);
	CU_ASSERT_EQUAL(sl_revocation_file_run(NULL, NOW_S), UINT64_MAX);
	sl_revocations_destroy(first);
	sl_revocations_destroy(second);
}

static void
test_revocation_file_forgets_what_is_over(void)
{
	struct sl_revocations *revocations = sl_revocations_create(1); /* room for one alone */
	struct sl_revocation_file *file;
	const char *path = certificates_write_text("over", ANN BOB);
	CU_ASSERT_EQUAL_FATAL(open_at(&file, path, revocations, NOW_S + DAY_S), 0);
	CU_ASSERT_STRING_EQUAL(read_text(path), BOB);
	sl_revocation_file_close(file);
	sl_revocations_destroy(revocations);
}

static void
test_revocation_file_that_is_not_whole_is_refused(void)
{
	static const char *const bad[] = {
		"{\"subject\":\"ann\",\"until\":1790000000,\"kept\":1790086400}", /* cut at its end */
		ANN "{\"subject\":\"ann\",\"until\":17900\n", ANN "\n", ANN "[]\n", ANN "x\n",
		ANN "{\"subject\":\"\",\"until\":1,\"kept\":2}\n", ANN "{\"until\":1,\"kept\":2}\n",
		ANN "{\"subject\":5,\"until\":1,\"kept\":2}\n", ANN "{\"subject\":\"a\",\"kept\":2}\n",
		ANN "{\"subject\":\"a\",\"until\":-1,\"kept\":2}\n",
		ANN "{\"subject\":\"a\",\"until\":1.5,\"kept\":2}\n",
		ANN "{\"subject\":\"a\",\"until\":1,\"kept\":2,\"more\":3}\n",
		ANN "{\"subject\":\"a\",\"subject\":\"b\",\"until\":1,\"kept\":2}\n",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sl_revocations *revocations = sl_revocations_create(10);
		struct sl_revocation_file *file;
		const char *path = certificates_write_text("bad", bad[i]);
		CU_ASSERT_EQUAL(open_at(&file, path, revocations, NOW_S), SL_EINVAL);
		CU_ASSERT_PTR_NULL(file);
		CU_ASSERT_PTR_NOT_NULL(strstr(error, i == 0 ? ": line 1 is not" : ": line 2 is not"));
		CU_ASSERT_STRING_EQUAL(read_text(path), bad[i]); /* nobody has touched it */
		sl_revocations_destroy(revocations);
	}
}

static void
test_revocation_file_needs_room_and_a_place(void)
{
	struct sl_revocations *revocations = sl_revocations_create(1);
	struct sl_revocation_file *file;
	CU_ASSERT_EQUAL(open_at(&file, certificates_write_text("many", ANN BOB), revocations, NOW_S),
		SL_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "more subjects than --max-revocations allows"));
	CU_ASSERT_EQUAL(open_at(&file, "/missing/folder/file", revocations, NOW_S), SL_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "cannot write the file (No such file or directory)"));
	CU_ASSERT_EQUAL(open_at(&file, certificates_path("."), revocations, NOW_S), SL_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "cannot read the file (Is a directory)"));
	sl_revocations_destroy(revocations);
}

/* As in a folder that has gone. */
static void
test_revocation_file_tries_again(void)
{
	struct sl_revocations *revocations = sl_revocations_create(10);
	struct sl_revocation_file *file;
	char folder[256], path[300];
	snprintf(folder, sizeof folder, "%s", certificates_path("folder"));
	snprintf(path, sizeof path, "%s/revoked", folder);
	CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0700), 0);
	CU_ASSERT_EQUAL_FATAL(open_at(&file, path, revocations, NOW_S), 0);
	unlink(path);
	CU_ASSERT_EQUAL_FATAL(rmdir(folder), 0);
	sl_revocations_add(revocations, span("ann"), NOW_S, NOW_S + DAY_S, NOW_S);
	CU_ASSERT_EQUAL(sl_revocation_file_run(file, NOW_S), SL_REVOCATION_RETRY_MS);
	CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0700), 0);
	CU_ASSERT_EQUAL(sl_revocation_file_run(file, NOW_S), UINT64_MAX);
	CU_ASSERT_STRING_EQUAL(read_text(path), ANN);
	sl_revocation_file_close(file);
	sl_revocations_destroy(revocations);
	unlink(path);
	rmdir(folder);
}

static void
test_revocation_file_without_memory(void)
{
	const char *path = certificates_write_text("memory", ANN);
	for_each_failing_allocation(failing) {
		struct sl_revocations *revocations = sl_revocations_create(10);
		struct sl_revocation_file *file = NULL;
		int err = revocations ? open_at(&file, path, revocations, NOW_S) : SL_ENOMEM;
		failing_expect(err);
		CU_ASSERT_STRING_EQUAL(read_text(path), ANN);
		sl_revocation_file_close(file);
		sl_revocations_destroy(revocations);
	}
}

int
main(void)
{
	sl_log_set_level(SL_LOG_ERROR);
	static const struct unit_test tests[] = {
		UNIT_TEST(test_revocation_file_outlasts_the_table),
		UNIT_TEST(test_revocation_file_forgets_what_is_over),
		UNIT_TEST(test_revocation_file_that_is_not_whole_is_refused),
		UNIT_TEST(test_revocation_file_needs_room_and_a_place),
		UNIT_TEST(test_revocation_file_tries_again),
		UNIT_TEST(test_revocation_file_without_memory),
		{ NULL, NULL },
	};
	return unit_main("revocation file", tests);
}
