#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/options.h"
#include "config/server_url.h"
#include "config/value.h"
#include "util/buffer.h"
#include "util/err.h"

static void *
field_of(struct sl_config *config, const struct sl_config_option *option)
{
	return (char *)config + option->field;
}

static int
set_text(char **field, const char *text)
{
	char *copy = strdup(text);
	if (!copy)
		return SL_ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int
set_choice(char **field, const char *choices, const char *text)
{
	size_t len = strlen(text);
	for (const char *at = choices; *at; at += *at == '|') {
		size_t word = strcspn(at, "|");
		if (word == len && strncmp(at, text, len) == 0)
			return set_text(field, text);
		at += word;
	}
	return SL_EINVAL;
}

/* How many addresses the list at `field` holds. */
static size_t *
listen_count_of(struct sl_config *config, const void *field)
{
	if (field == &config->listen)
		return &config->listen_count;
	return field == &config->tls_listen ? &config->tls_listen_count : &config->admin_listen_count;
}

static int
add_listen(struct sl_listen_address **list, size_t *count, const char *text)
{
	struct sl_listen_address address;
	int err = sl_listen_address_parse(text, &address);
	if (err)
		return err;
	struct sl_listen_address *more = realloc(*list, (*count + 1) * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	*list = more;
	more[(*count)++] = address;
	return 0;
}

static int
add_text(struct sl_text_list *list, const char *text)
{
	if (*text == '\0')
		return SL_EINVAL;
	char **more = realloc(list->texts, (list->count + 1) * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	list->texts = more;
	more[list->count] = strdup(text);
	if (!more[list->count])
		return SL_ENOMEM;
	list->count++;
	return 0;
}

/* One URL, or several with commas between. */
static int
add_servers(struct sl_text_list *list, const char *text)
{
	int err = 0;
	do {
		size_t len = strcspn(text, ",");
		char *url = strndup(text, len);
		if (!url)
			return SL_ENOMEM;
		err = sl_server_url_check(url);
		if (err == 0)
			err = list->count < SL_SERVER_URLS_MAX ? add_text(list, url) : SL_ETOOBIG;
		free(url);
		text += len;
	} while (err == 0 && *text++ == ',');
	return err;
}

static int
add_origin(struct sl_origin_list *list, enum sl_origin_schemes schemes, const char *text)
{
	struct sl_origin *more = realloc(list->origins, (list->count + 1) * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	list->origins = more;
	int err = sl_config_value_origin(text, schemes, &more[list->count]);
	if (err == 0)
		list->count++;
	return err;
}

int
sl_config_option_set(struct sl_config *config, const struct sl_config_option *option,
	const char *text)
{
	void *field = field_of(config, option);
	switch (option->kind) {
	case SL_CONFIG_COUNT: return sl_config_value_count(text, option->min, option->max, field);
	case SL_CONFIG_SIZE: return sl_config_value_size(text, option->min, option->max, field);
	case SL_CONFIG_DURATION: return sl_config_value_duration(text, option->min, option->max, field);
	case SL_CONFIG_FLAG: *(bool *)field = strcmp(text, "true") == 0; return 0;
	case SL_CONFIG_TEXT: return *text ? set_text(field, text) : SL_EINVAL;
	case SL_CONFIG_CHOICE: return set_choice(field, option->choices, text);
	case SL_CONFIG_LEVEL: return sl_log_parse_level(text, field);
	case SL_CONFIG_PATH: return sl_config_value_base_path(text, field);
	case SL_CONFIG_LISTEN: return add_listen(field, listen_count_of(config, field), text);
	case SL_CONFIG_FILES:
	case SL_CONFIG_PATTERNS: return add_text(field, text);
	case SL_CONFIG_SERVERS: return add_servers(field, text);
	case SL_CONFIG_NAME: return sl_config_value_is_name(text) ? set_text(field, text) : SL_EINVAL;
	case SL_CONFIG_ORIGIN:
		return add_origin(field, (enum sl_origin_schemes)option->min, text);
	case SL_CONFIG_NETWORK: return sl_network_list_add(field, text);
	case SL_CONFIG_RAISES: return sl_raise_list_add(field, text);
	case SL_CONFIG_ACTION: config->action = (enum sl_config_action)option->min; return 0;
	case SL_CONFIG_HEADING: break;
	}
	return SL_EINVAL;
}

static bool
is_text_list(const struct sl_config_option *option)
{
	return option->kind == SL_CONFIG_FILES || option->kind == SL_CONFIG_PATTERNS ||
		option->kind == SL_CONFIG_SERVERS;
}

void
sl_config_option_clear(struct sl_config *config, const struct sl_config_option *option)
{
	if (option->kind == SL_CONFIG_LISTEN) {
		struct sl_listen_address **list = field_of(config, option);
		free(*list);
		*list = NULL;
		*listen_count_of(config, list) = 0;
	} else if (is_text_list(option)) {
		struct sl_text_list *list = field_of(config, option);
		for (size_t i = 0; i < list->count; i++)
			free(list->texts[i]);
		free(list->texts);
		*list = (struct sl_text_list){ 0 };
	} else if (option->kind == SL_CONFIG_ORIGIN) {
		struct sl_origin_list *list = field_of(config, option);
		for (size_t i = 0; i < list->count; i++)
			free(list->origins[i].url);
		free(list->origins);
		*list = (struct sl_origin_list){ 0 };
	} else if (option->kind == SL_CONFIG_NETWORK) {
		sl_network_list_finish(field_of(config, option));
	} else if (option->kind == SL_CONFIG_RAISES) {
		sl_raise_list_finish(field_of(config, option));
	}
}

void
sl_config_option_finish(struct sl_config *config, const struct sl_config_option *option)
{
	sl_config_option_clear(config, option);
	if (option->kind == SL_CONFIG_TEXT || option->kind == SL_CONFIG_CHOICE
		|| option->kind == SL_CONFIG_PATH || option->kind == SL_CONFIG_NAME) {
		char **field = field_of(config, option);
		free(*field);
		*field = NULL;
	}
}

static void
append_value(struct sl_buffer *out, const struct sl_config *config,
	const struct sl_config_option *option, size_t index)
{
	const void *field = (const char *)config + option->field;
	char address[SL_LISTEN_ADDRESS_MAX], network[SL_NETWORK_TEXT_MAX];
	switch (option->kind) {
	case SL_CONFIG_COUNT: sl_buffer_append_u64(out, *(const uint64_t *)field); break;
	case SL_CONFIG_SIZE: sl_config_value_append_size(out, *(const uint64_t *)field); break;
	case SL_CONFIG_DURATION:
		sl_buffer_printf(out, "%.12g", (double)*(const uint64_t *)field / 1000);
		break;
	case SL_CONFIG_FLAG: sl_buffer_append_str(out, *(const bool *)field ? "true" : "false"); break;
	case SL_CONFIG_LEVEL:
		sl_buffer_append_str(out, sl_log_level_name(*(const enum sl_log_level *)field));
		break;
	case SL_CONFIG_LISTEN:
		sl_listen_address_format(&(*(struct sl_listen_address *const *)field)[index], address);
		sl_buffer_append_str(out, address);
		break;
	case SL_CONFIG_FILES:
	case SL_CONFIG_SERVERS:
	case SL_CONFIG_PATTERNS:
		sl_buffer_append_str(out, ((const struct sl_text_list *)field)->texts[index]);
		break;
	case SL_CONFIG_ORIGIN:
		sl_buffer_append_str(out, ((const struct sl_origin_list *)field)->origins[index].url);
		break;
	case SL_CONFIG_NETWORK:
		sl_network_list_format(field, index, network);
		sl_buffer_append_str(out, network);
		break;
	case SL_CONFIG_RAISES: sl_raise_list_append_text(field, index, out); break;
	default: sl_buffer_append_str(out, *(char *const *)field);
	}
}

static size_t
count_values(const struct sl_config *config, const struct sl_config_option *option)
{
	const void *field = (const char *)config + option->field;
	switch (option->kind) {
	case SL_CONFIG_LISTEN: return *listen_count_of((struct sl_config *)(uintptr_t)config, field);
	case SL_CONFIG_FILES:
	case SL_CONFIG_SERVERS:
	case SL_CONFIG_PATTERNS: return ((const struct sl_text_list *)field)->count;
	case SL_CONFIG_ORIGIN: return ((const struct sl_origin_list *)field)->count;
	case SL_CONFIG_NETWORK: return sl_network_list_count(field);
	case SL_CONFIG_RAISES: return ((const struct sl_raise_list *)field)->count;
	case SL_CONFIG_TEXT: return *(char *const *)field != NULL;
	case SL_CONFIG_ACTION:
	case SL_CONFIG_HEADING: return 0;
	default: return 1;
	}
}

char *
sl_config_option_text(const struct sl_config *config, const struct sl_config_option *option)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	size_t count = count_values(config, option);
	for (size_t i = 0; i < count; i++) {
		sl_buffer_append_str(&text, i ? "," : "");
		append_value(&text, config, option, i);
	}
	return sl_buffer_take_string(&text);
}

void
sl_config_option_redact(const struct sl_config_option *option, char *text)
{
	if (option->kind == SL_CONFIG_SERVERS)
		sl_server_url_redact(text);
}

int
sl_config_option_copy(struct sl_config *to, const struct sl_config *from,
	const struct sl_config_option *option)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	size_t count = count_values(from, option);
	int err = 0;
	sl_config_option_finish(to, option);
	for (size_t i = 0; err == 0 && i < count; i++) {
		sl_buffer_clear(&text);
		append_value(&text, from, option, i);
		sl_buffer_append_char(&text, '\0');
		err = sl_buffer_status(&text);
		if (err == 0)
			err = sl_config_option_set(to, option, text.bytes);
	}
	sl_buffer_finish(&text);
	if (option->field == offsetof(struct sl_config, listen))
		to->listen_given = from->listen_given;
	return err;
}
