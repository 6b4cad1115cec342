#include "bench/peers/template.h"

#include <stdio.h>
#include <string.h>

#include "util/err.h"

/* The setting whose @NAME@ begins at `at`, with the length of that. */
static const struct bench_setting *
find_setting(const char *at, const struct bench_setting *settings, size_t *len)
{
	for (; settings->name; settings++) {
		size_t name_len = strlen(settings->name);
		if (strncmp(at + 1, settings->name, name_len) == 0 && at[1 + name_len] == '@') {
			*len = name_len + 2;
			return settings;
		}
	}
	return NULL;
}

static void
write_line(FILE *out, const char *line, const struct bench_setting *settings)
{
	while (*line) {
		size_t plain = strcspn(line, "@"), len = 1;
		fwrite(line, 1, plain, out);
		line += plain;
		if (*line == '\0')
			return;
		const struct bench_setting *setting = find_setting(line, settings, &len);
		fputs(setting ? setting->value : "@", out);
		line += len;
	}
}

int
bench_template_write(const char *from, const char *to, const struct bench_setting *settings)
{
	char line[512];
	FILE *in = fopen(from, "re");
	if (!in)
		return SL_ENOENT;
	FILE *out = fopen(to, "we");
	while (out && fgets(line, sizeof line, in))
		if (line[strspn(line, " \t")] != '#')
			write_line(out, line, settings);
	fclose(in);
	return out && fclose(out) == 0 ? 0 : SL_EIO;
}
