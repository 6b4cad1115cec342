#include "backend_loading.h"

#include <string.h>

#include "bus/backend.h"
#include "config/config.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static char memory[] = "memory", nothing[] = "nothing", main_bus[] = "main", user[] = "jo";

static void
test_backend_loading_makes_what_the_configuration_names(void)
{
	struct sl_backend *backend;
	struct sl_config config = { .backend = memory, .idempotency_keys = 10 };
	CU_ASSERT_EQUAL(sl_backend_loading_check(&config), 0);
	CU_ASSERT_EQUAL_FATAL(sl_backend_loading_create(&backend, &config), 0);
	CU_ASSERT_STRING_EQUAL(backend->ops->name, "memory");
	backend->ops->destroy(backend);
	config.backend = nothing;
	CU_ASSERT_EQUAL(sl_backend_loading_create(&backend, &config), SL_EINVAL);
}

/* Where the build has it. */
static void
test_backend_loading_has_the_backend_check_its_options(void)
{
	static char url[] = "nats://127.0.0.1:1", nats[] = "nats", *urls[] = { url };
	struct sl_backend *backend;
	struct sl_config config = { .backend = nats, .nats = { urls, 1 }, .nats_bus = main_bus };
	if (sl_backend_loading_create(&backend, &config) == SL_EINVAL)
		return;
	backend->ops->destroy(backend);
	CU_ASSERT_EQUAL(sl_backend_loading_check(&config), 0);
	config.nats_user = user;
	CU_ASSERT_EQUAL(sl_backend_loading_check(&config), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_backend_loading_create(&backend, &config), SL_EINVAL);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_backend_loading_makes_what_the_configuration_names),
		UNIT_TEST(test_backend_loading_has_the_backend_check_its_options),
		{ NULL, NULL },
	};
	return unit_main("backend_loading", tests);
}
