#include "auth/strict_json.h"

#include "util/err.h"
#include "util/json_check.h"

static int
refuse(const char **why, const char *reason)
{
	*why = reason;
	return SL_EINVAL;
}

int
sl_strict_json_load(json_t **out, struct sl_span text, const char **why)
{
	json_error_t error;
	*out = NULL;
	/* jansson recurses, this does not. */
	int err = sl_json_check(text.bytes, text.len, SL_STRICT_JSON_DEPTH);
	if (err == SL_ETOODEEP)
		return refuse(why, "is nested too deeply");
	if (err != 0)
		return refuse(why, "is not a JSON object");
	json_t *root = json_loadb(text.bytes, text.len, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(root)) {
		*out = root;
		return 0;
	}
	json_decref(root);
	/* Not every failed allocation of jansson has its code; none has a text then. */
	if (!root && (error.text[0] == '\0' || json_error_code(&error) == json_error_out_of_memory))
		return SL_ENOMEM;
	if (!root && json_error_code(&error) == json_error_duplicate_key)
		return refuse(why, "has a member twice");
	if (!root && json_error_code(&error) == json_error_numeric_overflow)
		return refuse(why, "has a number that is too large");
	return refuse(why, "is not a JSON object");
}
