#include "app.h"
#include "config.h"

int
main(int argc, char **argv)
{
	struct sl_config config;
	struct sl_app app;
	if (sl_config_parse(&config, argc, argv) != 0)
		return SL_CONFIG_EXIT_REFUSED;
	if (config.action != SL_CONFIG_RUN) {
		sl_config_finish(&config);
		return 0;
	}
	if (sl_app_init(&app, &config) != 0)
		return 1;
	int err = sl_app_run(&app);
	sl_app_finish(&app);
	return err != 0;
}
