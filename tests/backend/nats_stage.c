#include "tests/backend/nats_stage.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bus/backends.h"
#include "config/config.h"
#include "tests/backend/nats_server.h"
#include "util/err.h"

static const struct sl_backend_kind *kind;
static struct nats_server server;
static struct sl_config config;
static char bus_name[16];
static unsigned bus_count;

const char *
nats_stage_open(void)
{
	for (kind = sl_backends; kind->name && strcmp(kind->name, "nats") != 0;)
		kind++;
	if (!kind->name)
		return "this build is without NATS (libnats-dev)";
	switch (nats_server_start(&server)) {
	case 0:
		return NULL;
	case SL_ENOENT:
		return "nats-server is not installed";
	default:
		return "nats-server does not start";
	}
}

void
nats_stage_close(void)
{
	sl_config_finish(&config);
	nats_server_stop(&server);
}

int
nats_stage_create(struct sl_backend **out, size_t keys_max)
{
	const char *argv[] = { "sluice", "--backend", "nats", "--nats", server.url, "--nats-bus", bus_name,
		NULL };
	snprintf(bus_name, sizeof bus_name, "stage-%u", ++bus_count);
	sl_config_finish(&config);
	int err = sl_config_parse(&config, (int)(sizeof argv / sizeof *argv) - 1,
		(char **)(uintptr_t)argv);
	if (err)
		return err;
	config.argv = NULL; /* which was this call's */
	config.idempotency_keys = keys_max;
	return kind->create(out, &config);
}

int
nats_stage_create_again(struct sl_backend **out)
{
	return kind->create(out, &config);
}

void
nats_stage_pause(void)
{
	nats_server_pause(&server);
}

void
nats_stage_resume(void)
{
	nats_server_resume(&server);
}
