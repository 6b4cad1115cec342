#include "bench/obstacle/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"

/* Where a qualifier's value goes. */
struct qualifier {
	const char *name;
	enum ob_kind kind;
	size_t offset;
};

#define NUMBER(field) offsetof(struct ob_fault, field)

static const struct qualifier qualifiers[] = {
	{ "after", OB_TIME, NUMBER(after_ms) },
	{ "until", OB_TIME, NUMBER(until_ms) },
	{ "age", OB_TIME, NUMBER(age_ms) },
	{ "bytes", OB_SIZE, NUMBER(bytes) },
	{ "share", OB_SHARE, NUMBER(share) },
	{ "path", OB_WORD, NUMBER(path) },
	{ "transport", OB_WORD, NUMBER(transport) },
	{ "method", OB_WORD, NUMBER(method) },
};

static const char *const transports[] = { "websocket", "sse", "stream", "longpoll", "poll",
	"publish", "tunnel", "other", NULL };

const struct ob_fault_type *
ob_fault_type_find(const char *name, size_t len)
{
	for (const struct ob_fault_type *const *family = ob_fault_families; *family; family++)
		for (const struct ob_fault_type *type = *family; type->name; type++)
			if (strlen(type->name) == len && memcmp(type->name, name, len) == 0)
				return type;
	return NULL;
}

void
ob_fault_type_synopsis(const struct ob_fault_type *type, char *text, size_t size)
{
	int len = snprintf(text, size, "%s", type->name);
	for (unsigned i = 0; i < OB_VALUES && type->values[i].kind != OB_NO_VALUE; i++) {
		const struct ob_value_spec *spec = &type->values[i];
		const char *name = ob_kind_name(spec->kind);
		const char *open = spec->fallback ? "[" : "", *close = spec->fallback ? "]" : "";
		if ((size_t)len < size)
			len += snprintf(text + len, size - (size_t)len, "%s%c%s%s", open, i ? ',' : '=', name,
				close);
	}
}

static int
parse_values(struct ob_fault *fault, const char *text, const char *end, char *why, size_t why_size)
{
	const struct ob_fault_type *type = fault->type;
	for (unsigned i = 0; i < OB_VALUES && type->values[i].kind != OB_NO_VALUE; i++) {
		const struct ob_value_spec *spec = &type->values[i];
		const char *comma = text ? memchr(text, ',', (size_t)(end - text)) : NULL;
		const char *stop = comma ? comma : end;
		int err;
		if (text) {
			err = ob_value_parse(spec->kind, text, (size_t)(stop - text), &fault->values[i]);
		} else if (spec->fallback) {
			err = ob_value_parse(spec->kind, spec->fallback, strlen(spec->fallback),
				&fault->values[i]);
		} else {
			err = SL_EINVAL;
		}
		if (err) {
			const char *help = ob_kind_help(spec->kind);
			if (text)
				snprintf(why, why_size, "%s: \"%.*s\" is wrong; value %u is %s", type->name,
					(int)(stop - text), text, i + 1, help);
			else
				snprintf(why, why_size, "%s: value %u is missing; it is %s", type->name, i + 1, help);
			return err;
		}
		text = comma ? comma + 1 : NULL;
	}
	if (!text)
		return 0;
	snprintf(why, why_size, type->values[0].kind ? "%s: too many values; --list shows how many it takes"
		: "%s takes no value",
		type->name);
	return SL_EINVAL;
}

static int
check_transport(const struct ob_fault *fault, char *why, size_t why_size)
{
	if (!fault->transport[0])
		return 0;
	for (const char *const *name = transports; *name; name++)
		if (strcmp(*name, fault->transport) == 0)
			return 0;
	snprintf(why, why_size, "@transport: \"%s\" is unknown; use websocket, sse, stream, longpoll, "
		"poll, publish, tunnel or other", fault->transport);
	return SL_EINVAL;
}

static const struct qualifier *
find_qualifier(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof qualifiers / sizeof *qualifiers; i++)
		if (strlen(qualifiers[i].name) == len && memcmp(qualifiers[i].name, name, len) == 0)
			return &qualifiers[i];
	return NULL;
}

static void
store(struct ob_fault *fault, const struct qualifier *qualifier, const struct ob_value *value)
{
	char *field = (char *)fault + qualifier->offset;
	uint32_t share = (uint32_t)value->number;
	if (qualifier->kind == OB_WORD)
		memcpy(field, value->word, sizeof value->word);
	else if (qualifier->kind == OB_SHARE)
		memcpy(field, &share, sizeof share);
	else
		memcpy(field, &value->number, sizeof value->number);
}

/* `text` begins behind the at-sign. */
static int
parse_qualifier(struct ob_fault *fault, const char *text, const char *end, char *why,
	size_t why_size)
{
	const char *equals = memchr(text, '=', (size_t)(end - text));
	const struct qualifier *qualifier =
		find_qualifier(text, (size_t)((equals ? equals : end) - text));
	struct ob_value value;
	if (!qualifier) {
		snprintf(why, why_size, "unknown qualifier \"@%.*s\"; use after, until, age, bytes, "
			"share, path, transport or method", (int)(end - text), text);
		return SL_EINVAL;
	}
	if (!equals || ob_value_parse(qualifier->kind, equals + 1, (size_t)(end - equals - 1), &value)
		!= 0) {
		snprintf(why, why_size, "\"@%.*s\" is wrong; @%s is %s", (int)(end - text), text, qualifier->name,
			ob_kind_help(qualifier->kind));
		return SL_EINVAL;
	}
	store(fault, qualifier, &value);
	return 0;
}

int
ob_fault_parse(struct ob_fault *fault, const char *text, char *why, size_t why_size)
{
	size_t len = strlen(text);
	memset(fault, 0, sizeof *fault);
	fault->share = OB_MILLION;
	if (len > OB_FAULT_TEXT_MAX) {
		snprintf(why, why_size, "the fault is too long; use at most %d characters", OB_FAULT_TEXT_MAX);
		return SL_EINVAL;
	}
	memcpy(fault->text, text, len + 1);
	const char *at = strchrnul(text, '@');
	const char *equals = memchr(text, '=', (size_t)(at - text));
	size_t name_len = (size_t)((equals ? equals : at) - text);
	fault->type = ob_fault_type_find(text, name_len);
	if (!fault->type) {
		snprintf(why, why_size, "unknown fault \"%.*s\"; --list names all", (int)name_len, text);
		return SL_EINVAL;
	}
	int err = parse_values(fault, equals ? equals + 1 : NULL, at, why, why_size);
	while (!err && *at) {
		const char *next = strchrnul(at + 1, '@');
		err = parse_qualifier(fault, at + 1, next, why, why_size);
		at = next;
	}
	return err ? err : check_transport(fault, why, why_size);
}

bool
ob_fault_is_of_requests(const struct ob_fault *fault)
{
	return fault->path[0] || fault->transport[0] || fault->method[0];
}

static bool
is_there(const struct ob_fault_set *set, const char *text)
{
	for (unsigned i = 0; i < set->count; i++)
		if (strcmp(set->faults[i].text, text) == 0)
			return true;
	return false;
}

static void
inherit(struct ob_fault *fault, const struct ob_fault_set *before)
{
	for (unsigned i = 0; before && i < before->count; i++)
		if (strcmp(before->faults[i].text, fault->text) == 0) {
			fault->set_ms = before->faults[i].set_ms;
			fault->asked = before->faults[i].asked;
			fault->applied = before->faults[i].applied;
		}
}

int
ob_fault_set_create(struct ob_fault_set **set, const char *const *texts, size_t count,
	const struct ob_fault_set *before, uint64_t now_ms, char *why, size_t why_size)
{
	if (count > OB_FAULTS_MAX) {
		snprintf(why, why_size, "%zu faults are too many; use at most %d", count, OB_FAULTS_MAX);
		return SL_ETOOBIG;
	}
	struct ob_fault_set *made = calloc(1, sizeof *made + count * sizeof made->faults[0]);
	if (!made) {
		snprintf(why, why_size, "out of memory");
		return SL_ENOMEM;
	}
	made->refs = 1;
	for (size_t i = 0; i < count; i++) {
		int err = ob_fault_parse(&made->faults[i], texts[i], why, why_size);
		if (!err && is_there(made, texts[i])) {
			snprintf(why, why_size, "the fault \"%s\" is given twice; give it once", texts[i]);
			err = SL_EINVAL;
		}
		if (err) {
			free(made);
			return err;
		}
		made->faults[i].set_ms = now_ms;
		inherit(&made->faults[i], before);
		made->count++;
	}
	*set = made;
	return 0;
}

struct ob_fault_set *
ob_fault_set_ref(struct ob_fault_set *set)
{
	set->refs++;
	return set;
}

void
ob_fault_set_unref(struct ob_fault_set *set)
{
	if (set && --set->refs == 0)
		free(set);
}
