#include "bench/obstacle/control_json.h"

#include <jansson.h>
#include <stdio.h>

#include "util/err.h"

int
ob_faults_read_json(struct ob_fault_set **set, const char *bytes, size_t len,
	const struct ob_fault_set *before, uint64_t now_ms, char *why, size_t why_size)
{
	const char *texts[OB_FAULTS_MAX];
	json_error_t error;
	int err = SL_EINVAL;
	json_t *list = json_loadb(bytes, len, 0, &error);
	if (!list) {
		snprintf(why, why_size, "the body is not JSON: %s", error.text);
		return SL_EINVAL;
	}
	size_t count = json_array_size(list);
	snprintf(why, why_size, "the body is not a list of faults; use a JSON array of at most %d texts", OB_FAULTS_MAX);
	if (!json_is_array(list) || count > OB_FAULTS_MAX)
		goto out;
	for (size_t i = 0; i < count; i++) {
		texts[i] = json_string_value(json_array_get(list, i));
		if (!texts[i])
			goto out;
	}
	err = ob_fault_set_create(set, texts, count, before, now_ms, why, why_size);
out:
	json_decref(list);
	return err;
}

static char *
dump(json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);
	json_decref(value);
	return text;
}

char *
ob_faults_write_json(const struct ob_fault_set *set)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < set->count; i++)
		json_array_append_new(list, json_string(set->faults[i].text));
	return dump(list);
}

char *
ob_types_write_json(void)
{
	json_t *list = json_array();
	for (const struct ob_fault_type *const *family = ob_fault_families; *family; family++)
		for (const struct ob_fault_type *type = *family; type->name; type++) {
			char synopsis[OB_FAULT_TEXT_MAX];
			ob_fault_type_synopsis(type, synopsis, sizeof synopsis);
			json_array_append_new(list, json_pack("{ssssssss}", "name", type->name,
				"synopsis", synopsis, "sentence", type->sentence, "product", type->product));
		}
	return dump(list);
}

char *
ob_counts_write_json(const struct ob_proxy *proxy)
{
	const struct ob_counts *counts = &proxy->counts;
	json_t *faults = json_object();
	for (unsigned i = 0; i < proxy->faults->count; i++)
		json_object_set_new(faults, proxy->faults->faults[i].text,
			json_integer((json_int_t)proxy->faults->faults[i].applied));
	return dump(json_pack("{s{sIsisI}sIs{sIsI}so}", "connections",
		"accepted", (json_int_t)counts->connections, "open", (int)proxy->open,
		"refused", (json_int_t)counts->refused, "requests", (json_int_t)counts->requests,
		"bytes", "up", (json_int_t)counts->bytes[OB_UP], "down",
		(json_int_t)counts->bytes[OB_DOWN], "faults", faults));
}
