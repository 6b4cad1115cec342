#include "http/access.h"

#include <stdio.h>

#include "config/config.h"
#include "core/listener.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

/* What a gateway listening at these addresses with these options allows. */
static struct sl_access *
make_access(char **options, int count, const char *const *addresses)
{
	char name[] = "sluice";
	char *argv[8] = { name };
	struct sl_listener listeners[4] = { 0 };
	size_t listener_count = 0;
	struct sl_config config;
	for (int i = 0; i < count; i++)
		argv[1 + i] = options[i];
	CU_ASSERT_EQUAL_FATAL(sl_config_parse(&config, 1 + count, argv), 0);
	for (; addresses[listener_count]; listener_count++) { /* "tls ADDRESS", "adm ADDRESS", ADDRESS */
		struct sl_listener *listener = &listeners[listener_count];
		const char *address = addresses[listener_count];
		listener->is_secure = strncmp(address, "tls ", 4) == 0;
		listener->is_admin = strncmp(address, "adm ", 4) == 0;
		address += listener->is_secure || listener->is_admin ? 4 : 0;
		CU_ASSERT_EQUAL_FATAL(sl_listen_address_parse(address, &listener->address), 0);
	}
	struct sl_access *access = sl_access_create(&config, listeners, listener_count);
	CU_ASSERT_PTR_NOT_NULL_FATAL(access);
	sl_config_finish(&config);
	return access;
}

static bool
allows_host(const struct sl_access *access, const char *host)
{
	return sl_access_host_allowed(access, (struct sl_span){ host, host ? strlen(host) : 0 });
}

/* The echo, "" without one, NULL when refused; what was said of credentials is left in
 * `*credentials`. */
static const char *
ask_both(const struct sl_access *access, const char *origin, bool *credentials)
{
	struct sl_cors cors = { "not set", true };
	struct sl_span span = { origin, origin ? strlen(origin) : 0 };
	bool is_allowed = sl_access_origin_allowed(access, span, &cors);
	*credentials = cors.credentials;
	if (!is_allowed || !cors.origin)
		CU_ASSERT_FALSE(cors.credentials);
	if (!is_allowed) {
		CU_ASSERT_PTR_NULL(cors.origin);
		return NULL;
	}
	return cors.origin ? cors.origin : "";
}

static const char *
ask_origin(const struct sl_access *access, const char *origin)
{
	bool credentials;
	return ask_both(access, origin, &credentials);
}

static const char *const loopback[] = { "127.0.0.1:8080", NULL };

static void
test_access_answers_to_loopback_names_only(void)
{
	static const char *const allowed[] = { "localhost", "LOCALHOST:1", "localhost:8080",
		"127.0.0.1", "127.0.0.1:8080", "127.1.2.3:9", "[::1]", "[::1]:8080", NULL };
	static const char *const refused[] = { "", ":8080", "evil.example", "evil.example:8080",
		"localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1.", "127.0.0",
		"127.0.0.1.1", "127.0.0.1234", "127..0.1", "128.0.0.1", "10.0.0.1:8080", "[::2]",
		"::1", "localhost:80:80", "localhost:x", "127.0.0.1@evil", NULL };
	struct sl_access *access = make_access(NULL, 0, loopback);
	for (int i = 0; allowed[i]; i++)
		CU_ASSERT_TRUE(allows_host(access, allowed[i]));
	for (int i = 0; refused[i]; i++)
		CU_ASSERT_FALSE(allows_host(access, refused[i]));
	CU_ASSERT_TRUE(allows_host(access, NULL)); /* HTTP/1.0 */
	sl_access_destroy(access);
}

static bool
allows_admin_host(const struct sl_access *access, const char *host)
{
	return sl_access_admin_host_allowed(access, (struct sl_span){ host, host ? strlen(host) : 0 });
}

static void
test_access_of_admins_is_by_address_or_by_a_name_that_no_page_has(void)
{
	static const char *const allowed[] = { "localhost:9000", "127.0.0.1:9000", "[::1]:9000",
		"10.1.2.3", "10.1.2.3:9000", "[fd00::1]:9000", "push.example.org", NULL };
	static const char *const refused[] = { "", ":9000", "evil.example", "evil.example:9000",
		"10.1.2", "10.1.2.3.", "10.1.2.3.evil.example", "0x7f.1", "[fd00::1", "fd00::1",
		"push.example.org:9000", NULL };
	char anonymous[] = "--allow-anonymous", public[] = "--public-origin=https://push.example.org";
	char *options[] = { anonymous, public };
	struct sl_access *access = make_access(options, 2, loopback);
	for (int i = 0; allowed[i]; i++)
		CU_ASSERT_TRUE(allows_admin_host(access, allowed[i]));
	for (int i = 0; refused[i]; i++)
		CU_ASSERT_FALSE(allows_admin_host(access, refused[i]));
	CU_ASSERT_TRUE(allows_admin_host(access, NULL));
	sl_access_destroy(access);
}

static void
test_access_of_pages_is_not_from_admin_listeners(void)
{
	static const char *const both[] = { "127.0.0.1:8080", "adm 127.0.0.1:9000", NULL };
	struct sl_access *access = make_access(NULL, 0, both);
	CU_ASSERT_PTR_NOT_NULL(ask_origin(access, "http://localhost:8080"));
	CU_ASSERT_PTR_NULL(ask_origin(access, "http://localhost:9000"));
	CU_ASSERT_PTR_NULL(ask_origin(access, "http://127.0.0.1:9000"));
	sl_access_destroy(access);
}

static void
test_access_answers_to_public_origins_and_their_port_counts(void)
{
	char option[] = "--public-origin=https://push.example.org";
	char other[] = "--public-origin=http://other.example.org:8000";
	char plain[] = "--public-origin=http://plain.example.org:80";
	char *options[] = { option, other, plain };
	struct sl_access *access = make_access(options, 3, loopback);
	CU_ASSERT_TRUE(allows_host(access, "push.example.org"));
	CU_ASSERT_TRUE(allows_host(access, "PUSH.example.ORG"));
	CU_ASSERT_TRUE(allows_host(access, "push.example.org:443"));
	CU_ASSERT_TRUE(allows_host(access, "push.example.org:"));
	CU_ASSERT_FALSE(allows_host(access, "push.example.org:80"));
	CU_ASSERT_FALSE(allows_host(access, "push.example.org:8080"));
	CU_ASSERT_FALSE(allows_host(access, "push.example.org."));
	CU_ASSERT_TRUE(allows_host(access, "plain.example.org"));
	CU_ASSERT_TRUE(allows_host(access, "plain.example.org:80"));
	CU_ASSERT_FALSE(allows_host(access, "plain.example.org:443"));
	CU_ASSERT_TRUE(allows_host(access, "other.example.org:8000"));
	CU_ASSERT_FALSE(allows_host(access, "other.example.org"));
	CU_ASSERT_FALSE(allows_host(access, "example.org"));
	CU_ASSERT_STRING_EQUAL(ask_origin(access, "https://push.example.org"),
		"https://push.example.org");
	CU_ASSERT_PTR_NULL(ask_origin(access, "http://push.example.org"));
	sl_access_destroy(access);
}

static void
test_access_compares_origins_by_value_and_tells_its_own_spelling(void)
{
	static const char *const same[] = { "https://push.example.org", "https://push.example.org:443",
		"HTTPS://Push.Example.ORG", "https://push.example.org:0443" };
	static const char *const others[] = { "https://push.example.org:80", "http://push.example.org:443",
		"https://push.example.org/", "https://push.example.org:8443", "https://xpush.example.org",
		"https://push.example.or", "push.example.org", "wss://push.example.org", " https://push.example.org" };
	char option[] = "--public-origin=https://push.example.org";
	char *options[] = { option };
	struct sl_access *access = make_access(options, 1, loopback);
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		const char *told = ask_origin(access, same[i]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(told);
		CU_ASSERT_STRING_EQUAL(told, same[0]);
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		CU_ASSERT_PTR_NULL(ask_origin(access, others[i]));
	sl_access_destroy(access);
}

static void
test_access_allowed_origin_may_call_but_is_no_host(void)
{
	char option[] = "--allow-origin=https://app.example.org";
	char *options[] = { option };
	struct sl_access *access = make_access(options, 1, loopback);
	CU_ASSERT_STRING_EQUAL(ask_origin(access, "https://app.example.org"),
		"https://app.example.org");
	CU_ASSERT_FALSE(allows_host(access, "app.example.org"));
	sl_access_destroy(access);
}

static void
test_access_allows_its_own_loopback_origins_by_every_name(void)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]", NULL };
	static const char *const refused[] = { "null", "", "http://localhost",
		"http://localhost:8081", "https://localhost:8080", "http://evil.example:8080",
		"http://localhost:8080/", "http://127.0.0.2:8080", NULL };
	struct sl_access *access = make_access(NULL, 0, loopback);
	for (int i = 0; names[i]; i++) {
		char origin[64];
		snprintf(origin, sizeof origin, "http://%s:8080", names[i]);
		const char *echo = ask_origin(access, origin);
		CU_ASSERT_PTR_NOT_NULL_FATAL(echo);
		CU_ASSERT_STRING_EQUAL(echo, origin);
	}
	for (int i = 0; refused[i]; i++)
		CU_ASSERT_PTR_NULL(ask_origin(access, refused[i]));
	CU_ASSERT_STRING_EQUAL(ask_origin(access, NULL), ""); /* not a browser's */
	sl_access_destroy(access);
}

static void
test_access_leaves_the_default_port_out_and_adds_the_address_listened_at(void)
{
	static const char *const addresses[] = { "127.0.0.2:80", "[::1]:9000",
		"unix:/tmp/sluice-test", NULL };
	struct sl_access *access = make_access(NULL, 0, addresses);
	CU_ASSERT_STRING_EQUAL(ask_origin(access, "http://localhost"), "http://localhost");
	CU_ASSERT_STRING_EQUAL(ask_origin(access, "http://127.0.0.2"), "http://127.0.0.2");
	CU_ASSERT_STRING_EQUAL(ask_origin(access, "http://[::1]:9000"), "http://[::1]:9000");
	CU_ASSERT_STRING_EQUAL(ask_origin(access, "http://127.0.0.2:80"), "http://127.0.0.2");
	CU_ASSERT_PTR_NULL(ask_origin(access, "http://127.0.0.3"));
	sl_access_destroy(access);
}

static void
test_access_of_a_tls_listener_allows_https_alone(void)
{
	static const char *const addresses[] = { "tls 127.0.0.1:8443", "tls 127.0.0.3:443",
		"127.0.0.1:443", NULL };
	static const char *const allowed[] = { "https://localhost:8443", "https://127.0.0.1:8443",
		"https://[::1]:8443", "https://localhost", "https://127.0.0.3", "http://localhost:443" };
	static const char *const refused[] = { "http://localhost:8443", "http://localhost",
		"http://127.0.0.3:443", "https://127.0.0.3:8443", "https://evil.example:8443" };
	struct sl_access *access = make_access(NULL, 0, addresses);
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
		const char *echo = ask_origin(access, allowed[i]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(echo);
		CU_ASSERT_STRING_EQUAL(echo, allowed[i]);
	}
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		CU_ASSERT_PTR_NULL(ask_origin(access, refused[i]));
	sl_access_destroy(access);
}

static void
test_access_open_to_anybody_takes_any_host_but_not_any_origin(void)
{
	char option[] = "--allow-anonymous";
	char *options[] = { option };
	static const char *const addresses[] = { "0.0.0.0:8080", NULL };
	struct sl_access *access = make_access(options, 1, addresses);
	CU_ASSERT_TRUE(allows_host(access, "anything.example"));
	CU_ASSERT_PTR_NULL(ask_origin(access, "http://anything.example"));
	CU_ASSERT_PTR_NULL(ask_origin(access, "http://localhost:8080")); /* not a loopback listener */
	sl_access_destroy(access);
}

/* A page's own name may lead to any address (DNS rebinding); an IP address is nobody's name. */
static void
test_access_open_to_anybody_under_a_public_name_takes_no_other_name(void)
{
	static const char *const allowed[] = { "push.example.org", "push.example.org:443", "localhost:8080",
		"127.0.0.1", "[::1]:8080", "192.0.2.7", "192.0.2.7:8080", "[2001:db8::1]", "[2001:db8::1]:8080", NULL };
	static const char *const refused[] = { "", ":8080", "evil.example", "evil.example:8080",
		"push.example.org.evil.example", "push.example.org:8080", "192.0.2.7.evil.example", "192.0.2",
		"2001:db8::1", NULL };
	char anonymous[] = "--allow-anonymous", public[] = "--public-origin=https://push.example.org";
	char *options[] = { anonymous, public };
	static const char *const addresses[] = { "0.0.0.0:8080", NULL };
	struct sl_access *access = make_access(options, 2, addresses);
	for (int i = 0; allowed[i]; i++)
		CU_ASSERT_TRUE(allows_host(access, allowed[i]));
	for (int i = 0; refused[i]; i++)
		CU_ASSERT_FALSE(allows_host(access, refused[i]));
	CU_ASSERT_TRUE(allows_host(access, NULL)); /* HTTP/1.0 */
	sl_access_destroy(access);
}

static void
test_access_allows_origins_of_apps_byte_for_byte(void)
{
	char capacitor[] = "--allow-origin=Capacitor://localhost";
	char safari[] = "--allow-origin=safari-web-extension://0A1B";
	char nobody[] = "--allow-origin=app://";
	char *options[] = { capacitor, safari, nobody };
	struct sl_access *access = make_access(options, 3, loopback);
	CU_ASSERT_STRING_EQUAL(ask_origin(access, "capacitor://localhost"), "capacitor://localhost");
	CU_ASSERT_STRING_EQUAL(ask_origin(access, "safari-web-extension://0A1B"),
		"safari-web-extension://0A1B");
	CU_ASSERT_STRING_EQUAL(ask_origin(access, "app://"), "app://");
	static const char *const refused[] = { "capacitor://localhost:80", "capacitor://localhost/",
		"ionic://localhost", "http://localhost", "safari-web-extension://0a1b", "app://x", "app:",
		"null", "" };
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		CU_ASSERT_PTR_NULL(ask_origin(access, refused[i]));
	CU_ASSERT_FALSE(allows_host(access, "localhost.evil"));
	sl_access_destroy(access);
}

static void
test_access_allows_credentials_to_listed_origins_only_when_told(void)
{
	char credentials[] = "--allow-credentials";
	char public[] = "--public-origin=https://push.example.org";
	char page[] = "--allow-origin=capacitor://localhost";
	char *options[] = { public, page, credentials };
	static const char *const listed[] = { "https://push.example.org", "capacitor://localhost" };
	for (int count = 2; count <= 3; count++) {
		struct sl_access *access = make_access(options, count, loopback);
		bool may = false;
		for (size_t i = 0; i < 2; i++) {
			CU_ASSERT_STRING_EQUAL(ask_both(access, listed[i], &may), listed[i]);
			CU_ASSERT_EQUAL(may, count == 3);
		}
		CU_ASSERT_PTR_NOT_NULL(ask_both(access, "http://localhost:8080", &may));
		CU_ASSERT_FALSE(may);
		CU_ASSERT_PTR_NULL(ask_both(access, "null", &may));
		CU_ASSERT_PTR_NOT_NULL(ask_both(access, NULL, &may));
		CU_ASSERT_FALSE(may);
		sl_access_destroy(access);
	}
}

static void
test_access_allows_a_port_over_either_scheme(void)
{
	struct sl_config config;
	char name[] = "sluice";
	char *argv[] = { name, NULL };
	CU_ASSERT_EQUAL_FATAL(sl_config_parse(&config, 1, argv), 0);
	struct sl_access *access = sl_access_create(&config, NULL, 0);
	CU_ASSERT_TRUE_FATAL(access && sl_access_allow_port(access, 9000));
	CU_ASSERT_STRING_EQUAL(ask_origin(access, "http://127.0.0.1:9000"), "http://127.0.0.1:9000");
	CU_ASSERT_STRING_EQUAL(ask_origin(access, "https://localhost:9000"), "https://localhost:9000");
	CU_ASSERT_PTR_NULL(ask_origin(access, "https://localhost:9001"));
	sl_access_destroy(access);
	sl_config_finish(&config);
}

static void
test_access_without_memory_is_none(void)
{
	struct sl_listener listener = { .count = 1 };
	struct sl_config config;
	char name[] = "sluice", public[] = "--public-origin=https://push.example.org";
	char page[] = "--allow-origin=http://page.example.org";
	char *argv[] = { name, public, page, NULL };
	CU_ASSERT_EQUAL_FATAL(sl_config_parse(&config, 3, argv), 0);
	CU_ASSERT_EQUAL_FATAL(sl_listen_address_parse("127.0.0.2:8080", &listener.address), 0);
	for_each_failing_allocation(failing) {
		struct sl_access *access = sl_access_create(&config, &listener, 1);
		bool is_complete = access && sl_access_allow_port(access, 9000);
		failing_expect(is_complete ? 0 : SL_ENOMEM);
		if (access) {
			CU_ASSERT_TRUE(allows_host(access, "push.example.org"));
			CU_ASSERT_STRING_EQUAL(ask_origin(access, "http://127.0.0.2:8080"), "http://127.0.0.2:8080");
		}
		sl_access_destroy(access);
	}
	sl_config_finish(&config);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_access_answers_to_loopback_names_only),
		UNIT_TEST(test_access_of_admins_is_by_address_or_by_a_name_that_no_page_has),
		UNIT_TEST(test_access_of_pages_is_not_from_admin_listeners),
		UNIT_TEST(test_access_answers_to_public_origins_and_their_port_counts),
		UNIT_TEST(test_access_allowed_origin_may_call_but_is_no_host),
		UNIT_TEST(test_access_allows_its_own_loopback_origins_by_every_name),
		UNIT_TEST(test_access_leaves_the_default_port_out_and_adds_the_address_listened_at),
		UNIT_TEST(test_access_of_a_tls_listener_allows_https_alone),
		UNIT_TEST(test_access_open_to_anybody_takes_any_host_but_not_any_origin),
		UNIT_TEST(test_access_open_to_anybody_under_a_public_name_takes_no_other_name),
		UNIT_TEST(test_access_allows_origins_of_apps_byte_for_byte),
		UNIT_TEST(test_access_allows_credentials_to_listed_origins_only_when_told),
		UNIT_TEST(test_access_compares_origins_by_value_and_tells_its_own_spelling),
		UNIT_TEST(test_access_allows_a_port_over_either_scheme),
		UNIT_TEST(test_access_without_memory_is_none),
		{ NULL, NULL },
	};
	return unit_main("access", tests);
}
