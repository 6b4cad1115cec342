#include "auth_loading.h"

#include "auth/auth.h"
#include "auth/secret.h"
#include "clients/socket_io/sio_memory.h"
#include "config/config.h"
#include "core/listener.h"
#include "core/owners.h"
#include "http/http.h"
#include "http/settings.h"
#include "tests/unit/certificates.h"
#include "tests/unit/log_lines.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/log.h"

static char error[512], secret_path[CERTIFICATES_PATH_MAX], key_path[CERTIFICATES_PATH_MAX];
static struct sl_auth_loading loading;
static struct sl_listener listeners[2];
static char *keys[1] = { key_path };

static struct sl_config
config_of(bool has_key, bool has_secret)
{
	return (struct sl_config){ .token_key = { keys, has_key }, .token_max_age_ms = 60000,
		.secret = has_secret ? secret_path : NULL, .log_level = SL_LOG_ERROR };
}

static int
load(struct sl_auth **out, struct sl_config config)
{
	error[0] = '\0';
	return sl_auth_loading_create(&loading, out, &config, listeners, 2, error, sizeof error);
}

static bool
are_same(const struct sl_auth *a, const struct sl_auth *b)
{
	return memcmp(sl_auth_get_ticket_key(a), sl_auth_get_ticket_key(b), SL_DERIVED_KEY_LEN) == 0;
}

static void
begin(void)
{
	sl_auth_loading_finish(&loading);
	certificates_write_text("key", "0123456789abcdef0123456789abcdef");
	certificates_write_text("secret", "the secret of this test, forty bytes long");
	CU_ASSERT_EQUAL(sl_listen_address_parse("127.0.0.1:1", &listeners[0].address), 0);
	CU_ASSERT_EQUAL(sl_listen_address_parse("127.0.0.1:2", &listeners[1].address), 0);
	listeners[1].is_admin = false;
}

static void
test_auth_loading_keeps_a_secret_of_its_own_over_reloads(void)
{
	struct sl_auth *first, *second, *third;
	begin();
	CU_ASSERT_EQUAL_FATAL(load(&first, config_of(true, false)), 0);
	CU_ASSERT_EQUAL_FATAL(load(&second, config_of(true, false)), 0);
	CU_ASSERT_TRUE(are_same(first, second));
	CU_ASSERT_EQUAL_FATAL(load(&third, config_of(true, true)), 0);
	CU_ASSERT_FALSE(are_same(first, third));
	sl_auth_unref(second);
	CU_ASSERT_EQUAL_FATAL(load(&second, config_of(true, false)), 0); /* no file any more */
	CU_ASSERT_FALSE(are_same(second, third));
	sl_auth_unref(first);
	sl_auth_unref(second);
	sl_auth_unref(third);
	sl_auth_loading_finish(&loading);
}

static void
test_auth_loading_reads_the_file_of_the_secret_again(void)
{
	struct sl_auth *first, *second, *third;
	begin();
	CU_ASSERT_EQUAL_FATAL(load(&first, config_of(true, true)), 0);
	CU_ASSERT_EQUAL_FATAL(load(&second, config_of(true, true)), 0);
	CU_ASSERT_TRUE(are_same(first, second));
	certificates_write_text("secret", "another secret, which has forty bytes too");
	CU_ASSERT_EQUAL_FATAL(load(&third, config_of(true, true)), 0);
	CU_ASSERT_FALSE(are_same(first, third));
	sl_auth_unref(first);
	sl_auth_unref(second);
	sl_auth_unref(third);
	sl_auth_loading_finish(&loading);
}

static void
test_auth_loading_is_all_or_nothing(void)
{
	struct sl_auth *first, *second;
	begin();
	CU_ASSERT_EQUAL_FATAL(load(&first, config_of(true, true)), 0);
	struct sl_secret *before = loading.secret;
	certificates_write_text("secret", "another secret, which has forty bytes too");
	certificates_write_text("key", "short");
	CU_ASSERT_EQUAL(load(&second, config_of(true, true)), SL_EINVAL); /* for the key alone */
	CU_ASSERT_PTR_NULL(second);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "--token-key"));
	CU_ASSERT_PTR_EQUAL(loading.secret, before);
	CU_ASSERT_TRUE(loading.is_of_file);
	certificates_write_text("key", "0123456789abcdef0123456789abcdef");
	certificates_write_text("secret", "short");
	CU_ASSERT_EQUAL(load(&second, config_of(true, true)), SL_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "--secret"));
	CU_ASSERT_PTR_EQUAL(loading.secret, before);
	sl_auth_unref(first);
	sl_auth_loading_finish(&loading);
}

/* Without a key everybody may do everything: on this machine only. */
static void
test_auth_loading_keeps_the_last_key_while_others_reach_the_gateway(void)
{
	struct sl_auth *auth;
	begin();
	CU_ASSERT_EQUAL_FATAL(load(&auth, config_of(false, false)), 0);
	CU_ASSERT_PTR_NULL(auth);
	CU_ASSERT_EQUAL(sl_listen_address_parse("192.0.2.1:2", &listeners[1].address), 0);
	CU_ASSERT_EQUAL(load(&auth, config_of(false, false)), SL_EINVAL);
	CU_ASSERT_EQUAL(strncmp(error, "--token-key: without a key", 26), 0);
	CU_ASSERT_EQUAL_FATAL(load(&auth, config_of(true, false)), 0);
	sl_auth_unref(auth);
	struct sl_config open = config_of(false, false);
	open.allow_anonymous = true;
	CU_ASSERT_EQUAL(load(&auth, open), 0);
	listeners[1].is_admin = true;
	CU_ASSERT_EQUAL(load(&auth, config_of(false, false)), 0);
	sl_auth_loading_finish(&loading);
}

static void
test_auth_loading_that_is_refused_keeps_what_was_in_force(void)
{
	struct sl_settings before = { .auth = NULL };
	struct sl_auth *auth;
	bool is_stale;
	struct sl_config config = config_of(true, false);
	begin();
	CU_ASSERT_EQUAL_FATAL(load(&before.auth, config), 0);
	certificates_write_text("key", "short");
	log_lines_begin();
	CU_ASSERT_EQUAL(sl_auth_loading_renew(&loading, &auth, &is_stale, &before, &config, listeners, 2), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(log_lines_end(), "error tokens.refused reason=\"--token-key "));
	CU_ASSERT_PTR_NOT_NULL(strstr(log_lines_text, " in_force=\"the files that were loaded before\"\n"));
	CU_ASSERT_TRUE(is_stale);
	CU_ASSERT_PTR_EQUAL(auth, before.auth);
	sl_auth_unref(auth);
	log_lines_begin();
	CU_ASSERT_EQUAL(sl_auth_loading_renew(&loading, &auth, &is_stale, NULL, &config, listeners, 2),
		SL_EINVAL);
	CU_ASSERT_PTR_NULL(strstr(log_lines_end(), "in_force"));
	CU_ASSERT_FALSE(is_stale);
	CU_ASSERT_PTR_NULL(auth);
	certificates_write_text("key", "0123456789abcdef0123456789abcdef");
	CU_ASSERT_EQUAL(sl_auth_loading_renew(&loading, &auth, &is_stale, &before, &config, listeners, 2), 0);
	CU_ASSERT_FALSE(is_stale);
	CU_ASSERT_PTR_NOT_EQUAL(auth, before.auth);
	sl_auth_unref(auth);
	sl_auth_unref(before.auth);
	sl_auth_loading_finish(&loading);
}

static void
test_auth_loading_check_makes_no_file_and_tells_what_is_wrong(void)
{
	struct sl_config config = config_of(true, true);
	begin();
	unlink(secret_path);
	CU_ASSERT_EQUAL(sl_auth_loading_check(&config), 0);
	CU_ASSERT_NOT_EQUAL(access(secret_path, F_OK), 0);
	certificates_write_text("secret", "short");
	log_lines_begin();
	CU_ASSERT_EQUAL(sl_auth_loading_check(&config), SL_EINVAL);
	CU_ASSERT_EQUAL(strncmp(log_lines_end(), "sluice: --secret /", 18), 0);
	config.secret = NULL;
	certificates_write_text("key", "short");
	log_lines_begin();
	CU_ASSERT_EQUAL(sl_auth_loading_check(&config), SL_EINVAL);
	CU_ASSERT_EQUAL(strncmp(log_lines_end(), "sluice: --token-key /", 21), 0);
}

/* As a gateway knows `ann` that has loaded this. */
static uint64_t
get_owner_id(void)
{
	struct sl_owners *owners = sl_owners_create(&(struct sl_limits){ .max_connections = 10 });
	CU_ASSERT_PTR_NOT_NULL_FATAL(owners);
	struct sl_http http = { .owners = owners };
	CU_ASSERT_EQUAL(sl_auth_loading_share(&loading, &(struct sl_config){ .engine_io = false }, &http), 0);
	CU_ASSERT_PTR_NULL(http.sio_memory);
	struct sl_owner *ann = sl_owners_get_subject(owners, "ann");
	uint64_t id = sl_owner_get_id(ann);
	sl_owner_unref(ann);
	sl_owners_destroy(owners);
	return id;
}

static void
test_auth_loading_gives_owners_the_ids_of_the_secret(void)
{
	struct sl_auth *auth;
	uint64_t ids[4];
	for (int i = 0; i < 4; i++) { /* each a process of its own: two with the file, two without */
		begin();
		CU_ASSERT_EQUAL_FATAL(load(&auth, config_of(true, i < 2)), 0);
		sl_auth_unref(auth);
		ids[i] = get_owner_id();
	}
	CU_ASSERT_EQUAL(ids[0], ids[1]);
	CU_ASSERT_NOT_EQUAL(ids[0], ids[2]);
	CU_ASSERT_NOT_EQUAL(ids[2], ids[3]);
	sl_auth_loading_finish(&loading);
}

static void
expect_key(const struct sl_http *http, bool is_of_file, const uint8_t before[SL_SIO_KEY_LEN],
	uint8_t out[SL_SIO_KEY_LEN])
{
	sl_sio_memory_get_key(http->sio_memory, out);
	CU_ASSERT_EQUAL(memcmp(out, before, SL_SIO_KEY_LEN) == 0, is_of_file);
}

static void
test_auth_loading_signs_for_recovery_with_the_secret(void)
{
	const struct sl_config config = { .engine_io = true };
	uint8_t keys_of[4][SL_SIO_KEY_LEN] = { { 0 } };
	struct sl_auth *auth;
	for (int i = 0; i < 2; i++) { /* two processes with the file */
		struct sl_http http = { .owners = sl_owners_create(&(struct sl_limits){ .max_connections = 10 }) };
		begin();
		CU_ASSERT_EQUAL_FATAL(load(&auth, config_of(false, true)), 0);
		CU_ASSERT_EQUAL_FATAL(sl_auth_loading_share(&loading, &config, &http), 0);
		expect_key(&http, i == 1, keys_of[i == 1 ? 0 : 3], keys_of[i]);
		certificates_write_text("secret", "another secret of this test, as long as it has to be");
		CU_ASSERT_EQUAL_FATAL(load(&auth, config_of(false, true)), 0);
		expect_key(&http, false, keys_of[0], keys_of[2]);
		sl_owners_destroy(http.owners);
	}
	sl_auth_loading_finish(&loading);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_auth_loading_keeps_a_secret_of_its_own_over_reloads),
		UNIT_TEST(test_auth_loading_reads_the_file_of_the_secret_again),
		UNIT_TEST(test_auth_loading_is_all_or_nothing),
		UNIT_TEST(test_auth_loading_keeps_the_last_key_while_others_reach_the_gateway),
		UNIT_TEST(test_auth_loading_that_is_refused_keeps_what_was_in_force),
		UNIT_TEST(test_auth_loading_check_makes_no_file_and_tells_what_is_wrong),
		UNIT_TEST(test_auth_loading_gives_owners_the_ids_of_the_secret),
		UNIT_TEST(test_auth_loading_signs_for_recovery_with_the_secret),
		{ NULL, NULL },
	};
	sl_log_set_level(SL_LOG_ERROR);
	snprintf(secret_path, sizeof secret_path, "%s", certificates_path("secret"));
	snprintf(key_path, sizeof key_path, "%s", certificates_path("key"));
	return unit_main("auth_loading", tests);
}
