#include "http/request.h"

#include "util/buffer.h"

void
sl_request_append_cors(const struct sl_request *request, struct sl_buffer *out)
{
	if (!request->cors.origin)
		return;
	sl_buffer_append_str(out, "Access-Control-Allow-Origin: ");
	sl_buffer_append_str(out, request->cors.origin);
	if (request->cors.credentials)
		sl_buffer_append_str(out, "\r\nAccess-Control-Allow-Credentials: true");
	sl_buffer_append_str(out, "\r\nAccess-Control-Expose-Headers: " SL_CORS_EXPOSED
		"\r\nVary: Origin\r\n");
}
