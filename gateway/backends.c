#include "bus/backends.h"

#include "bus/memory.h"
#include "config/options.h"

const char sl_config_backends[] = "memory";
const char sl_config_backends_note[] = "";

const struct sl_backend_kind sl_backends[] = {
	{ "memory", sl_memory_create },
	{ NULL, NULL },
};
