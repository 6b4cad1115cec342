#include "bench/load/files.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static char folder[64];

/* `name` may stand in folders that are there. */
static void
write_file(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "we");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(text, file);
	fclose(file);
}

static void
make_folder(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0755), 0);
}

static void
remove_all(const char *const *names)
{
	char path[128];
	for (; *names; names++) {
		snprintf(path, sizeof path, "%s/%s", folder, *names);
		CU_ASSERT_EQUAL(remove(path), 0);
	}
	CU_ASSERT_EQUAL(rmdir(folder), 0);
}

static void
begin(void)
{
	strcpy(folder, "/tmp/sluice-files-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

static void
test_files_are_those_that_a_browser_loads_the_page_first(void)
{
	static const char *const written[] = { "index.html", "demo/b.js", "demo/a.css", "demo/x/c.svg",
		"demo/types.d.ts", "demo/.hidden.js", "about.html", "demo/x", "demo", NULL };
	struct bench_files files;
	begin();
	make_folder("demo");
	make_folder("demo/x");
	write_file("index.html", "<p>");
	write_file("demo/b.js", "b");
	write_file("demo/a.css", "");
	write_file("demo/x/c.svg", "12345");
	write_file("demo/types.d.ts", "t");
	write_file("demo/.hidden.js", "h");
	write_file("about.html", "a");
	CU_ASSERT_EQUAL_FATAL(bench_files_list(&files, folder), 0);
	CU_ASSERT_EQUAL_FATAL(files.count, 4);
	CU_ASSERT_STRING_EQUAL(files.list[0].path, "/");
	CU_ASSERT_EQUAL(files.list[0].len, 3);
	CU_ASSERT_STRING_EQUAL(files.list[1].path, "/demo/a.css");
	CU_ASSERT_EQUAL(files.list[1].len, 0);
	CU_ASSERT_STRING_EQUAL(files.list[2].path, "/demo/b.js");
	CU_ASSERT_STRING_EQUAL(files.list[3].path, "/demo/x/c.svg");
	CU_ASSERT_EQUAL(files.list[3].len, 5);
	bench_files_finish(&files);
	remove_all(written);
}

static void
test_folder_without_a_page_has_no_files(void)
{
	static const char *const written[] = { "a.js", NULL };
	struct bench_files files;
	begin();
	write_file("a.js", "a");
	CU_ASSERT_EQUAL(bench_files_list(&files, folder), SL_ENOENT);
	CU_ASSERT_EQUAL(files.count, 0);
	remove_all(written);
	CU_ASSERT_EQUAL(bench_files_list(&files, folder), SL_ENOENT);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_files_are_those_that_a_browser_loads_the_page_first),
		UNIT_TEST(test_folder_without_a_page_has_no_files),
		{ NULL, NULL },
	};
	return unit_main("bench files", tests);
}
