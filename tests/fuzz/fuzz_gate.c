/* A head that is taken is judged: served with what its route needs, or answered with a response that
 * has one head and a body of its own. The first byte chooses the gateway's state. */
#include "auth/principal.h"
#include "config/config.h"
#include "core/owners.h"
#include "http/gate.h"
#include "http/head.h"
#include "http/reply.h"
#include "http/route.h"
#include "http/transport.h"
#include "bus/message.h"
#include "http/access.h"
#include "tests/fuzz/fuzz.h"
#include "util/err.h"
#include "util/json_check.h"

static const struct sl_transport holding = { .name = "a", .path = "poll", .capabilities = SL_HOLDS };
static const struct sl_transport answering = { .name = "b", .path = "poll" };
static const struct sl_transport events = { .name = "c", .path = "sse",
	.capabilities = SL_HAS_LAST_EVENT_ID };
static const struct sl_transport *const polls[] = { &holding, &answering, NULL };
static const struct sl_transport *const streams[] = { &events, NULL };

static uint64_t
get_body_max(const struct sl_config *rules)
{
	return rules->max_message_bytes / 2;
}

static const struct sl_transport visiting = { .name = "d", .path = "family/",
	.capabilities = SL_TAKES_BODY | SL_REFUSES | SL_HAS_SESSIONS, .get_body_max = get_body_max };
static const struct sl_transport upgrading = { .name = "e", .path = "family/", .capabilities = SL_UPGRADES };
static const struct sl_transport *const family[] = { &visiting, &upgrading, NULL };
static const char *const own_params[] = { "sid", "up", NULL };

static const struct sl_transport *
choose(const struct sl_route *route, const struct sl_request *request)
{
	return route->transports[request->params.own[1].bytes ? 1 : 0];
}

static const struct sl_route list[] = {
	{ .path = "family/", .methods = "GET, POST, OPTIONS", .kind = SL_ROUTE_DELIVER,
		.needs = SL_NEEDS_PRINCIPAL, .transports = family, .takes_any_method = true, .has_no_channels = true,
		.echoes_headers = true, .own_params = own_params, .choose = choose },
	{ .path = "poll", .methods = "GET, HEAD, POST, OPTIONS", .kind = SL_ROUTE_DELIVER,
		.needs = SL_NEEDS_PRINCIPAL, .transports = polls },
	{ .path = "sse", .methods = "GET, OPTIONS", .kind = SL_ROUTE_DELIVER,
		.needs = SL_NEEDS_PRINCIPAL, .transports = streams },
	{ .path = "publish", .methods = "POST, OPTIONS", .kind = SL_ROUTE_PUBLISH,
		.needs = SL_NEEDS_PRINCIPAL, .takes_body = true },
	{ .path = "echo", .methods = "POST, OPTIONS", .takes_body = true },
	{ .path = "stats", .methods = "GET, HEAD, OPTIONS" },
	{ .path = "", .methods = "GET, HEAD, OPTIONS", .is_for_any_origin = true },
	{ .path = "client/", .methods = "GET, HEAD, OPTIONS", .is_for_any_origin = true },
	{ .path = NULL },
};
static const struct sl_route *const lists[] = { list, NULL };
static const struct sl_routes routes = { lists };

static char root[] = "/", below[] = "/push/";
static char page[] = "https://page.example";
static struct sl_origin origin = { .url = page, .authority = page + 8 };
static struct sl_config config = {
	.public_origin = { &origin, 1 },
	.max_message_bytes = 1000, .max_batch_bytes = 5000, .max_channels = 4,
};

static void
expect_served(const struct sl_gate *gate, const struct sl_judgement *judgement)
{
	const struct sl_request *request = &judgement->request;
	const struct sl_route *route = request->route;
	FUZZ_EXPECT(route && (route->takes_any_method || sl_route_allows(route, request->head->method)));
	FUZZ_EXPECT(!sl_head_is_method(request->head, "OPTIONS"));
	FUZZ_EXPECT((route->kind == SL_ROUTE_DELIVER) == (request->transport != NULL));
	FUZZ_EXPECT(request->head->content_length <= request->body_max);
	FUZZ_EXPECT(request->keep_alive == sl_head_keeps_alive(request->head));
	FUZZ_EXPECT(request->principal == &sl_principal_everybody);
	FUZZ_EXPECT(!gate->is_for_admins || (route->needs == SL_NEEDS_ADMIN &&
		!sl_request_get(request, SL_FIELD_ORIGIN).bytes));
	bool is_work = request->transport || route->takes_body;
	FUZZ_EXPECT(!is_work || (!gate->is_full && !gate->is_draining));
	if (!request->transport)
		return;
	const struct sl_join *join = &request->params.join;
	FUZZ_EXPECT((join->channel_count >= 1 || route->has_no_channels) && join->channel_count <= config.max_channels);
	for (unsigned i = 0; i < join->channel_count; i++)
		FUZZ_EXPECT(sl_channel_name_valid(join->channels[i].bytes, join->channels[i].len));
	FUZZ_EXPECT(request->transport != &answering || request->params.wait_s == 0);
	FUZZ_EXPECT(request->transport != &upgrading || (request->params.own[1].bytes && request->body_max == 0));
}

/* No byte of the request's can end a line or the head. */
static void
expect_one_head(const struct sl_buffer *out, bool has_body)
{
	const char *end = memmem(out->bytes, out->len, "\r\n\r\n", 4);
	FUZZ_EXPECT(end && memcmp(out->bytes, "HTTP/1.1 ", 9) == 0);
	size_t head_len = (size_t)(end + 4 - out->bytes);
	for (size_t i = 0; i < head_len; i++)
		FUZZ_EXPECT((out->bytes[i] >= ' ' && out->bytes[i] <= '~') || out->bytes[i] == '\r' ||
			(out->bytes[i] == '\n' && out->bytes[i - 1] == '\r'));
	FUZZ_EXPECT(has_body || head_len == out->len);
	if (!has_body)
		return;
	FUZZ_EXPECT(sl_json_check(out->bytes + head_len, out->len - head_len, 2) == 0);
}

static void
expect_answer(const struct sl_judgement *judgement)
{
	struct sl_reply reply = { .head.status = 0 };
	struct sl_buffer out = SL_BUFFER_INIT;
	bool is_refused = judgement->verdict == SL_GATE_REFUSE;
	if (is_refused) {
		FUZZ_EXPECT(judgement->refusal.status >= 400 && judgement->refusal.status < 430);
		FUZZ_EXPECT(judgement->refusal.counter <= SL_COUNTER_COUNT);
		bool is_limit = strcmp(judgement->refusal.code, "rate_limited") == 0;
		FUZZ_EXPECT(!judgement->refusal.is_for_anybody || judgement->refusal.status == 403 || is_limit);
		FUZZ_EXPECT(is_limit == (judgement->refusal.retry_ms > 0));
		FUZZ_EXPECT(!is_limit || judgement->refusal.status == 429);
	} else {
		FUZZ_EXPECT(sl_head_is_method(judgement->request.head, "OPTIONS"));
	}
	sl_gate_fill_reply(judgement, &reply);
	sl_reply_append_response(&reply, &out, false);
	FUZZ_EXPECT(sl_buffer_status(&out) == 0);
	expect_one_head(&out, is_refused);
	sl_buffer_finish(&out);
	sl_reply_finish(&reply);
}

static void
judge(const struct sl_gate *gate, const struct sl_head *head, char *bytes)
{
	static struct sl_judgement judgement;
	memset(&judgement, 0x5a, sizeof judgement);
	const char *mark = memchr(head->target.bytes, '?', head->target.len);
	size_t before = mark ? (size_t)(mark + 1 - head->target.bytes) : 0;
	sl_gate_judge(&judgement, gate, head, mark ? bytes + (mark + 1 - bytes) : NULL,
		mark ? head->target.len - before : 0);
	FUZZ_EXPECT(!judgement.request.cors.origin || strcmp(judgement.request.cors.origin, page) == 0);
	/* Whoever has asked too much gets nothing but publishes. */
	bool is_served = judgement.verdict == SL_GATE_SERVE;
	FUZZ_EXPECT(!gate->owner || (is_served ? judgement.request.route->kind == SL_ROUTE_PUBLISH :
		strcmp(judgement.refusal.code, "rate_limited") == 0));
	if (!is_served) {
		expect_answer(&judgement);
		return;
	}
	expect_served(gate, &judgement);
	sl_gate_refuse_size(&judgement);
	expect_answer(&judgement);
	sl_judgement_finish(&judgement);
}

/* Owes an hour's requests. */
static struct sl_owner *
get_debtor(void)
{
	static struct sl_owner *debtor;
	static struct sl_owners *owners;
	if (debtor)
		return debtor;
	owners = sl_owners_create(&(struct sl_limits){ .max_connections = 1,
		.rates = { [SL_LIMIT_REQUESTS] = 1 } });
	debtor = sl_owners_get_subject(owners, "debtor");
	FUZZ_EXPECT(debtor);
	sl_owner_spend(debtor, SL_LIMIT_REQUESTS, 3000, 0);
	return debtor;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_head_refusal refusal;
	struct sl_head head;
	size_t scanned = 0;
	if (len == 0)
		return 0;
	config.base_path = bytes[0] & 4 ? below : root;
	config.allow_credentials = bytes[0] & 8;
	struct sl_access *access = sl_access_create(&config, NULL, 0);
	struct sl_gate gate = { &config, access, &routes, bytes[0] & 1, bytes[0] & 2,
		.is_for_admins = bytes[0] & 16, .owner = bytes[0] & 32 ? get_debtor() : NULL };
	FUZZ_EXPECT(access);
	char *copy = fuzz_copy(bytes + 1, len - 1);
	ptrdiff_t head_len = sl_head_scan(copy, len - 1, &scanned);
	if (head_len > 0 && sl_head_parse(&head, copy, (size_t)head_len, &refusal))
		judge(&gate, &head, copy);
	free(copy);
	sl_access_destroy(access);
	return 0;
}
