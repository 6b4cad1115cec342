#include "check/report.h"

#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check/texts.h"
#include "util/err.h"
#include "util/json_check.h"

#define LEVELS 4 /* of objects: report, transports, one of them, its round trip */
#define MS_MAX 600000

/* ---- the form: doc/check-report.schema.json as a table ---- */

enum kind {
	KIND_FLAG, KIND_NUMBER, KIND_WHOLE, KIND_BYTES, KIND_WORD, KIND_TEXT, KIND_TEXTS, KIND_OBJECT,
};

struct member {
	const char *name; /* NULL ends a table */
	enum kind kind;
	bool is_nullable;
	unsigned low, high;           /* NUMBER, WHOLE; of a TEXT the characters, of TEXTS those of each */
	unsigned count;               /* TEXTS: most of them */
	const char *const *words;     /* WORD; ends in NULL */
	const struct member *members; /* OBJECT */
	bool (*is_right)(struct sl_span text);         /* TEXT, TEXTS; NULL: any */
	void (*rewrite)(struct sl_buffer *out, struct sl_span text); /* NULL: as it is */
	const char *expects;          /* of a text with `is_right`: what would be right */
};

#define FLAG(member) { .name = member, .kind = KIND_FLAG }
#define NUMBER(member, max) { .name = member, .kind = KIND_NUMBER, .high = max }
#define MAYBE_MS(member) { .name = member, .kind = KIND_NUMBER, .high = MS_MAX, .is_nullable = true }
#define BYTES(member) { .name = member, .kind = KIND_BYTES, .is_nullable = true }
#define WHOLE(member, min, max) { .name = member, .kind = KIND_WHOLE, .low = min, .high = max }
#define TEXT(member, max) { .name = member, .kind = KIND_TEXT, .high = max }
#define FORM(member, max, test, words) \
	{ .name = member, .kind = KIND_TEXT, .high = max, .is_right = test, .expects = words }
#define OBJECT(member, table) { .name = member, .kind = KIND_OBJECT, .members = table }
#define END { .name = NULL }

static const char *const states[] = { "works", "degraded", "dead", NULL };
static const char *const classes[] = { "works", "slow", "flaky", "buffered", "cached", "compressed",
	"cut", "refused", "swallowed", "missing", NULL };
static const char *const transports[] = { "websocket", "sse", "stream", "longpoll", "poll", NULL };

static const struct member round_trip_members[] = {
	WHOLE("count", 1, 200), NUMBER("p50_ms", MS_MAX), NUMBER("p90_ms", MS_MAX), END,
};
static const struct member silence_members[] = {
	NUMBER("watched_ms", MS_MAX), MAYBE_MS("cut_ms"), END,
};
static const struct member transport_members[] = {
	{ .name = "state", .kind = KIND_WORD, .words = states },
	{ .name = "class", .kind = KIND_WORD, .words = classes },
	TEXT("why", 600), MAYBE_MS("connect_ms"), MAYBE_MS("first_ms"),
	{ .name = "round_trip", .kind = KIND_OBJECT, .members = round_trip_members,
		.is_nullable = true },
	BYTES("largest_up"), BYTES("largest_down"),
	FLAG("buffered"), FLAG("cached"), FLAG("compressed"), FLAG("cut"),
	{ .name = "silence", .kind = KIND_OBJECT, .members = silence_members, .is_nullable = true },
	END,
};
static const struct member transports_members[] = {
	OBJECT("websocket", transport_members), OBJECT("sse", transport_members),
	OBJECT("stream", transport_members), OBJECT("longpoll", transport_members),
	OBJECT("poll", transport_members), END,
};
static const struct member report_members[] = {
	WHOLE("version", 1, 1),
	FORM("made", 20, sl_texts_is_time, "a time of this form: 2026-11-27T03:40:00Z"),
	FORM("code", SL_CODE_LEN, sl_texts_is_code, "12 characters in three groups such as K3V7-92QX-M4TD, "
		"the last one being right"),
	FLAG("patient"), NUMBER("seconds", 300), FLAG("secure"),
	FORM("http", 16, sl_texts_is_http_version, "at most 16 of a to z, 0 to 9, '.', '/' and '-'"),
	{ .name = "choice", .kind = KIND_WORD, .words = transports, .is_nullable = true },
	MAYBE_MS("latency_ms"), MAYBE_MS("base_ms"), TEXT("verdict", 2000),
	{ .name = "advice", .kind = KIND_TEXTS, .count = 10, .high = 400 },
	{ .name = "proxies", .kind = KIND_TEXTS, .count = 10, .high = 200, .is_right = sl_texts_is_proxy,
		.rewrite = sl_texts_append_proxy,
		.expects = "each the name of a field that /probe/head shows, or Via: and its value" },
	OBJECT("transports", transports_members), END,
};
static const struct member whole_report = OBJECT("the report", report_members);

/* ---- refusals: they name members of the table, and say nothing of what came ---- */

struct reading {
	struct sl_buffer *out;
	const struct member *path[LEVELS + 2]; /* from the report to the member that is read */
	unsigned depth;
	char *error;
};

static bool __attribute__((format(printf, 2, 3)))
refuse(struct reading *reading, const char *format, ...)
{
	char *at = reading->error;
	size_t left = SL_REPORT_ERROR_MAX;
	for (unsigned i = reading->depth > 1 ? 1 : 0; i < reading->depth; i++) {
		int len = snprintf(at, left, "%s%s", reading->path[i]->name,
			i + 1 < reading->depth ? "." : ": ");
		at += len;
		left -= (size_t)len; /* names are short: all fits */
	}
	va_list args;
	va_start(args, format);
	vsnprintf(at, left, format, args);
	va_end(args);
	return false;
}

static void
append_word(char *list, const char *word)
{
	size_t len = strlen(list);
	snprintf(list + len, SL_REPORT_ERROR_MAX - len, "%s%s", len ? ", " : "", word);
}

static bool
expect(struct reading *reading, const struct member *member, const char *what)
{
	return refuse(reading, "must be %s%s", what, member->is_nullable ? ", or null" : "");
}

static bool
refuse_range(struct reading *reading, const struct member *member)
{
	char what[64];
	snprintf(what, sizeof what, "a %snumber from %u to %u",
		member->kind == KIND_WHOLE ? "whole " : "", member->low, member->high);
	return expect(reading, member, what);
}

static bool
refuse_word(struct reading *reading, const struct member *member)
{
	char list[SL_REPORT_ERROR_MAX] = "", what[SL_REPORT_ERROR_MAX + 8];
	for (const char *const *word = member->words; *word; word++)
		append_word(list, *word);
	snprintf(what, sizeof what, "one of %s", list);
	return expect(reading, member, what);
}

static bool
refuse_text(struct reading *reading, const struct member *member)
{
	char what[256], count[64] = "a text";
	if (member->kind == KIND_TEXTS)
		snprintf(count, sizeof count, "a list of at most %u texts, each", member->count);
	snprintf(what, sizeof what, "%s of at most %u characters without control characters%s%s", count,
		member->high, member->expects ? ": " : "", member->expects ? member->expects : "");
	return expect(reading, member, what);
}

static bool
refuse_members(struct reading *reading, const struct member *member)
{
	char list[SL_REPORT_ERROR_MAX] = "", what[SL_REPORT_ERROR_MAX + 64];
	for (const struct member *each = member->members; each->name; each++)
		append_word(list, each->name);
	snprintf(what, sizeof what, "an object with these members and no other: %s", list);
	return expect(reading, member, what);
}

/* ---- reading: a value is judged, then written ---- */

static bool read_member(struct reading *reading, const struct member *member, const json_t *value);

static bool
read_flag(struct reading *reading, const struct member *member, const json_t *value)
{
	if (!json_is_boolean(value))
		return expect(reading, member, "true or false");
	sl_buffer_append_str(reading->out, json_is_true(value) ? "true" : "false");
	return true;
}

/* In tenths, without the locale's decimal point. */
static void
append_number(struct sl_buffer *out, double number)
{
	uint64_t tenths = (uint64_t)(number * 10 + 0.5);
	sl_buffer_append_u64(out, tenths / 10);
	if (tenths % 10)
		sl_buffer_printf(out, ".%u", (unsigned)(tenths % 10));
}

static bool
is_whole(double number)
{
	return number == (double)(uint64_t)number;
}

static bool
read_number(struct reading *reading, const struct member *member, const json_t *value)
{
	double number = json_number_value(value);
	bool is_right = json_is_number(value) && number >= member->low && number <= member->high &&
		(member->kind != KIND_WHOLE || is_whole(number));
	if (!is_right)
		return refuse_range(reading, member);
	append_number(reading->out, number);
	return true;
}

static bool
read_bytes(struct reading *reading, const struct member *member, const json_t *value)
{
	double number = json_number_value(value);
	if (!json_is_number(value) ||
			(number != 0 && number != 64 && number != 4096 && number != 65536))
		return expect(reading, member, "one of 0, 64, 4096, 65536");
	append_number(reading->out, number);
	return true;
}

static struct sl_span
span_of(const json_t *string)
{
	return (struct sl_span){ json_string_value(string), json_string_length(string) };
}

static bool
read_word(struct reading *reading, const struct member *member, const json_t *value)
{
	for (const char *const *word = member->words; *word; word++)
		if (json_is_string(value) && sl_span_equals(span_of(value), *word)) {
			sl_buffer_printf(reading->out, "\"%s\"", *word);
			return true;
		}
	return refuse_word(reading, member);
}

static bool
read_text(struct reading *reading, const struct member *member, const json_t *value)
{
	struct sl_span text = span_of(value);
	if (!json_is_string(value) || !sl_texts_is_plain(text, member->high) ||
			(member->is_right && !member->is_right(text)))
		return refuse_text(reading, member);
	struct sl_buffer rewritten = SL_BUFFER_INIT;
	if (member->rewrite) {
		member->rewrite(&rewritten, text);
		text = (struct sl_span){ rewritten.bytes, rewritten.len };
	}
	reading->out->failed |= rewritten.failed;
	sl_buffer_append_json_string(reading->out, text.bytes, text.len);
	sl_buffer_finish(&rewritten);
	return true;
}

static bool
read_texts(struct reading *reading, const struct member *member, const json_t *value)
{
	if (!json_is_array(value) || json_array_size(value) > member->count)
		return refuse_text(reading, member);
	sl_buffer_append_char(reading->out, '[');
	for (size_t i = 0; i < json_array_size(value); i++) {
		sl_buffer_append_str(reading->out, i ? "," : "");
		if (!read_text(reading, member, json_array_get(value, i)))
			return false;
	}
	sl_buffer_append_char(reading->out, ']');
	return true;
}

static bool
read_object(struct reading *reading, const struct member *member, const json_t *value)
{
	size_t count = 0;
	if (!json_is_object(value))
		return refuse_members(reading, member);
	sl_buffer_append_char(reading->out, '{');
	for (const struct member *each = member->members; each->name; each++, count++) {
		const json_t *found = json_object_get(value, each->name);
		if (!found)
			return refuse_members(reading, member);
		sl_buffer_printf(reading->out, "%s\"%s\":", count ? "," : "", each->name);
		if (!read_member(reading, each, found))
			return false;
	}
	sl_buffer_append_char(reading->out, '}');
	return json_object_size(value) == count || refuse_members(reading, member);
}

static bool
read_member(struct reading *reading, const struct member *member, const json_t *value)
{
	static bool (*const kinds[])(struct reading *, const struct member *, const json_t *) = {
		[KIND_FLAG] = read_flag, [KIND_NUMBER] = read_number, [KIND_WHOLE] = read_number,
		[KIND_BYTES] = read_bytes, [KIND_WORD] = read_word, [KIND_TEXT] = read_text,
		[KIND_TEXTS] = read_texts, [KIND_OBJECT] = read_object,
	};
	if (member->is_nullable && json_is_null(value)) {
		sl_buffer_append_str(reading->out, "null");
		return true;
	}
	reading->path[reading->depth++] = member;
	bool is_right = kinds[member->kind](reading, member, value);
	reading->depth--;
	return is_right;
}

/* ---- the code says the same as the report ---- */

/* The place of a word that is known to be there; `none` for null. */
static unsigned
find_place(const char *const *words, const json_t *value, unsigned none)
{
	unsigned place = 0;
	if (!json_is_string(value))
		return none;
	while (!sl_span_equals(span_of(value), words[place]))
		place++;
	return place;
}

static bool
refuse_code(struct reading *reading, const char *member)
{
	snprintf(reading->error, SL_REPORT_ERROR_MAX,
		"code: must be that of this report: its %s is another", member);
	return false;
}

/* The coarse times are not compared: a browser makes them before it rounds what it sends. */
static bool
judge_code(struct reading *reading, const json_t *root, struct sl_report *report)
{
	struct sl_code code;
	struct sl_span text = span_of(json_object_get(root, "code"));
	const json_t *found = json_object_get(root, "transports");
	if (sl_code_read(&code, text) != 0 || code.version != SL_CODE_VERSION)
		return refuse_code(reading, "version");
	if (code.choice != (find_place(transports, json_object_get(root, "choice"), UINT_MAX) + 1) % 8)
		return refuse_code(reading, "choice");
	if (code.secure != json_is_true(json_object_get(root, "secure")))
		return refuse_code(reading, "secure");
	if (code.patient != json_is_true(json_object_get(root, "patient")))
		return refuse_code(reading, "patient");
	for (unsigned i = 0; transports[i]; i++) {
		const json_t *transport = json_object_get(found, transports[i]);
		if (code.classes[i] != find_place(classes, json_object_get(transport, "class"), 0))
			return refuse_code(reading, "class of a transport");
		report->verdicts[i] = (enum sl_verdict)find_place(states,
			json_object_get(transport, "state"), 0);
	}
	memcpy(report->code, text.bytes, SL_CODE_LEN);
	report->code[SL_CODE_LEN] = '\0';
	return true;
}

/* ---- the whole ---- */

static void
refuse_size(char *error)
{
	snprintf(error, SL_REPORT_ERROR_MAX, "a report has at most %d bytes", SL_REPORT_BYTES_MAX);
}

/* Returns new, or NULL with the reason in `error`. */
static json_t *
parse(const char *text, size_t len, char error[SL_REPORT_ERROR_MAX])
{
	json_error_t where;
	if (len > SL_REPORT_BYTES_MAX) {
		refuse_size(error);
		return NULL;
	}
	/* First, since it knows the depth before anything is built. */
	int err = sl_json_check(text, len, LEVELS);
	if (err != 0) {
		snprintf(error, SL_REPORT_ERROR_MAX, err == SL_ETOODEEP ?
			"the body is nested more deeply than a report is" : "the body is not JSON");
		return NULL;
	}
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	if (!root)
		snprintf(error, SL_REPORT_ERROR_MAX, "the body is not JSON in UTF-8 without repeated members "
			"and without numbers that are too large: line %d, column %d", where.line, where.column);
	return root;
}

int
sl_report_read(struct sl_report *out, const char *text, size_t len, char error[SL_REPORT_ERROR_MAX])
{
	*out = (struct sl_report){ .text = SL_BUFFER_INIT };
	json_t *root = parse(text, len, error);
	struct reading reading = { .out = &out->text, .error = error };
	bool is_right = root && read_member(&reading, &whole_report, root) &&
		judge_code(&reading, root, out);
	json_decref(root);
	if (is_right && out->text.len > SL_REPORT_BYTES_MAX) { /* numbers may become longer */
		refuse_size(error);
		is_right = false;
	}
	sl_buffer_append_char(&out->text, '\n');
	int err = is_right ? sl_buffer_status(&out->text) : SL_EINVAL;
	if (err != 0)
		sl_report_finish(out);
	return err;
}

void
sl_report_finish(struct sl_report *report)
{
	sl_buffer_finish(&report->text);
}
