#include "bench/answer.h"

#include <string.h>
#include <strings.h>

bool
bench_answer_field(const struct bench_answer *answer, const char *name,
	const char **value, size_t *value_len)
{
	size_t name_len = strlen(name);
	const char *end = answer->head + answer->head_len;
	const char *line = memchr(answer->head, '\n', answer->head_len);
	while (line && ++line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		const char *stop = next ? next : end;
		if ((size_t)(stop - line) > name_len && line[name_len] == ':'
			&& strncasecmp(line, name, name_len) == 0) {
			line += name_len + 1;
			while (line < stop && *line == ' ')
				line++;
			while (stop > line && (stop[-1] == '\r' || stop[-1] == ' '))
				stop--;
			*value = line;
			*value_len = (size_t)(stop - line);
			return true;
		}
		line = next;
	}
	return false;
}
