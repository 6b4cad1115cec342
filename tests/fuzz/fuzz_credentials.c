/* What a head brings to say who asks: a part of its own bytes, from the places that count, in their order;
 * and a cookie only where its page may. The first byte chooses the route and what is known of the Origin. */
#include "http/credentials.h"
#include "http/head.h"
#include "http/request.h"
#include "http/route.h"
#include "http/transport.h"
#include "tests/fuzz/fuzz.h"

static const struct sl_transport upgrading = { .name = "u", .capabilities = SL_UPGRADES };
static const struct sl_transport plain = { .name = "p" };
static const struct sl_route delivery = { .path = "d", .kind = SL_ROUTE_DELIVER };
static const struct sl_route ordinary = { .path = "o" };

static bool
is_within(struct sl_span part, struct sl_span whole)
{
	return part.bytes >= whole.bytes && part.bytes + part.len <= whole.bytes + whole.len;
}

static void
expect_read(const struct sl_credentials *found, const struct sl_request *request)
{
	const struct sl_head *head = request->head;
	if (found->kind == SL_CREDENTIAL_NONE) {
		FUZZ_EXPECT(!request->params.token.bytes && !request->params.ticket.bytes);
		return;
	}
	FUZZ_EXPECT(found->bytes.bytes);
	if (found->kind == SL_CREDENTIAL_TICKET) {
		FUZZ_EXPECT(found->bytes.bytes == request->params.ticket.bytes);
		FUZZ_EXPECT(request->route == &delivery);
		return;
	}
	if (found->bytes.bytes == request->params.token.bytes)
		return;
	FUZZ_EXPECT(is_within(found->bytes, head->lines));
	bool is_bearer = head->count[SL_FIELD_AUTHORIZATION] == 1 &&
		is_within(found->bytes, head->first[SL_FIELD_AUTHORIZATION]);
	bool is_offered = request->transport == &upgrading && found->bytes.bytes -
		head->lines.bytes >= 7 && memcmp(found->bytes.bytes - 7, "bearer.", 7) == 0;
	if (is_bearer || is_offered)
		return;
	/* a cookie */
	FUZZ_EXPECT(!request->params.token.bytes && head->count[SL_FIELD_COOKIE] > 0);
	FUZZ_EXPECT(request->cors.origin || (!head->first[SL_FIELD_ORIGIN].bytes &&
		request->transport != &upgrading && !sl_head_is_method(head, "POST")));
	FUZZ_EXPECT(!memchr(found->bytes.bytes, ';', found->bytes.len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_head_refusal refusal;
	struct sl_head head;
	struct sl_credentials found;
	size_t scanned = 0;
	if (len == 0)
		return 0;
	char *copy = fuzz_copy(bytes + 1, len - 1);
	ptrdiff_t head_len = sl_head_scan(copy, len - 1, &scanned);
	if (head_len > 0 && sl_head_parse(&head, copy, (size_t)head_len, &refusal)) {
		struct sl_request request = {
			.head = &head,
			.route = bytes[0] & 1 ? &ordinary : &delivery,
			.transport = bytes[0] & 2 ? &upgrading : &plain,
			.cors.origin = bytes[0] & 4 ? "https://page.example" : NULL,
		};
		if (bytes[0] & 8)
			request.params.token = head.target;
		if (bytes[0] & 16)
			request.params.ticket = head.method;
		if (sl_credentials_find(&found, &request, bytes[0] & 32 ? NULL : "session") ==
				SL_CREDENTIALS_READ)
			expect_read(&found, &request);
	}
	free(copy);
	return 0;
}
