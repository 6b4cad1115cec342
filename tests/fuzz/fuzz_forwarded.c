/* Whatever a client puts into the fields that proxies write, what the proxy appends counts: behind any
 * lines, and behind any list in the same line. Without such an end the client is the peer, or an
 * address that the lines hold. Each line of the input is a field; its first byte says which. */
#include "http/forwarded.h"

#include "http/head.h"
#include "tests/fuzz/fuzz.h"
#include "util/network.h"

#define CLIENT "192.0.2.77"
#define CLIENT_PORT 4711

static struct sl_network_list trusted;
static struct sl_address peer;

static const char *const names[] = { "X-Forwarded-For", "Forwarded", "X-Forwarded-Proto" };

/* What a proxy appends: a list's element, in that field. */
static const struct {
	int field;
	const char *element;
	uint16_t port;
	enum sl_forwarded_scheme scheme;
} ends[] = {
	{ 0, CLIENT, 0, SL_SCHEME_UNSAID },
	{ 0, CLIENT ":4711", CLIENT_PORT, SL_SCHEME_UNSAID },
	{ 0, CLIENT ", 10.0.0.2", 0, SL_SCHEME_UNSAID },
	{ 1, "for=" CLIENT, 0, SL_SCHEME_UNSAID },
	{ 1, "for=\"" CLIENT ":4711\";proto=https", CLIENT_PORT, SL_SCHEME_HTTPS },
	{ 1, "by=\"x,y\";for=" CLIENT ", for=10.0.0.2;host=\",\"", 0, SL_SCHEME_UNSAID },
	{ 1, "proto=http;for=\"" CLIENT "\", for=10.0.0.2;by=\"_x\"", 0, SL_SCHEME_HTTP },
};

struct text {
	char *bytes;
	size_t len;
};

static void
append(struct text *text, const char *bytes, size_t len)
{
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
}

/* The request with the input's lines, and `element` in a last line: alone, or in_line behind the whole
 * input as what the client had sent there. */
static struct text
make_request(const uint8_t *bytes, size_t len, int field, const char *element, bool in_line)
{
	struct text text = { malloc(20 * len + 256), 0 };
	FUZZ_EXPECT(text.bytes);
	append(&text, "GET / HTTP/1.0\r\n", 16);
	for (size_t at = 0; at < len;) {
		const uint8_t *feed = memchr(bytes + at, '\n', len - at);
		size_t line = feed ? (size_t)(feed - bytes) - at : len - at;
		const char *name = names[line ? bytes[at] % 3 : 0];
		append(&text, name, strlen(name));
		append(&text, ":", 1);
		for (size_t i = 1; i < line; i++) {
			char c = (char)bytes[at + i];
			append(&text, c == '\r' || c == '\0' ? " " : &c, 1);
		}
		append(&text, "\r\n", 2);
		at += line + (feed ? 1 : 0);
	}
	if (element && in_line)
		append(&text, names[field], strlen(names[field]));
	if (element && in_line) {
		append(&text, ": ", 2);
		for (size_t i = 0; i < len; i++) {
			char c = (char)bytes[i];
			append(&text, (unsigned char)c < 0x20 || c == 0x7f ? " " : &c, 1);
		}
		append(&text, ", ", 2);
	} else if (element) {
		append(&text, names[field], strlen(names[field]));
		append(&text, ": ", 2);
	}
	if (element) {
		append(&text, element, strlen(element));
		append(&text, "\r\n", 2);
	}
	append(&text, "\r\n", 2);
	return text;
}

/* False where the lines are none: a control character is in them. */
static bool
read_request(struct sl_forwarded *out, struct text text)
{
	struct sl_head head;
	struct sl_head_refusal refusal;
	char *copy = fuzz_copy(text.bytes, text.len);
	bool is_read = sl_head_parse(&head, copy, text.len, &refusal);
	if (is_read)
		sl_forwarded_read(out, &head, &trusted, &peer);
	free(copy);
	return is_read;
}

static bool
is_address(const struct sl_address *address, const char *ip)
{
	uint8_t bytes[16];
	FUZZ_EXPECT(sl_network_parse_ip(bytes, (struct sl_span){ ip, strlen(ip) }));
	return memcmp(bytes, address->bytes, 16) == 0;
}

static bool
has_field(struct text text, const char *name)
{
	char field[32];
	snprintf(field, sizeof field, "\r\n%s:", name);
	return memmem(text.bytes, text.len, field, strlen(field));
}

static void
begin(void)
{
	static const uint8_t ip[16] = { [10] = 0xff, 0xff, 10, 0, 0, 1 };
	if (trusted.count > 0)
		return;
	sl_address_set_ip(&peer, ip, 0);
	FUZZ_EXPECT(sl_network_list_add(&trusted, "10.0.0.0/8") == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_forwarded result;
	begin();
	struct text text = make_request(bytes, len, 0, NULL, false);
	if (read_request(&result, text)) {
		FUZZ_EXPECT(result.client.family == AF_INET || result.client.family == AF_INET6);
		FUZZ_EXPECT(result.kind != SL_FORWARDED_NONE || is_address(&result.client, "10.0.0.1"));
	}
	free(text.bytes);
	for (size_t i = 0; i < 2 * (sizeof ends / sizeof *ends); i++) {
		size_t end = i / 2;
		text = make_request(bytes, len, ends[end].field, ends[end].element, i % 2);
		bool is_hidden = ends[end].field == 1 && has_field(text, names[0]);
		if (!is_hidden && read_request(&result, text)) {
			FUZZ_EXPECT(is_address(&result.client, CLIENT));
			FUZZ_EXPECT(result.client.port == ends[end].port);
			FUZZ_EXPECT(ends[end].field == 0 || result.scheme == ends[end].scheme);
			FUZZ_EXPECT(ends[end].field == 0 || !result.is_bad);
		}
		free(text.bytes);
	}
	return 0;
}
