#include "transports/ws_handshake.h"

#include <string.h>
#include <strings.h>

#include "tests/unit/unit.h"

struct header {
	const char *name, *value;
};

#define MOST_HEADERS 8

/* What browsers send, with the key of RFC 6455, section 1.3. */
static const struct header good[MOST_HEADERS] = {
	{ "Host", "server.example.com" },
	{ "Upgrade", "websocket" },
	{ "Connection", "Upgrade" },
	{ "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==" },
	{ "Sec-WebSocket-Version", "13" },
};

static const char *
get(void *arg, const char *name)
{
	const struct header *headers = arg;
	for (size_t i = 0; i < MOST_HEADERS && headers[i].name; i++)
		if (strcasecmp(headers[i].name, name) == 0)
			return headers[i].value;
	return NULL;
}

/* The verdict on the good request with one header set to `value`, or taken out by NULL. */
static struct sl_ws_handshake_verdict
check_with(const char *name, const char *value)
{
	struct header headers[MOST_HEADERS];
	size_t i = 0;
	memcpy(headers, good, sizeof headers);
	while (headers[i].name && strcmp(headers[i].name, name) != 0)
		i++;
	headers[i] = (struct header){ name, value };
	return sl_ws_handshake_check(&(struct sl_ws_handshake_request){
		.http_version = "HTTP/1.1", .get = get, .arg = headers });
}

static struct sl_ws_handshake_verdict
check_version(const char *http_version)
{
	struct header headers[MOST_HEADERS];
	memcpy(headers, good, sizeof headers);
	return sl_ws_handshake_check(&(struct sl_ws_handshake_request){
		.http_version = http_version, .get = get, .arg = headers });
}

static void
expect(struct sl_ws_handshake_verdict verdict, enum sl_ws_handshake_outcome outcome)
{
	static const unsigned statuses[] = { 101, 426, 426, 426, 400 };
	CU_ASSERT_EQUAL(verdict.outcome, outcome);
	CU_ASSERT_EQUAL(verdict.status, statuses[outcome]);
	CU_ASSERT_EQUAL(verdict.code == NULL, outcome == SL_WS_HANDSHAKE_OK);
	CU_ASSERT_EQUAL(verdict.message == NULL, outcome == SL_WS_HANDSHAKE_OK);
	CU_ASSERT_EQUAL(verdict.key != NULL, outcome == SL_WS_HANDSHAKE_OK);
}

static void
test_ws_handshake_accepts_what_browsers_send(void)
{
	struct sl_ws_handshake_verdict verdict = check_version("HTTP/1.1");
	expect(verdict, SL_WS_HANDSHAKE_OK);
	CU_ASSERT_EQUAL(strncmp(verdict.key, good[3].value, SL_WS_HANDSHAKE_KEY_LEN), 0);
}

static void
test_ws_handshake_reads_upgrade_and_connection_as_lists(void)
{
	static const char *const upgrades[] = { "WebSocket", "h2c, websocket", "websocket , h2c",
		",websocket,", " websocket\t" };
	static const char *const connections[] = { "keep-alive, Upgrade", "upgrade,keep-alive",
		"close, upgrade", "UPGRADE", "a,, upgrade ,b" };
	for (size_t i = 0; i < sizeof upgrades / sizeof *upgrades; i++)
		expect(check_with("Upgrade", upgrades[i]), SL_WS_HANDSHAKE_OK);
	for (size_t i = 0; i < sizeof connections / sizeof *connections; i++)
		expect(check_with("Connection", connections[i]), SL_WS_HANDSHAKE_OK);
}

static void
test_ws_handshake_takes_only_whole_tokens(void)
{
	static const char *const upgrades[] = { "", "web", "websockets", "websocket x", "h2c",
		"websocket/13", "xwebsocket", "," };
	for (size_t i = 0; i < sizeof upgrades / sizeof *upgrades; i++)
		expect(check_with("Upgrade", upgrades[i]), SL_WS_HANDSHAKE_SWALLOWED);
	expect(check_with("Connection", "upgraded, keep-alive"), SL_WS_HANDSHAKE_SWALLOWED);
}

static void
test_ws_handshake_tells_a_plain_get_from_a_swallowed_upgrade(void)
{
	struct header headers[MOST_HEADERS] = { { "Host", "a" }, { "Connection", "keep-alive" } };
	struct sl_ws_handshake_request request = {
		.http_version = "HTTP/1.1", .get = get, .arg = headers };
	expect(sl_ws_handshake_check(&request), SL_WS_HANDSHAKE_NONE);
	headers[2] = good[3];
	expect(sl_ws_handshake_check(&request), SL_WS_HANDSHAKE_SWALLOWED);
	expect(check_with("Connection", NULL), SL_WS_HANDSHAKE_SWALLOWED);
	expect(check_with("Upgrade", NULL), SL_WS_HANDSHAKE_SWALLOWED);
}

static void
test_ws_handshake_ignores_an_upgrade_in_http_1_0(void)
{
	expect(check_version("HTTP/1.0"), SL_WS_HANDSHAKE_SWALLOWED);
	expect(check_version("HTTP/0.9"), SL_WS_HANDSHAKE_SWALLOWED);
	expect(check_version("ICY/1.1"), SL_WS_HANDSHAKE_SWALLOWED);
	expect(check_version(""), SL_WS_HANDSHAKE_SWALLOWED);
	expect(check_version("HTTP/1.2"), SL_WS_HANDSHAKE_OK);
	expect(check_version("HTTP/2"), SL_WS_HANDSHAKE_OK);
}

static void
test_ws_handshake_takes_version_13_only(void)
{
	static const char *const versions[] = { "8", "0", "14", "130", "013", "", "8, 13", "x" };
	expect(check_with("Sec-WebSocket-Version", NULL), SL_WS_HANDSHAKE_BAD_VERSION);
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		expect(check_with("Sec-WebSocket-Version", versions[i]),
			SL_WS_HANDSHAKE_BAD_VERSION);
	expect(check_with("Sec-WebSocket-Version", " 13 "), SL_WS_HANDSHAKE_OK);
}

static void
test_ws_handshake_wants_a_key_of_sixteen_bytes(void)
{
	static const char *const keys[] = { "", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZQ",
		"dGhlIHNhbXBsZSBub25jZWU=", "dGhlIHNhbXBsZSBub25jZWVl", "dGhlIHNhbXBsZSBub25j!Q==",
		"dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==" };
	expect(check_with("Sec-WebSocket-Key", NULL), SL_WS_HANDSHAKE_BAD);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		expect(check_with("Sec-WebSocket-Key", keys[i]), SL_WS_HANDSHAKE_BAD);
}

static void
test_ws_handshake_trims_the_key(void)
{
	struct sl_ws_handshake_verdict verdict =
		check_with("Sec-WebSocket-Key", " \tdGhlIHNhbXBsZSBub25jZQ== ");
	expect(verdict, SL_WS_HANDSHAKE_OK);
	CU_ASSERT_EQUAL(strncmp(verdict.key, good[3].value, SL_WS_HANDSHAKE_KEY_LEN), 0);
}

static void
test_ws_handshake_wants_a_host(void)
{
	expect(check_with("Host", NULL), SL_WS_HANDSHAKE_BAD);
}

static void
test_ws_handshake_lets_extension_offers_pass_unanswered(void)
{
	static const char *const offers[] = { "", "permessage-deflate", " , foo , bar;baz;q",
		"permessage-deflate; client_max_window_bits", "x; a=1; b=\"two\" , y; c = 3",
		"permessage-deflate; server_no_context_takeover; server_max_window_bits=10, "
		"permessage-deflate" };
	for (size_t i = 0; i < sizeof offers / sizeof *offers; i++)
		expect(check_with("Sec-WebSocket-Extensions", offers[i]), SL_WS_HANDSHAKE_OK);
}

static void
test_ws_handshake_refuses_malformed_extension_offers(void)
{
	static const char *const offers[] = { "foo=1", "foo =1", "foo bar", "foo;", "foo; =1",
		"foo; a=", "foo; a=\"\"", "foo; a=\"b", "foo; a=\"b c\"", ";", "foo; a=b=c",
		"foo, (bar)" };
	for (size_t i = 0; i < sizeof offers / sizeof *offers; i++)
		expect(check_with("Sec-WebSocket-Extensions", offers[i]), SL_WS_HANDSHAKE_BAD);
}

static void
test_ws_handshake_computes_the_accept_value_of_the_rfc(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_ws_handshake_append_accept(&out, "dGhlIHNhbXBsZSBub25jZQ==");
	sl_buffer_append_char(&out, '\0');
	CU_ASSERT_STRING_EQUAL(out.bytes, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	sl_buffer_finish(&out);
}

static void
expect_response(const struct sl_ws_handshake_response *response, const char *text)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_ws_handshake_append_response(&out, response);
	sl_buffer_append_char(&out, '\0');
	CU_ASSERT_STRING_EQUAL(out.bytes, text);
	sl_buffer_finish(&out);
}

static void
test_ws_handshake_writes_the_response(void)
{
	struct sl_ws_handshake_response response = { .key = good[3].value, .sluice = "0.1.0" };
	expect_response(&response,
		"HTTP/1.1 101 Switching Protocols\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		"Sluice: 0.1.0\r\n"
		"\r\n");
	response.protocol = "sluice";
	response.headers = "Vary: Origin\r\nX-One: 1\r\n";
	expect_response(&response,
		"HTTP/1.1 101 Switching Protocols\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		"Sec-WebSocket-Protocol: sluice\r\n"
		"Sluice: 0.1.0\r\n"
		"Vary: Origin\r\n"
		"X-One: 1\r\n"
		"\r\n");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_ws_handshake_accepts_what_browsers_send),
		UNIT_TEST(test_ws_handshake_reads_upgrade_and_connection_as_lists),
		UNIT_TEST(test_ws_handshake_takes_only_whole_tokens),
		UNIT_TEST(test_ws_handshake_tells_a_plain_get_from_a_swallowed_upgrade),
		UNIT_TEST(test_ws_handshake_ignores_an_upgrade_in_http_1_0),
		UNIT_TEST(test_ws_handshake_takes_version_13_only),
		UNIT_TEST(test_ws_handshake_wants_a_key_of_sixteen_bytes),
		UNIT_TEST(test_ws_handshake_trims_the_key),
		UNIT_TEST(test_ws_handshake_wants_a_host),
		UNIT_TEST(test_ws_handshake_lets_extension_offers_pass_unanswered),
		UNIT_TEST(test_ws_handshake_refuses_malformed_extension_offers),
		UNIT_TEST(test_ws_handshake_computes_the_accept_value_of_the_rfc),
		UNIT_TEST(test_ws_handshake_writes_the_response),
		{ NULL, NULL },
	};
	return unit_main("ws_handshake", tests);
}
