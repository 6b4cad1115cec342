#include "http/preflight.h"

#include "http/reply.h"
#include "http/request.h"
#include "http/route.h"

#define ALL_METHODS "GET, HEAD, POST, OPTIONS"
#define MAX_AGE_S "600"
#define LONG_MAX_AGE_S "86400" /* browsers take some of it */
#define REQUESTED_MAX 1024 /* bytes of Access-Control-Request-Headers */

/* What a page wants to send (Fetch, section 3.3.2), where it is a list of names and no more; absent otherwise. */
static struct sl_span
find_requested(const struct sl_head *head)
{
	struct sl_span rest = head->lines, value = { 0 };
	if (!sl_head_next_of(&rest, "Access-Control-Request-Headers", &value) || value.len > REQUESTED_MAX)
		return (struct sl_span){ 0 };
	for (size_t i = 0; i < value.len; i++)
		if (!sl_head_is_token_char((unsigned char)value.bytes[i]) && value.bytes[i] != ',' && value.bytes[i] != ' ')
			return (struct sl_span){ 0 };
	return value;
}

void
sl_preflight_fill(struct sl_reply *reply, const struct sl_request *request)
{
	const char *methods = request->route ? request->route->methods : ALL_METHODS;
	reply->head.status = 204;
	sl_response_add_text(&reply->head, "Allow", methods);
	if (!request->cors.origin)
		return;
	sl_response_add_text(&reply->head, "Access-Control-Allow-Methods", methods);
	bool echoes = request->route && request->route->echoes_headers;
	struct sl_span requested = echoes ? find_requested(request->head) : (struct sl_span){ 0 };
	if (requested.len)
		sl_response_add(&reply->head, "Access-Control-Allow-Headers", requested);
	else
		sl_response_add_text(&reply->head, "Access-Control-Allow-Headers", SL_CORS_ALLOWED);
	if (requested.len)
		sl_response_add_text(&reply->head, "Vary", "Access-Control-Request-Headers");
	sl_response_add_text(&reply->head, "Access-Control-Max-Age",
		echoes ? LONG_MAX_AGE_S : MAX_AGE_S);
	/* A page of the internet asks for a gateway in a private network (WICG, Private Network
	 * Access); whoever listed its origin has allowed that. */
	if (sl_span_equals(sl_request_get(request, SL_FIELD_PRIVATE_NETWORK), "true"))
		sl_response_add_text(&reply->head, "Access-Control-Allow-Private-Network", "true");
}
