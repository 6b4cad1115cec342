/* Backends: the backends of a program, by their names for `--backend`.
 * Owner: constants. Thread: any. Errors: as each create says.
 *
 * gateway/backends.c defines the table. The program for tests defines a longer one (tests/backend/backends.c). */
#ifndef SL_BUS_BACKENDS_H
#define SL_BUS_BACKENDS_H

#include <stddef.h>

struct sl_backend;
struct sl_config;

struct sl_backend_kind {
	const char *name;

	/* `config` is borrowed until the bus is destroyed. */
	int (*create)(struct sl_backend **out, const struct sl_config *config);

	/* Optional. Checks, before anything is started, whether create would refuse `config`. Errors: SL_EINVAL and
	 * a sentence, SL_ENOMEM. */
	int (*check)(const struct sl_config *config, char *error, size_t error_size);
};

/* The last entry has the name NULL. The names are those of sl_config_backends (config/options.h), which the
 * same file defines. */
extern const struct sl_backend_kind sl_backends[];

#endif
