/* Words and widths for the terminal. */
#include <stdint.h>
#include <string.h>

#include "bench/results/table.h"

size_t
bench_text_width(const char *text)
{
	size_t width = 0;
	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80; /* RFC 3629: not a later byte */
	return width;
}

void
bench_text_wrap(FILE *out, const char *text, unsigned indent)
{
	size_t column = indent;
	while (*text) {
		size_t bytes = strcspn(text, " ");
		char word[256];
		snprintf(word, sizeof word, "%.*s", (int)bytes, text);
		size_t width = bench_text_width(word);
		if (column > indent && column + 1 + width > BENCH_TABLE_WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, bytes, out);
		column += width;
		text += bytes + strspn(text + bytes, " ");
	}
	fputc('\n', out);
}

static int
write_count(char *out, size_t size, double value, const char *one, const char *many)
{
	return snprintf(out, size, "%.*f %s", value == (double)(long long)value ? 0 : 1, value,
		value == 1 ? one : many);
}

static int
write_axis(char *out, size_t size, const char *axis, const json_t *value)
{
	double number = json_number_value(value);
	if (!json_is_number(value))
		return json_is_string(value) ? snprintf(out, size, "%s", json_string_value(value))
			: json_is_true(value) ? snprintf(out, size, "%s", axis)
			: snprintf(out, size, "no %s", axis);
	if (strcmp(axis, "burst") == 0)
		return number == 1 ? snprintf(out, size, "single messages")
			: snprintf(out, size, "bursts of %.0f", number);
	if (strcmp(axis, "rate") == 0)
		return write_count(out, size, number, "message/s", "messages/s");
	if (strcmp(axis, "payload") == 0)
		return number >= 1024 && (long long)number % 1024 == 0
			? snprintf(out, size, "payload %.0f KiB", number / 1024)
			: snprintf(out, size, "payload %.0f B", number);
	if (strcmp(axis, "subscribers") == 0)
		return write_count(out, size, number, "subscriber", "subscribers");
	if (strcmp(axis, "connections") == 0)
		return write_count(out, size, number, "connection", "connections");
	if (strcmp(axis, "servers") == 0)
		return number == 0 ? snprintf(out, size, "in memory")
			: write_count(out, size, number, "NATS server", "NATS servers");
	if (strcmp(axis, "readers") == 0)
		return write_count(out, size, number, "reader", "readers");
	if (strcmp(axis, "channels") == 0)
		return write_count(out, size, number, "channel", "channels");
	if (strcmp(axis, "cut_s") == 0)
		return snprintf(out, size, "a cut of %g s", number);
	if (strcmp(axis, "interval_s") == 0)
		return snprintf(out, size, "a poll every %g s", number);
	return snprintf(out, size, "%s %g", axis, number);
}

void
bench_case_write(char *out, size_t size, const json_t *params)
{
	const char *axis;
	json_t *value;
	size_t len = 0;
	*out = '\0';
	json_object_foreach((json_t *)(uintptr_t)params, axis, value) {
		int more = len ? snprintf(out + len, size - len, ", ") : 0;
		more += write_axis(out + len + more, size - len - (size_t)more, axis, value);
		if (len + (size_t)more + 32 >= size)
			return;
		len += (size_t)more;
	}
}
