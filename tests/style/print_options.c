/* Prints the table of options: name, argument, default, range, "restart" for those that need one
 * to change, between tabs. */
#include <stdio.h>
#include <stdlib.h>

#include "config/options.h"

int
main(void)
{
	for (size_t i = 0; i < sl_config_option_count; i++) {
		const struct sl_config_option *option = &sl_config_options[i];
		if (!option->name)
			continue;
		char *range = sl_config_option_range(option);
		/* A flag that is on by default is there to be turned off. */
		bool is_on = option->kind == SL_CONFIG_FLAG && option->fallback;
		printf("%s%s\t%s\t%s\t%s\t%s\n", is_on ? "no-" : "", option->name,
			option->arg ? option->arg : "", option->fallback && !is_on ? option->fallback : "",
			range ? range : "", option->needs_restart ? "restart" : "");
		free(range);
	}
	return 0;
}
