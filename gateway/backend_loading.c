#include "backend_loading.h"

#include <stdio.h>
#include <string.h>

#include "bus/backends.h"
#include "config/config.h"
#include "util/err.h"

#define ERROR_SIZE 512

/* The configuration takes no other name. */
static const struct sl_backend_kind *
find_kind(const struct sl_config *config)
{
	const struct sl_backend_kind *kind = sl_backends;
	while (kind->name && strcmp(kind->name, config->backend) != 0)
		kind++;
	return kind->name ? kind : NULL;
}

int
sl_backend_loading_create(struct sl_backend **out, const struct sl_config *config)
{
	const struct sl_backend_kind *kind = find_kind(config);
	return kind ? kind->create(out, config) : SL_EINVAL;
}

int
sl_backend_loading_check(const struct sl_config *config)
{
	char error[ERROR_SIZE];
	const struct sl_backend_kind *kind = find_kind(config);
	int err = kind && kind->check ? kind->check(config, error, sizeof error) : 0;
	if (err != 0)
		fprintf(stderr, "sluice: %s\n", err == SL_EINVAL ? error : sl_strerror(err));
	return err;
}
