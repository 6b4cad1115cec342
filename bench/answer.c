#include "bench/answer.h"

#include <string.h>
#include <strings.h>

#include "util/err.h"

/* "HTTP/1.1 200" */
#define STATUS_LINE_MIN 12

static bool
parse_decimal(const char *text, size_t len, size_t *out)
{
	size_t value = 0;
	if (len == 0 || len > 9)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (size_t)(text[i] - '0');
	}
	*out = value;
	return true;
}

static bool
has_no_body(unsigned status)
{
	return status < 200 || status == 204 || status == 304;
}

int
bench_answer_parse(struct bench_answer *answer, const char *bytes, size_t len)
{
	if (len < STATUS_LINE_MIN)
		return 0;
	size_t status;
	if (memcmp(bytes, "HTTP/1.", 7) != 0 || !parse_decimal(bytes + 9, 3, &status))
		return SL_EPROTO;
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	if (!end)
		return 0;
	*answer = (struct bench_answer){
		.status = (unsigned)status, .head = bytes, .head_len = (size_t)(end + 4 - bytes),
		.body = end + 4,
	};
	if (has_no_body(answer->status))
		return 1;
	const char *value;
	size_t value_len;
	if (!bench_answer_field(answer, "Content-Length", &value, &value_len)
		|| !parse_decimal(value, value_len, &answer->body_len))
		return SL_EPROTO;
	return len - answer->head_len >= answer->body_len;
}

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
