#include "bench/results/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"

#define PLACE "@REPORT@"

void
bench_html_append_json(struct sl_buffer *out, const char *json)
{
	while (*json) {
		size_t plain = strcspn(json, "<");
		sl_buffer_append(out, json, plain);
		json += plain;
		if (*json == '<') {
			sl_buffer_append_str(out, "\\u003c");
			json++;
		}
	}
}

static int
read_file(struct sl_buffer *out, const char *path)
{
	char bytes[16384];
	size_t got;
	FILE *file = fopen(path, "re");
	if (!file)
		return SL_ENOENT;
	while ((got = fread(bytes, 1, sizeof bytes, file)) > 0)
		sl_buffer_append(out, bytes, got);
	int err = ferror(file) ? SL_EIO : sl_buffer_status(out);
	fclose(file);
	return err;
}

static int
write_file(const struct sl_buffer *bytes, const char *path)
{
	FILE *file = fopen(path, "we");
	if (!file)
		return SL_EIO;
	size_t written = fwrite(bytes->bytes, 1, bytes->len, file);
	return fclose(file) == 0 && written == bytes->len ? 0 : SL_EIO;
}

int
bench_html_write(const struct bench_report *report, const char *template_path, const char *path)
{
	struct sl_buffer template = SL_BUFFER_INIT, page = SL_BUFFER_INIT;
	char *json = json_dumps(report->root, JSON_COMPACT | JSON_REAL_PRECISION(6));
	int err = json ? read_file(&template, template_path) : SL_ENOMEM;
	const char *place = err || !template.len ? NULL
		: memmem(template.bytes, template.len, PLACE, strlen(PLACE));
	if (!err && !place)
		err = SL_ESYNTAX;
	if (!err) {
		const char *after = place + strlen(PLACE);
		sl_buffer_append(&page, template.bytes, (size_t)(place - template.bytes));
		bench_html_append_json(&page, json);
		sl_buffer_append(&page, after, template.len - (size_t)(after - template.bytes));
		err = sl_buffer_status(&page);
	}
	if (!err)
		err = write_file(&page, path);
	sl_buffer_finish(&template);
	sl_buffer_finish(&page);
	free(json);
	return err;
}
