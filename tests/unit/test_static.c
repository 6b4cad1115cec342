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
write_bytes(const char *name, const char *bytes, size_t len)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	if (!file)
		abort();
	fwrite(bytes, 1, len, file);
	fclose(file);
}

static void
write_file(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

/* Of "let a\n". */
static const char gzip[] = "\x1f\x8b\x08\0\0\0\0\0\2\3\xcbI-QH\xe4\2\0lT\x05\xdf\6\0\0\0";
#define GZIP_LEN (sizeof gzip - 1)

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

/* `fields` with the tag of what is sent for them. */
static void
read_tag(const char *target, const char *fields, char tag[64])
{
	const char *answer = strstr(ask(target, fields), "ETag: ");
	CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
	CU_ASSERT_EQUAL_FATAL(sscanf(answer, "ETag: %60s", tag), 1);
}

static void
test_static_sends_gzip_to_who_takes_it(void)
{
	static const struct { const char *target, *fields; bool is_zipped, is_varied; } cases[] = {
		{ "/client/z.js", "Accept-Encoding: gzip, deflate, br\r\n", true, true },
		{ "/client/z.js", "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", true, true },
		{ "/client/z.js", "", false, true },
		{ "/client/z.js", "Accept-Encoding: gzip;q=0\r\n", false, true },
		{ "/client/a.js", "Accept-Encoding: gzip\r\n", false, false },
		{ "/client/stale.js", "Accept-Encoding: gzip\r\n", false, false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *answer = ask(cases[i].target, cases[i].fields);
		bool is_zipped = cases[i].is_zipped;
		CU_ASSERT_TRUE(http_is(answer, 200));
		CU_ASSERT_EQUAL(strstr(answer, "Content-Encoding: gzip\r\n") != NULL, is_zipped);
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, "text/javascript"));
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, is_zipped ? "Content-Length: 26\r\n" : "Content-Length: 6\r\n"));
		CU_ASSERT_EQUAL(strstr(answer, "Vary: Origin, Accept-Encoding\r\n") != NULL, cases[i].is_varied);
		CU_ASSERT_EQUAL(http_count(answer, "Vary: "), 1);
		CU_ASSERT_EQUAL(memcmp(strstr(answer, "\r\n\r\n") + 4, is_zipped ? "\x1f\x8b\x08" : "let", 3), 0);
	}
	CU_ASSERT_TRUE(http_is(ask("/client/z.js.gz", ""), 404));
	CU_ASSERT_TRUE(http_is(ask("/client/lone.js.gz", ""), 404));
	CU_ASSERT_TRUE(http_is(ask("/client/lone.js", "Accept-Encoding: gzip\r\n"), 404));
}

static void
test_static_gzip_has_a_tag_of_its_own(void)
{
	static const char takes[] = "Accept-Encoding: gzip\r\n";
	char plain[64], zipped[64], fields[256];
	read_tag("/client/z.js", "", plain);
	read_tag("/client/z.js", takes, zipped);
	CU_ASSERT_STRING_NOT_EQUAL(plain, zipped);
	const struct { const char *takes, *tag; unsigned status; } cases[] = {
		{ "", plain, 304 }, { takes, zipped, 304 }, { "", zipped, 200 }, { takes, plain, 200 },
	};
	for (int i = 0; i < 4; i++) {
		snprintf(fields, sizeof fields, "%sIf-None-Match: %s\r\n", cases[i].takes, cases[i].tag);
		const char *answer = ask("/client/z.js", fields);
		CU_ASSERT_TRUE(http_is(answer, cases[i].status));
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Vary: Origin, Accept-Encoding\r\n"));
		CU_ASSERT_EQUAL(strstr(answer, "Content-Encoding") != NULL, *cases[i].takes && i == 3);
	}
}

static void
test_static_gzip_is_described_to_head_and_to_pages_of_other_origins(void)
{
	const char *answer = http_ask(&client, &world, "HEAD /client/z.js HTTP/1.1\r\nHost: localhost\r\n"
		"Accept-Encoding: gzip\r\n\r\n");
	CU_ASSERT_TRUE(http_is(answer, 200));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Content-Encoding: gzip\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Content-Length: 26\r\n"));
	CU_ASSERT_STRING_EQUAL(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	answer = ask("/client/z.js", "Accept-Encoding: gzip\r\nOrigin: " WORLD_ORIGIN "\r\n");
	CU_ASSERT_EQUAL(http_count(answer, "Vary: "), 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Vary: Origin\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Vary: Accept-Encoding\r\n"));
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
	for (int count = 5; count <= 501; count++) { /* beside index.html, a.js, z.js, stale.js and b.css */
		snprintf(name, sizeof name, "client/n%d.js", count);
		if (count >= 500)
			expect_load(count == 500 ? 0 : SL_ETOOBIG);
		write_file(name, "");
	}
	for (int count = 5; count <= 501; count++) {
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
		UNIT_TEST(test_static_sends_gzip_to_who_takes_it),
		UNIT_TEST(test_static_gzip_has_a_tag_of_its_own),
		UNIT_TEST(test_static_gzip_is_described_to_head_and_to_pages_of_other_origins),
		UNIT_TEST(test_static_folder_that_is_not_there_has_no_files),
		UNIT_TEST(test_static_without_memory_has_no_files),
		UNIT_TEST(test_static_loads_files_up_to_a_size_a_number_and_a_depth),
		UNIT_TEST(test_static_folder_that_cannot_be_read_is_an_error),
		{ NULL, NULL },
	};
	static const char *const names[] = { "client/deep/b.css", "client/a.js", "client/.hidden.js",
		"client/program", "index.html", "secret.html", "client/z.js", "client/stale.js",
		"client/z.js.gz", "client/stale.js.gz", "client/lone.js.gz", "client/deep", "client", "." };
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
	write_file("client/z.js", "let a\n");
	write_file("client/stale.js", "let b\n");
	write_bytes("client/z.js.gz", gzip, GZIP_LEN);
	write_bytes("client/stale.js.gz", gzip, GZIP_LEN);
	write_bytes("client/lone.js.gz", gzip, GZIP_LEN);
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
