#include "clients/socket_io/sio_names.h"

#include <string.h>

#include "bus/message.h"
#include "util/err.h"

void
sl_sio_names_finish(struct sl_sio_names *names)
{
	sl_buffer_finish(&names->text);
	names->count = 0;
}

bool
sl_sio_names_has(const struct sl_sio_names *names, struct sl_span name)
{
	const char *at = names->text.bytes;
	for (unsigned i = 0; i < names->count; at += names->lens[i++])
		if (names->lens[i] == name.len && memcmp(at, name.bytes, name.len) == 0)
			return true;
	return false;
}

int
sl_sio_names_add(struct sl_sio_names *names, struct sl_span name)
{
	if (!sl_channel_name_valid(name.bytes, name.len)) {
		sl_quote(names->wrong, name);
		return SL_EINVAL;
	}
	if (sl_sio_names_has(names, name))
		return 0;
	if (names->count == SL_CHANNELS_MAX)
		return SL_EFULL;
	int err = sl_buffer_reserve(&names->text, name.len);
	if (err != 0)
		return err;
	sl_buffer_append(&names->text, name.bytes, name.len);
	names->lens[names->count++] = name.len;
	return 0;
}

int
sl_sio_names_add_text(struct sl_sio_names *names, struct sl_span text)
{
	const char *at = text.bytes, *end = at + text.len;
	int err = 0;
	while (err == 0 && at && at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma ? comma : end;
		err = sl_sio_names_add(names, (struct sl_span){ at, (size_t)(stop - at) });
		if (comma == end - 1) /* a name is missing behind it */
			return SL_EINVAL;
		at = comma ? comma + 1 : NULL;
	}
	return err;
}

static int
add_string(struct sl_sio_names *names, struct sl_span value, bool splits)
{
	static const size_t longest = 6 * SL_CHANNEL_MAX * SL_CHANNELS_MAX;
	struct sl_buffer text = SL_BUFFER_INIT;
	struct sl_span raw = sl_json_unquote(value);
	int err = raw.len > longest ? SL_EINVAL : sl_json_string_decode(&text, raw.bytes, raw.len);
	struct sl_span decoded = { text.bytes ? text.bytes : "", text.len };
	if (err == 0)
		err = splits ? sl_sio_names_add_text(names, decoded) : sl_sio_names_add(names, decoded);
	sl_buffer_finish(&text);
	return err == SL_EUTF8 ? SL_EINVAL : err;
}

int
sl_sio_names_add_json(struct sl_sio_names *names, const struct sl_json_member *value, bool splits)
{
	struct sl_json_members elements;
	struct sl_json_member element;
	int err = 0;
	if (value->kind == SL_JSON_STRING)
		return add_string(names, value->value, splits);
	if (sl_json_elements_open(&elements, value->value.bytes, value->value.len) != 0)
		return SL_EINVAL;
	while (err == 0 && sl_json_members_next(&elements, &element))
		err = element.kind == SL_JSON_STRING ? add_string(names, element.value, false) : SL_EINVAL;
	return err;
}

unsigned
sl_sio_names_get(const struct sl_sio_names *names, struct sl_span out[SL_CHANNELS_MAX])
{
	const char *at = names->text.bytes;
	for (unsigned i = 0; i < names->count; at += names->lens[i++])
		out[i] = (struct sl_span){ at, names->lens[i] };
	return names->count;
}
