#include "transports/ws_handshake.h"

#include <stdio.h>
#include <string.h>

#include "http/response.h"
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

/* Reads the head that the fields make; what is no head is no handshake of this file's either. */
static struct sl_ws_handshake_verdict
check(const char *version, const struct header *headers, struct sl_head *head)
{
	static char text[2048];
	struct sl_head_refusal refusal;
	size_t len = (size_t)snprintf(text, sizeof text, "GET /ws %s\r\n", version);
	for (size_t i = 0; i < MOST_HEADERS && headers[i].name; i++)
		if (headers[i].value)
			len += (size_t)snprintf(text + len, sizeof text - len, "%s: %s\r\n",
				headers[i].name, headers[i].value);
	len += (size_t)snprintf(text + len, sizeof text - len, "\r\n");
	CU_ASSERT_TRUE_FATAL(sl_head_parse(head, text, len, &refusal));
	return sl_ws_handshake_check(head);
}

/* The verdict on the good request with one header set to `value`, or taken out by NULL. */
static struct sl_ws_handshake_verdict
check_with(const char *name, const char *value)
{
	struct header headers[MOST_HEADERS];
	struct sl_head head;
	size_t i = 0;
	memcpy(headers, good, sizeof headers);
	while (headers[i].name && strcmp(headers[i].name, name) != 0)
		i++;
	headers[i] = (struct header){ name, value };
	return check("HTTP/1.1", headers, &head);
}

static struct sl_ws_handshake_verdict
check_version(const char *http_version)
{
	struct sl_head head;
	return check(http_version, good, &head);
}

static void
expect(struct sl_ws_handshake_verdict verdict, enum sl_ws_handshake_outcome outcome)
{
	static const unsigned statuses[] = { 101, 426, 426, 426, 400 };
	CU_ASSERT_EQUAL(verdict.outcome, outcome);
	CU_ASSERT_EQUAL(verdict.status, statuses[outcome]);
	CU_ASSERT_EQUAL(verdict.code == NULL, outcome == SL_WS_HANDSHAKE_OK);
	CU_ASSERT_EQUAL(verdict.message == NULL, outcome == SL_WS_HANDSHAKE_OK);
}

static void
test_ws_handshake_accepts_what_browsers_send(void)
{
	expect(check_version("HTTP/1.1"), SL_WS_HANDSHAKE_OK);
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
	struct sl_head head;
	expect(check("HTTP/1.1", headers, &head), SL_WS_HANDSHAKE_NONE);
	headers[2] = good[3];
	expect(check("HTTP/1.1", headers, &head), SL_WS_HANDSHAKE_SWALLOWED);
	expect(check_with("Connection", NULL), SL_WS_HANDSHAKE_SWALLOWED);
	expect(check_with("Upgrade", NULL), SL_WS_HANDSHAKE_SWALLOWED);
}

static void
test_ws_handshake_ignores_an_upgrade_in_http_1_0(void)
{
	expect(check_version("HTTP/1.0"), SL_WS_HANDSHAKE_SWALLOWED);
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
	char accept[SL_WS_HANDSHAKE_ACCEPT_LEN];
	sl_ws_handshake_write_accept(accept, (struct sl_span){ good[3].value, SL_WS_HANDSHAKE_KEY_LEN });
	CU_ASSERT_EQUAL(memcmp(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", sizeof accept), 0);
}

static void
expect_response(const char *offer, const char *more, const char *protocol)
{
	struct header headers[MOST_HEADERS];
	struct sl_buffer out = SL_BUFFER_INIT;
	static const char *const known[] = { "other.v1", SL_WS_HANDSHAKE_PROTOCOL, NULL };
	struct sl_head head;
	char text[512];
	memcpy(headers, good, sizeof headers);
	headers[5] = (struct header){ "Sec-WebSocket-Protocol", offer };
	headers[6] = (struct header){ "Sec-WebSocket-Protocol", more };
	expect(check("HTTP/1.1", headers, &head), SL_WS_HANDSHAKE_OK);
	CU_ASSERT_EQUAL(sl_ws_handshake_append(&out, &head, sl_ws_handshake_choose(&head, known),
		(struct sl_span){ 0 }), 0);
	sl_buffer_append_char(&out, '\0');
	snprintf(text, sizeof text, "HTTP/1.1 101 Switching Protocols\r\n"
		"Sluice: " SLUICE_VERSION "\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		"%s"
		"\r\n", protocol);
	CU_ASSERT_STRING_EQUAL(out.bytes, text);
	sl_buffer_finish(&out);
}

static void
test_ws_handshake_writes_the_response_and_chooses_our_protocol_alone(void)
{
	static const char ours[] = "Sec-WebSocket-Protocol: sluice.v1\r\n";
	expect_response(NULL, NULL, "");
	expect_response("sluice.v1", NULL, ours);
	expect_response("bearer.x, sluice.v1", NULL, ours);
	expect_response("sluice.v1", "bearer.x.y.z", ours);
	expect_response("bearer.x.y.z", NULL, "");
	expect_response("bearer.sluice.v1, bearer.", NULL, "");
	expect_response("other", " sluice.v1 ,x", ours);
	expect_response("sluice.v2", "Sluice.v1", "");
	expect_response("xsluice.v1", "sluice.v1x", "");
}

/* Browsers fail where they offer some and get none. */
static void
test_ws_handshake_takes_the_first_protocol_where_any_will_do(void)
{
	static const struct { const char *offer, *chosen; } cases[] = {
		{ "chat, superchat", "chat" }, { " superchat", "superchat" }, { "bearer.x.y.z, chat", "chat" },
		{ "bearer.x", "" }, { ", ,chat", "chat" }, { "a/b", "" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct header headers[MOST_HEADERS];
		struct sl_head head;
		memcpy(headers, good, sizeof headers);
		headers[5] = (struct header){ "Sec-WebSocket-Protocol", cases[i].offer };
		expect(check("HTTP/1.1", headers, &head), SL_WS_HANDSHAKE_OK);
		struct sl_span chosen = sl_ws_handshake_choose(&head, NULL);
		CU_ASSERT(cases[i].chosen[0] ? sl_span_equals(chosen, cases[i].chosen) : chosen.len == 0);
	}
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
		UNIT_TEST(test_ws_handshake_lets_extension_offers_pass_unanswered),
		UNIT_TEST(test_ws_handshake_refuses_malformed_extension_offers),
		UNIT_TEST(test_ws_handshake_computes_the_accept_value_of_the_rfc),
		UNIT_TEST(test_ws_handshake_writes_the_response_and_chooses_our_protocol_alone),
		UNIT_TEST(test_ws_handshake_takes_the_first_protocol_where_any_will_do),
		{ NULL, NULL },
	};
	return unit_main("ws_handshake", tests);
}
