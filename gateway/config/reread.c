#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/options.h"
#include "util/buffer.h"
#include "util/err.h"

static bool
is_value(const struct sl_config_option *option)
{
	return option->kind != SL_CONFIG_HEADING && option->kind != SL_CONFIG_ACTION;
}

/* The option's value as it may be shown, in quotes: new, or NULL without memory. A name may have quotes itself. */
static char *
quote(const struct sl_config_option *option, char *text)
{
	struct sl_buffer quoted = SL_BUFFER_INIT;
	if (!text)
		return NULL;
	sl_config_option_redact(option, text);
	sl_buffer_append_json_string(&quoted, text, strlen(text));
	free(text);
	return sl_buffer_take_string(&quoted);
}

/* Both values as text that may be shown, each new or NULL without memory. Returns whether they are known
 * to differ. */
static bool
compare(const struct sl_config_option *option, const struct sl_config *old,
	const struct sl_config *now, char **old_text, char **now_text)
{
	*old_text = sl_config_option_text(old, option);
	*now_text = sl_config_option_text(now, option);
	bool differs = *old_text && *now_text && strcmp(*old_text, *now_text) != 0;
	*old_text = quote(option, *old_text);
	*now_text = quote(option, *now_text);
	return differs && *old_text && *now_text;
}

static int
keep(struct sl_config *config, const struct sl_config *old, const struct sl_config_option *option)
{
	char *kept, *wanted;
	bool differs = compare(option, old, config, &kept, &wanted);
	int err = kept && wanted ? 0 : SL_ENOMEM;
	if (differs) {
		sl_log(SL_LOG_WARNING, "reload.ignored", "option=%s value=%s in_force=%s "
			"reason=\"this option needs a restart\"", option->name, wanted, kept);
		err = sl_config_option_copy(config, old, option);
	}
	free(kept);
	free(wanted);
	return err;
}

int
sl_config_reread(const struct sl_config *old, struct sl_config *out)
{
	int err = sl_config_parse_again(out, old);
	if (err != 0) {
		sl_log(SL_LOG_ERROR, "config.refused", "reason=\"%s\"", out->error);
		return err;
	}
	for (size_t i = 0; err == 0 && i < sl_config_option_count; i++) {
		const struct sl_config_option *option = &sl_config_options[i];
		if (is_value(option) && option->needs_restart)
			err = keep(out, old, option);
	}
	if (err == 0) {
		sl_config_fit_open_files(out);
		return 0;
	}
	sl_log(SL_LOG_ERROR, "reload.failed", "error=\"%s\"", sl_strerror(err));
	sl_config_finish(out);
	return err;
}

void
sl_config_log_changes(const struct sl_config *old, const struct sl_config *now)
{
	for (size_t i = 0; i < sl_config_option_count; i++) {
		const struct sl_config_option *option = &sl_config_options[i];
		char *old_text, *now_text;
		if (!is_value(option))
			continue;
		if (compare(option, old, now, &old_text, &now_text))
			sl_log(SL_LOG_INFO, "reload.changed", "option=%s value=%s was=%s", option->name,
				now_text, old_text);
		if (now_text && now->overridden[i])
			sl_log(SL_LOG_INFO, "reload.overridden", "option=%s in_force=%s "
				"reason=\"the command line sets this option, so the file does not change it\"", option->name,
				now_text);
		free(old_text);
		free(now_text);
	}
}
