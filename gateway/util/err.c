#include "util/err.h"

const char *
sl_strerror(int err)
{
	switch (err) {
	case 0: return "success";
	case SL_ENOMEM: return "out of memory";
	case SL_EINVAL: return "invalid value";
	case SL_ESYNTAX: return "malformed input";
	case SL_EUTF8: return "text is not valid UTF-8";
	case SL_ETOOBIG: return "too large";
	case SL_EFULL: return "a limit is reached, try again later";
	case SL_ENOENT: return "no such thing";
	case SL_EAGAIN: return "nothing to do yet";
	case SL_ECLOSED: return "closed by the other side";
	case SL_EIO: return "input/output error";
	case SL_EDRAINING: return "the gateway is shutting down";
	case SL_EBACKEND: return "the backend could not store the message";
	case SL_EPROTO: return "protocol violation";
	case SL_ETOODEEP: return "JSON is nested too deeply, see limits.json_depth in /transports";
	default: return "unknown error";
	}
}

const char *
sl_err_code(int err)
{
	switch (err) {
	case SL_EINVAL: return "bad_value";
	case SL_ESYNTAX: return "bad_json";
	case SL_EUTF8: return "bad_utf8";
	case SL_ETOOBIG: return "too_large";
	case SL_EFULL: return "limit";
	case SL_ENOENT: return "not_found";
	case SL_EDRAINING: return "draining";
	case SL_EBACKEND: return "backend";
	case SL_EPROTO: return "protocol";
	case SL_ETOODEEP: return "too_deep";
	default: return "internal";
	}
}

unsigned
sl_err_http_status(int err)
{
	switch (err) {
	case 0: return 200;
	case SL_EINVAL:
	case SL_ESYNTAX:
	case SL_EUTF8:
	case SL_EPROTO:
	case SL_ETOODEEP: return 400;
	case SL_ENOENT: return 404;
	case SL_ETOOBIG: return 413;
	case SL_EFULL:
	case SL_EDRAINING: return 429;
	default: return 500;
	}
}
