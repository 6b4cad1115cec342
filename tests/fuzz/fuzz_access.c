/* A Host and an Origin: only the names that are known are let in, told here by comparing whole texts, and
 * what is let in stays so in upper case. The first byte chooses the settings; the rest is a Host up to the
 * first line feed and an Origin behind it. */
#include "http/access.h"

#include <ctype.h>

#include "config/config.h"
#include "tests/fuzz/fuzz.h"
#include "util/origin.h"
#include "util/span.h"

static char page[] = "https://page.example", app[] = "capacitor://localhost";
static struct sl_origin pages[] = { { .url = page, .authority = page + 8 } };
static struct sl_origin apps[] = { { .url = app, .authority = app + 12 } };

static bool
is_one_of(struct sl_span text, const char *const *names)
{
	while (*names && !sl_span_is_word(text, *names))
		names++;
	return *names != NULL;
}

/* Without a port, or with its own; a port may have zeros before it. */
static void
expect_host(struct sl_span host)
{
	struct sl_authority asked;
	static const char *const known[] = { "page.example", "localhost", "[::1]", NULL };
	FUZZ_EXPECT(sl_authority_parse(&asked, host));
	FUZZ_EXPECT(is_one_of(asked.host, known) || memcmp(asked.host.bytes, "127.", 4) == 0);
	FUZZ_EXPECT(memchr(host.bytes, '@', host.len) == NULL && memchr(host.bytes, '/', host.len) == NULL);
}

static void
expect_origin(struct sl_span origin, const struct sl_cors *cors, bool is_allowed)
{
	FUZZ_EXPECT(is_allowed == (cors->origin != NULL));
	if (!is_allowed)
		return;
	FUZZ_EXPECT(strcmp(cors->origin, page) == 0 || strcmp(cors->origin, app) == 0);
	FUZZ_EXPECT(!cors->credentials || cors->origin[0] != '\0');
	FUZZ_EXPECT(origin.len >= strlen(cors->origin));
	FUZZ_EXPECT(strncasecmp(origin.bytes, cors->origin, strlen(cors->origin)) == 0);
	for (size_t i = strlen(cors->origin); i < origin.len; i++)
		FUZZ_EXPECT(origin.bytes[i] == ':' || isdigit((unsigned char)origin.bytes[i]));
}

static void
judge(const struct sl_access *access, struct sl_span host, struct sl_span origin, bool any_host)
{
	struct sl_cors cors;
	char *upper = fuzz_copy(host.bytes, host.len);
	for (size_t i = 0; i < host.len; i++)
		upper[i] = (char)toupper((unsigned char)upper[i]);
	bool is_allowed = sl_access_host_allowed(access, host);
	FUZZ_EXPECT(is_allowed == sl_access_host_allowed(access, (struct sl_span){ upper, host.len }));
	FUZZ_EXPECT(!is_allowed || any_host || sl_access_admin_host_allowed(access, host));
	if (is_allowed && !any_host)
		expect_host(host);
	is_allowed = sl_access_origin_allowed(access, origin, &cors);
	expect_origin(origin, &cors, is_allowed);
	free(upper);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const uint8_t *line_end = len > 1 ? memchr(bytes + 1, '\n', len - 1) : NULL;
	if (!line_end)
		return 0;
	struct sl_config config = {
		.public_origin = { pages, 1 }, .allow_origin = { apps, 1 },
		.allow_anonymous = bytes[0] & 1, .allow_credentials = bytes[0] & 2,
	};
	struct sl_access *access = sl_access_create(&config, NULL, 0);
	FUZZ_EXPECT(access);
	size_t host_len = (size_t)(line_end - bytes) - 1, origin_len = len - host_len - 2;
	char *host = fuzz_copy(bytes + 1, host_len), *origin = fuzz_copy(line_end + 1, origin_len);
	judge(access, (struct sl_span){ host, host_len }, (struct sl_span){ origin, origin_len },
		config.allow_anonymous);
	free(host);
	free(origin);
	sl_access_destroy(access);
	return 0;
}
