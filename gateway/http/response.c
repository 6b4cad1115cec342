#include "http/response.h"

#include <assert.h>
#include <string.h>

#include "util/http_date.h"

#define USUAL_HEAD_BYTES 512 /* room that most heads fit in */

static const char *
get_reason(unsigned status)
{
	switch (status) {
	case 101: return "101 Switching Protocols";
	case 200: return "200 OK";
	case 201: return "201 Created";
	case 202: return "202 Accepted";
	case 204: return "204 No Content";
	case 304: return "304 Not Modified";
	case 400: return "400 Bad Request";
	case 401: return "401 Unauthorized";
	case 403: return "403 Forbidden";
	case 404: return "404 Not Found";
	case 405: return "405 Method Not Allowed";
	case 413: return "413 Content Too Large";
	case 415: return "415 Unsupported Media Type";
	case 426: return "426 Upgrade Required";
	case 429: return "429 Too Many Requests";
	case 431: return "431 Request Header Fields Too Large";
	case 503: return "503 Service Unavailable";
	case 505: return "505 HTTP Version Not Supported";
	default: return "500 Internal Server Error";
	}
}

void
sl_response_add(struct sl_response *response, const char *name, struct sl_span value)
{
	assert(response->field_count < SL_RESPONSE_FIELDS_MAX);
	if (response->field_count < SL_RESPONSE_FIELDS_MAX)
		response->fields[response->field_count++] = (struct sl_response_field){ name, value };
}

void
sl_response_add_text(struct sl_response *response, const char *name, const char *value)
{
	sl_response_add(response, name, (struct sl_span){ value, strlen(value) });
}

void
sl_cors_each(const struct sl_cors *cors,
	void (*take)(void *arg, const char *name, const char *value), void *arg)
{
	if (!cors->origin)
		return;
	take(arg, "Access-Control-Allow-Origin", cors->origin);
	if (cors->credentials)
		take(arg, "Access-Control-Allow-Credentials", "true");
	take(arg, "Access-Control-Expose-Headers", SL_CORS_EXPOSED);
	take(arg, "Vary", "Origin");
}

static void
append_field(void *out, const char *name, const char *value)
{
	sl_buffer_append_str(out, name);
	sl_buffer_append(out, ": ", 2);
	sl_buffer_append_str(out, value);
	sl_buffer_append(out, "\r\n", 2);
}

/* A 101 has no content to be dated or cached. */
static void
append_caching(const struct sl_response *response, struct sl_buffer *out)
{
	if (response->status == 101)
		return;
	sl_buffer_append_str(out, "Date: ");
	sl_http_date_append(out);
	sl_buffer_append(out, "\r\n", 2);
	append_field(out, "Cache-Control",
		response->cache_control ? response->cache_control : "no-store");
}

bool
sl_response_has_body(const struct sl_response *response)
{
	return response->status != 101 && response->status != 204 && response->status != 304;
}

static void
append_length(const struct sl_response *response, struct sl_buffer *out)
{
	if (!sl_response_has_body(response))
		return;
	if (response->body == SL_RESPONSE_CHUNKED) {
		append_field(out, "Transfer-Encoding", "chunked");
	} else if (response->body == SL_RESPONSE_LENGTH) {
		sl_buffer_append_str(out, "Content-Length: ");
		sl_buffer_append_u64(out, response->length);
		sl_buffer_append(out, "\r\n", 2);
	}
}

void
sl_response_append_head(const struct sl_response *response, struct sl_buffer *out)
{
	sl_buffer_reserve(out, USUAL_HEAD_BYTES);
	sl_buffer_append_str(out, "HTTP/1.1 ");
	sl_buffer_append_str(out, get_reason(response->status));
	sl_buffer_append(out, "\r\n", 2);
	if (!response->is_foreign)
		sl_buffer_append_str(out, "Sluice: " SLUICE_VERSION "\r\n");
	append_caching(response, out);
	if (response->content_type)
		append_field(out, "Content-Type", response->content_type);
	append_length(response, out);
	if (response->closes)
		append_field(out, "Connection", "close");
	sl_cors_each(&response->cors, append_field, out);
	for (unsigned i = 0; i < response->field_count; i++) {
		sl_buffer_append_str(out, response->fields[i].name);
		sl_buffer_append(out, ": ", 2);
		sl_buffer_append(out, response->fields[i].value.bytes, response->fields[i].value.len);
		sl_buffer_append(out, "\r\n", 2);
	}
	sl_buffer_append(out, "\r\n", 2);
}
