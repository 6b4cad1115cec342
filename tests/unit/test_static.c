#include "http/static.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/http_client.h"
#include "util/err.h"

static struct live_world world;
static struct world_client client;
static char folder[] = "/tmp/sluice-static-XXXXXX";

static void
write_file(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	if (!file)
		abort();
	fputs(text, file);
	fclose(file);
}

static const char *
ask(const char *target, const char *fields)
{
	char request[512];
	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", target, fields);
	return http_ask(&client, &world, request);
}

static void
test_static_serves_its_folders_and_nothing_else(void)
{
	static const struct { const char *target; unsigned status; const char *in_answer; } cases[] = {
		{ "/", 200, "Content-Type: text/html; charset=utf-8" },
		{ "/", 200, "Content-Security-Policy: default-src 'self'" },
		{ "/", 200, "Referrer-Policy: no-referrer\r\n" },
		{ "/client/a.js", 200, "\r\n\r\nlet a\n" },
		{ "/client/a.js?v=1", 200, "Content-Type: text/javascript; charset=utf-8" },
		{ "/client/a.js", 200, "Cache-Control: no-cache\r\n" },
		{ "/client/a.js", 200, "X-Content-Type-Options: nosniff\r\n" },
		{ "/client/a.js", 200, "Vary: Origin\r\n" },
		{ "/client/deep/b.css", 200, "text/css" },
		{ "/client/", 404, "not_found" },
		{ "/client/../index.html", 404, "not_found" },
		{ "/client/%61.js", 404, "not_found" },
		{ "/client/.hidden.js", 404, "not_found" },
		{ "/client/program", 404, "not_found" }, /* of no known type */
		{ "/secret.html", 404, "not_found" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *answer = ask(cases[i].target, "");
		CU_ASSERT_TRUE(http_is(answer, cases[i].status));
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, cases[i].in_answer));
	}
}

static void
test_static_says_that_a_file_has_not_changed(void)
{
	char etag[64], fields[256];
	CU_ASSERT_EQUAL_FATAL(sscanf(strstr(ask("/client/a.js", ""), "ETag: "), "ETag: %60s", etag), 1);
	static const struct { const char *before; unsigned status; } cases[] = {
		{ "If-None-Match: ", 304 },
		{ "If-None-Match: W/", 304 },
		{ "If-None-Match: \"x\", ", 304 },
		{ "If-None-Match: \"x\"\r\nIf-None-Match: ", 304 },
		{ "If-None-Match: *\r\nX: ", 304 },
		{ "If-None-Match: \"x\"\r\nX: ", 200 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(fields, sizeof fields, "%s%s\r\n", cases[i].before, etag);
		const char *answer = ask("/client/a.js", fields);
		CU_ASSERT_TRUE(http_is(answer, cases[i].status));
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, etag));
		CU_ASSERT_EQUAL(strstr(answer, "Content-Length") == NULL, cases[i].status == 304);
	}
	snprintf(fields, sizeof fields, "If-None-Match: *\r\n");
	CU_ASSERT_TRUE(http_is(ask("/client/none.js", fields), 404));
}

static void
test_static_folder_that_is_not_there_has_no_files(void)
{
	struct sl_static *files = NULL;
	CU_ASSERT_EQUAL(sl_static_load(&files, "/nonexistent"), 0);
	sl_static_destroy(files);
	sl_static_destroy(NULL);
}

static void
test_static_without_memory_has_no_files(void)
{
	for_each_failing_allocation(failing) {
		struct sl_static *files = NULL;
		int err = sl_static_load(&files, folder);
		failing_expect(err);
		if (err == 0)
			sl_static_destroy(files);
	}
}

static void
expect_load(int expected)
{
	struct sl_static *files = NULL;
	int err = sl_static_load(&files, folder);
	CU_ASSERT_EQUAL(err, expected);
	if (err == 0)
		sl_static_destroy(files);
}

static void
test_static_loads_files_up_to_a_size_a_number_and_a_depth(void)
{
	char path[128], name[64];
	snprintf(path, sizeof path, "%s/client/big.js", folder);
	write_file("client/big.js", "");
	CU_ASSERT_EQUAL(truncate(path, 4 << 20), 0);
	expect_load(0);
	CU_ASSERT_EQUAL(truncate(path, (4 << 20) + 1), 0);
	expect_load(SL_ETOOBIG);
	remove(path);
	for (int count = 3; count <= 501; count++) { /* beside index.html, a.js and b.css */
		snprintf(name, sizeof name, "client/n%d.js", count);
		if (count >= 500)
			expect_load(count == 500 ? 0 : SL_ETOOBIG);
		write_file(name, "");
	}
	for (int count = 3; count <= 501; count++) {
		snprintf(path, sizeof path, "%s/client/n%d.js", folder, count);
		remove(path);
	}
	size_t len = (size_t)snprintf(path, sizeof path, "%s/client", folder);
	for (int depth = 1; depth <= 4; depth++) {
		len += (size_t)snprintf(path + len, sizeof path - len, "/d");
		CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
		errno = ENOENT; /* means nothing here */
		expect_load(depth < 4 ? 0 : SL_ETOOBIG);
	}
	for (int depth = 4; depth >= 1; depth--, path[len -= 2] = '\0')
		remove(path);
	expect_load(0);
}

static void
test_static_folder_that_cannot_be_read_is_an_error(void)
{
	char path[128];
	snprintf(path, sizeof path, "%s/demo", folder);
	write_file("demo", ""); /* is no folder */
	expect_load(SL_EIO);
	remove(path);
	CU_ASSERT_EQUAL(symlink("nowhere", path), 0);
	expect_load(0); /* is not there */
	remove(path);
	snprintf(path, sizeof path, "%s/client/gone.js", folder);
	CU_ASSERT_EQUAL(symlink("nowhere", path), 0);
	expect_load(SL_EIO);
	remove(path);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_static_serves_its_folders_and_nothing_else),
		UNIT_TEST(test_static_says_that_a_file_has_not_changed),
		UNIT_TEST(test_static_folder_that_is_not_there_has_no_files),
		UNIT_TEST(test_static_without_memory_has_no_files),
		UNIT_TEST(test_static_loads_files_up_to_a_size_a_number_and_a_depth),
		UNIT_TEST(test_static_folder_that_cannot_be_read_is_an_error),
		{ NULL, NULL },
	};
	static const char *const names[] = { "client/deep/b.css", "client/a.js", "client/.hidden.js",
		"client/program", "index.html", "secret.html", "client/deep", "client", "." };
	char path[128], option[64];
	const char *options[] = { option, NULL };
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/client", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/client/deep", folder);
	mkdir(path, 0700);
	for (int i = 0; i < 6; i++)
		write_file(names[i], i == 1 ? "let a\n" : "x");
	snprintf(option, sizeof option, "--web=%s", folder);
	world_open(&world, options);
	http_connect(&client, &world);
	int status = unit_main("static", tests);
	client_close(&client);
	world_settle(&world);
	world_close(&world);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		remove(path);
	}
	return status;
}
