#include "check/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/log_lines.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/metrics.h"

#define CODE "41K0-GSVG-130P"
#define SECOND_US INT64_C(1000000)
#define DAY_US (86400 * SECOND_US)
#define NOW_US (INT64_C(1795750800) * SECOND_US) /* 2026-11-27T03:40:00Z */
#define NAME(time, number) "check-" time "-" CODE "-" number ".json"

static char folder[] = "test_store_XXXXXX", path[512];
static struct sl_store *store;
static struct sl_metrics metrics;
static _Atomic unsigned wakes;

static void
wake(void)
{
	wakes++;
}

/* ---- the folder ---- */

static const char *
path_of(const char *name)
{
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void
put_file(const char *name)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT, 0600);
	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
}

static bool
has_file(const char *name)
{
	struct stat st;
	return lstat(path_of(name), &st) == 0;
}

static unsigned
count_files(void)
{
	unsigned count = 0;
	DIR *stream = opendir(folder);
	for (const struct dirent *entry; stream && (entry = readdir(stream));)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(stream);
	return count;
}

static void
empty_folder(void)
{
	DIR *stream = opendir(folder);
	for (const struct dirent *entry; stream && (entry = readdir(stream));)
		unlink(path_of(entry->d_name));
	closedir(stream);
}

static uint64_t
counted(enum sl_counter counter)
{
	return metrics.counters[counter];
}

static uint64_t
files_told(void)
{
	struct sl_metrics_sum sum = { 0 };
	sl_metrics_sum_add(&sum, &metrics);
	return sl_metrics_sum_report_files(&sum);
}

/* ---- the store ---- */

static void
begin(void)
{
	empty_folder();
	memset(&metrics, 0, sizeof metrics);
	wakes = 0;
	CU_ASSERT_EQUAL_FATAL(sl_store_create(&store, folder, wake), 0);
	CU_ASSERT_EQUAL(count_files(), 0);
}

static void
end(void)
{
	sl_store_destroy(store);
	store = NULL;
}

/* Without an assertion, for threads. */
static int
push_quietly(const char *text, int64_t now_us, size_t *left)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	sl_buffer_append_str(&bytes, text);
	int err = sl_store_push(store, &bytes, CODE, now_us);
	*left = bytes.len;
	sl_buffer_finish(&bytes);
	return err;
}

static int
push(const char *text, int64_t now_us)
{
	size_t left;
	int err = push_quietly(text, now_us, &left);
	CU_ASSERT_EQUAL(left, err == 0 ? 0 : strlen(text));
	return err;
}

static uint64_t
run(int64_t now_us)
{
	return sl_store_run(store, &metrics, now_us);
}

static void
expect_content(const char *name, const char *text)
{
	char found[64] = "";
	int fd = open(path_of(name), O_RDONLY);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(read(fd, found, sizeof found - 1), (ssize_t)strlen(text));
	CU_ASSERT_STRING_EQUAL(found, text);
	close(fd);
}

static void
test_store_writes_a_report_under_its_time_and_code(void)
{
	struct stat st;
	mode_t before = umask(0);
	begin();
	CU_ASSERT_EQUAL(push("{\"one\":1}\n", NOW_US + SECOND_US - 1), 0);
	CU_ASSERT_EQUAL(wakes, 1);
	CU_ASSERT_EQUAL(count_files(), 0);
	CU_ASSERT_EQUAL(run(NOW_US + 5 * SECOND_US), 3600000);
	umask(before);
	expect_content(NAME("20261127T034000Z", "00"), "{\"one\":1}\n");
	CU_ASSERT_EQUAL(lstat(path_of(NAME("20261127T034000Z", "00")), &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0640);
	CU_ASSERT_EQUAL(count_files(), 1);
	CU_ASSERT_EQUAL(files_told(), 1);
	end();
}

static void
test_store_tells_equal_names_apart_by_number(void)
{
	begin();
	put_file(NAME("20261127T034000Z", "01"));
	CU_ASSERT_EQUAL(push("first", NOW_US), 0);
	CU_ASSERT_EQUAL(push("second", NOW_US), 0);
	run(NOW_US);
	expect_content(NAME("20261127T034000Z", "00"), "first");
	expect_content(NAME("20261127T034000Z", "02"), "second");
	for (unsigned i = 3; i < 100; i++) {
		char name[64];
		snprintf(name, sizeof name, "check-20261127T034000Z-" CODE "-%02u.json", i);
		put_file(name);
	}
	CU_ASSERT_EQUAL(push("one too many", NOW_US), 0);
	run(NOW_US);
	expect_content(NAME("20261127T034001Z", "00"), "one too many");
	end();
}

static void
test_store_keeps_the_newest_thousand(void)
{
	begin();
	for (unsigned i = 0; i < 1002; i++) {
		char name[64];
		snprintf(name, sizeof name, "check-20261126T%02u%02u00Z-" CODE "-%02u.json", i / 50 % 24,
			i % 50, i / 1200);
		put_file(name);
	}
	CU_ASSERT_EQUAL(count_files(), 1002);
	run(NOW_US);
	CU_ASSERT_EQUAL(count_files(), 1000);
	CU_ASSERT_EQUAL(files_told(), 1000);
	CU_ASSERT_FALSE(has_file(NAME("20261126T000100Z", "00")));
	CU_ASSERT_TRUE(has_file(NAME("20261126T000200Z", "00")));
	CU_ASSERT_EQUAL(push("new", NOW_US), 0);
	run(NOW_US);
	CU_ASSERT_EQUAL(count_files(), 1000);
	CU_ASSERT_FALSE(has_file(NAME("20261126T000200Z", "00")));
	CU_ASSERT_TRUE(has_file(NAME("20261127T034000Z", "00")));
	CU_ASSERT_EQUAL(counted(SL_COUNTER_CHECK_REPORT_FILES_REMOVED), 3);
	end();
}

static void
test_store_keeps_a_report_for_thirty_days(void)
{
	begin();
	CU_ASSERT_EQUAL(push("old", NOW_US), 0);
	CU_ASSERT_EQUAL(push("newer", NOW_US + SECOND_US), 0);
	run(NOW_US + 30 * DAY_US);
	CU_ASSERT_EQUAL(count_files(), 2);
	run(NOW_US + 30 * DAY_US + SECOND_US);
	CU_ASSERT_FALSE(has_file(NAME("20261127T034000Z", "00")));
	CU_ASSERT_TRUE(has_file(NAME("20261127T034001Z", "00")));
	CU_ASSERT_EQUAL(files_told(), 1);
	end();
}

static void
test_store_leaves_the_files_of_others_alone(void)
{
	static const char *const others[] = { "check-20160101T000000Z-" CODE "-00.json.bak", "notes.txt",
		"check-20160101T000000Z-41K0-GSVG-130p-00.json", "check-20160101T000000-" CODE "-00.json",
		"xcheck-20160101T000000Z-" CODE "-0.json", "check-.json", ".check-20160101T000000Z.json" };
	size_t count = sizeof others / sizeof *others;
	begin();
	for (size_t i = 0; i < count; i++)
		put_file(others[i]);
	put_file(NAME("20160101T000000Z", "00"));
	run(NOW_US);
	CU_ASSERT_EQUAL(count_files(), count);
	CU_ASSERT_EQUAL(files_told(), 0);
	end();
}

static void
test_store_tells_of_what_is_there_though_somebody_else_removes_it(void)
{
	begin();
	push("one", NOW_US);
	push("two", NOW_US + SECOND_US);
	run(NOW_US);
	CU_ASSERT_EQUAL(files_told(), 2);
	unlink(path_of(NAME("20261127T034000Z", "00")));
	run(NOW_US);
	CU_ASSERT_EQUAL(files_told(), 1);
	end();
	CU_ASSERT_EQUAL(sl_store_create(&store, folder, wake), 0);
	memset(&metrics, 0, sizeof metrics);
	run(NOW_US);
	CU_ASSERT_EQUAL(files_told(), 1);
	end();
}

static void
test_store_takes_no_more_than_may_wait(void)
{
	begin();
	for (unsigned i = 0; i < SL_STORE_QUEUE; i++) {
		CU_ASSERT_TRUE(sl_store_has_room(store));
		CU_ASSERT_EQUAL(push("waits", NOW_US), 0);
	}
	CU_ASSERT_FALSE(sl_store_has_room(store));
	CU_ASSERT_EQUAL(push("refused", NOW_US), SL_EFULL);
	CU_ASSERT_EQUAL(wakes, SL_STORE_QUEUE);
	run(NOW_US);
	CU_ASSERT_EQUAL(count_files(), SL_STORE_QUEUE);
	CU_ASSERT_EQUAL(push("taken again", NOW_US), 0);
	run(NOW_US);
	CU_ASSERT_EQUAL(count_files(), SL_STORE_QUEUE + 1);
	end();
}

static void
test_store_keeps_what_it_could_not_write_and_tries_again(void)
{
	begin();
	push("first", NOW_US);
	push("second", NOW_US + SECOND_US);
	CU_ASSERT_EQUAL_FATAL(rename(folder, "test_store_away"), 0);
	log_lines_begin();
	CU_ASSERT_EQUAL(run(NOW_US), 10000);
	const char *log = log_lines_end();
	CU_ASSERT_PTR_NOT_NULL(strstr(log, "check.report_not_written"));
	CU_ASSERT_PTR_NOT_NULL(strstr(log, "error=\"No such file or directory\""));
	CU_ASSERT_EQUAL(counted(SL_COUNTER_CHECK_REPORT_WRITES_FAILED), 1);
	CU_ASSERT_EQUAL_FATAL(rename("test_store_away", folder), 0);
	CU_ASSERT_EQUAL(run(NOW_US), 3600000);
	expect_content(NAME("20261127T034000Z", "00"), "first");
	expect_content(NAME("20261127T034001Z", "00"), "second");
	end();
}

static void
test_store_that_ends_before_it_could_write_says_what_is_lost(void)
{
	begin();
	push("lost", NOW_US);
	log_lines_begin();
	end();
	CU_ASSERT_PTR_NOT_NULL(strstr(log_lines_end(), "check.reports_lost count=1 folder="));
}

static void
test_store_waits_for_another_gateway_and_clears_up_after_a_dead_one(void)
{
	const struct timespec long_ago[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	begin();
	put_file(".check-report.new");
	push("text", NOW_US);
	log_lines_begin();
	CU_ASSERT_EQUAL(run(NOW_US), 10000);
	CU_ASSERT_PTR_NOT_NULL(strstr(log_lines_end(), "File exists"));
	CU_ASSERT_EQUAL(utimensat(AT_FDCWD, path_of(".check-report.new"), long_ago, 0), 0);
	CU_ASSERT_EQUAL(run(NOW_US), 3600000);
	CU_ASSERT_EQUAL(count_files(), 1);
	end();
}

static void
test_store_needs_a_folder(void)
{
	struct sl_store *none;
	begin();
	end();
	put_file("file");
	CU_ASSERT_EQUAL(sl_store_create(&none, path_of("file"), wake), SL_EIO);
	CU_ASSERT_EQUAL(errno, ENOTDIR);
	CU_ASSERT_EQUAL(sl_store_create(&none, path_of("missing"), wake), SL_EIO);
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_EQUAL(sl_store_create(&none, "/proc/self", wake), SL_EIO);
}

static void *
push_many(void *arg)
{
	size_t left;
	for (unsigned i = 0; i < 200; i++)
		while (push_quietly(arg, NOW_US, &left) != 0)
			sched_yield();
	return NULL;
}

static void
test_store_writes_while_others_push(void)
{
	pthread_t threads[2];
	char texts[2][8] = { "left", "right" };
	begin();
	for (int i = 0; i < 2; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, push_many, texts[i]), 0);
	while (wakes < 400)
		run(NOW_US);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	run(NOW_US);
	CU_ASSERT_EQUAL(count_files(), 400);
	CU_ASSERT_EQUAL(files_told(), 400);
	end();
}

static void
test_store_without_memory_is_none(void)
{
	empty_folder();
	for_each_failing_allocation(failing) {
		struct sl_store *own = NULL;
		int err = sl_store_create(&own, folder, wake);
		failing_expect(err);
		sl_store_destroy(own);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_store_writes_a_report_under_its_time_and_code),
		UNIT_TEST(test_store_tells_equal_names_apart_by_number),
		UNIT_TEST(test_store_keeps_the_newest_thousand),
		UNIT_TEST(test_store_keeps_a_report_for_thirty_days),
		UNIT_TEST(test_store_leaves_the_files_of_others_alone),
		UNIT_TEST(test_store_tells_of_what_is_there_though_somebody_else_removes_it),
		UNIT_TEST(test_store_takes_no_more_than_may_wait),
		UNIT_TEST(test_store_keeps_what_it_could_not_write_and_tries_again),
		UNIT_TEST(test_store_that_ends_before_it_could_write_says_what_is_lost),
		UNIT_TEST(test_store_waits_for_another_gateway_and_clears_up_after_a_dead_one),
		UNIT_TEST(test_store_needs_a_folder),
		UNIT_TEST(test_store_writes_while_others_push),
		UNIT_TEST(test_store_without_memory_is_none),
		{ NULL, NULL },
	};
	if (!mkdtemp(folder))
		return 2;
	int status = unit_main("store", tests);
	empty_folder();
	rmdir(folder);
	return status;
}
