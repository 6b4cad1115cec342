#include "core/tls_names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"

/* Labels are not empty; the underscore is no host's, and is used nevertheless. */
int
sl_tls_name_normalize(const char *text, size_t len, bool with_wildcard, char out[SL_TLS_NAME_MAX])
{
	size_t first = with_wildcard && len > 2 && memcmp(text, "*.", 2) == 0;
	len -= len > 0 && text[len - 1] == '.';
	if (len <= 2 * first || len >= SL_TLS_NAME_MAX)
		return SL_EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool is_dot = c == '.' && i > 0 && i + 1 < len && text[i - 1] != '.';
		bool is_letter = isalnum(c) || c == '-' || c == '_';
		if (!is_dot && !is_letter && i >= first)
			return SL_EINVAL;
		out[i] = (char)tolower(c);
	}
	out[len] = '\0';
	return 0;
}

bool
sl_tls_name_widen(const char *name, char out[SL_TLS_NAME_MAX])
{
	const char *rest = strchr(name, '.');
	if (!rest || name[0] == '*')
		return false;
	snprintf(out, SL_TLS_NAME_MAX, "*%s", rest);
	return true;
}

static bool
lists(const struct sl_tls_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->names[i], name) == 0)
			return true;
	return false;
}

int
sl_tls_names_add(struct sl_tls_names *names, const char *text, size_t len)
{
	char name[SL_TLS_NAME_MAX];
	int err = sl_tls_name_normalize(text, len, true, name);
	if (err != 0 || lists(names, name))
		return err;
	char **more = realloc(names->names, (names->count + 1) * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	names->names = more;
	more[names->count] = strdup(name);
	if (!more[names->count])
		return SL_ENOMEM;
	names->count++;
	return 0;
}

void
sl_tls_names_finish(struct sl_tls_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct sl_tls_names){ 0 };
}
