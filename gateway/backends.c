#include "bus/backends.h"

#include "autoconf.h"
#include "bus/memory.h"
#include "config/options.h"
#if HAVE_NATS
#include "bus/nats_backend.h"

const char sl_config_backends[] = "memory|nats";
const char sl_config_backends_note[] = "";
#else
const char sl_config_backends[] = "memory";
const char sl_config_backends_note[] = " (this build lacks nats; install libnats-dev, then configure "
	"--with-nats=yes and make)";
#endif

const struct sl_backend_kind sl_backends[] = {
	{ "memory", sl_memory_create, NULL },
#if HAVE_NATS
	{ "nats", sl_nats_backend_create, sl_nats_backend_check },
#endif
	{ NULL, NULL, NULL },
};
