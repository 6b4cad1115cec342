#include <malloc.h>
#include <string.h>

#include "app.h"
#include "auth_loading.h"
#include "backend_loading.h"
#include "config/config.h"
#include "tls_loading.h"
#include "token_command.h"
#include "util/crypto.h"
#include "util/err.h"

/* Each shard's heap grows and shrinks with every connection at its top otherwise: two
 * system calls and a page fault each. */
#define HEAP_PAD_BYTES (1 << 20)

int
main(int argc, char **argv)
{
	struct sl_config config;
	struct sl_app app;
	sl_crypto_keep();
	if (argc > 1 && strcmp(argv[1], "token") == 0)
		return sl_token_command_run(argc - 1, argv + 1);
	mallopt(M_TOP_PAD, HEAP_PAD_BYTES);
	if (sl_config_parse(&config, argc, argv) != 0)
		return SL_CONFIG_EXIT_REFUSED;
	if (config.action != SL_CONFIG_RUN) {
		bool is_refused = config.action == SL_CONFIG_CHECKED &&
			(sl_tls_loading_check(&config) != 0 || sl_auth_loading_check(&config) != 0 ||
			sl_backend_loading_check(&config) != 0);
		sl_config_finish(&config);
		return is_refused ? SL_CONFIG_EXIT_REFUSED : 0;
	}
	int err = sl_app_init(&app, &config);
	if (err == SL_EDRAINING)
		return 0; /* it was ended while it waited for its bus */
	if (err != 0)
		return err == SL_EINVAL ? SL_CONFIG_EXIT_REFUSED : 1;
	err = sl_app_run(&app);
	sl_app_finish(&app);
	return err != 0;
}
