#include "config/raise.h"

#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "util/buffer.h"
#include "util/err.h"

#define OWNER_BITS 64 /* of an IPv6 address: whoever has one has all that begin so */
#define SUBJECT "subject:"

/* ---- one entry ---- */

static int
read_factor(const char *text, uint32_t *out)
{
	uint64_t factor = SL_RAISE_OFF;
	int err = strcmp(text, "off") == 0 ? 0 : sl_config_value_count(text, 1, SL_RAISE_MAX, &factor);
	*out = (uint32_t)factor;
	return err;
}

/* Takes `who`, and changes it. */
static int
read_who(struct sl_raise *raise, char *who)
{
	size_t prefix_len = strlen(SUBJECT);
	if (strncmp(who, SUBJECT, prefix_len) != 0) {
		int err = sl_network_parse(&raise->network, who);
		free(who);
		return err;
	}
	memmove(who, who + prefix_len, strlen(who + prefix_len) + 1);
	raise->subject = who;
	return *who ? 0 : SL_EINVAL;
}

static int
read_raise(struct sl_raise *raise, const char *text)
{
	const char *sign = strrchr(text, '=');
	*raise = (struct sl_raise){ 0 };
	int err = sign ? read_factor(sign + 1, &raise->factor) : SL_EINVAL;
	if (err != 0)
		return err;
	char *who = strndup(text, (size_t)(sign - text));
	return who ? read_who(raise, who) : SL_ENOMEM;
}

static bool
has_address(const struct sl_raise *raise, const uint8_t ip[16])
{
	struct sl_network network = raise->network;
	const struct sl_network_list list = { .networks = &network, .count = 1 };
	if (raise->subject)
		return false;
	if (!sl_network_is_ipv4(network.bytes) && network.prefix > OWNER_BITS)
		network.prefix = OWNER_BITS;
	return sl_network_list_has(&list, ip);
}

static bool
has_subject(const struct sl_raise *raise, const char *subject)
{
	size_t len = raise->subject ? strlen(raise->subject) : 0;
	if (len == 0)
		return false;
	if (raise->subject[len - 1] == '*')
		return strncmp(raise->subject, subject, len - 1) == 0;
	return strcmp(raise->subject, subject) == 0;
}

/* ---- the list ---- */

/* Takes what `raise` owns, also when it fails. */
static int
append(struct sl_raise_list *list, const struct sl_raise *raise)
{
	struct sl_raise *more = realloc(list->raises, (list->count + 1) * sizeof *more);
	if (!more) {
		free(raise->subject);
		return SL_ENOMEM;
	}
	list->raises = more;
	more[list->count++] = *raise;
	return 0;
}

int
sl_raise_list_add(struct sl_raise_list *list, const char *text)
{
	struct sl_raise raise;
	int err = read_raise(&raise, text);
	if (err == 0)
		return append(list, &raise);
	free(raise.subject);
	return err;
}

void
sl_raise_list_append_text(const struct sl_raise_list *list, size_t index, struct sl_buffer *out)
{
	const struct sl_raise *raise = &list->raises[index];
	char network[SL_NETWORK_TEXT_MAX];
	if (raise->subject) {
		sl_buffer_append_str(out, SUBJECT);
		sl_buffer_append_str(out, raise->subject);
	} else {
		sl_network_format(&raise->network, network);
		sl_buffer_append_str(out, network);
	}
	sl_buffer_append_char(out, '=');
	if (raise->factor == SL_RAISE_OFF)
		sl_buffer_append_str(out, "off");
	else
		sl_buffer_append_u64(out, raise->factor);
}

int
sl_raise_list_copy(struct sl_raise_list *out, const struct sl_raise_list *from)
{
	int err = 0;
	*out = (struct sl_raise_list){ 0 };
	for (size_t i = 0; err == 0 && i < from->count; i++) {
		struct sl_raise raise = from->raises[i];
		if (raise.subject && !(raise.subject = strdup(raise.subject)))
			err = SL_ENOMEM;
		else
			err = append(out, &raise);
	}
	if (err != 0)
		sl_raise_list_finish(out);
	return err;
}

void
sl_raise_list_finish(struct sl_raise_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->raises[i].subject);
	free(list->raises);
	*list = (struct sl_raise_list){ 0 };
}

uint32_t
sl_raise_list_find_address(const struct sl_raise_list *list, const uint8_t ip[16])
{
	for (size_t i = 0; i < list->count; i++)
		if (has_address(&list->raises[i], ip))
			return list->raises[i].factor;
	return 1;
}

uint32_t
sl_raise_list_find_subject(const struct sl_raise_list *list, const char *subject)
{
	for (size_t i = 0; i < list->count; i++)
		if (has_subject(&list->raises[i], subject))
			return list->raises[i].factor;
	return 1;
}
