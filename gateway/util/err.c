#include "util/err.h"

#include <stddef.h>

/* By the error's number without its sign. */
static const struct {
	unsigned http_status;
	const char *code, *text;
} errors[] = {
	[0] = { 200, "internal", "success" },
	[-SL_ENOMEM] = { 500, "internal", "out of memory" },
	[-SL_EINVAL] = { 400, "bad_value", "invalid value" },
	[-SL_ESYNTAX] = { 400, "bad_json", "malformed input" },
	[-SL_EUTF8] = { 400, "bad_utf8", "the text is not valid UTF-8; use UTF-8" },
	[-SL_ETOOBIG] = { 413, "too_large", "too large" },
	[-SL_EFULL] = { 429, "limit", "a limit is reached; try again later" },
	[-SL_ENOENT] = { 404, "not_found", "no such thing" },
	[-SL_EAGAIN] = { 500, "internal", "nothing to do yet" },
	[-SL_ECLOSED] = { 500, "internal", "closed by the other side" },
	[-SL_EIO] = { 500, "internal", "input/output error" },
	[-SL_EDRAINING] = { 429, "draining", "the gateway is shutting down" },
	[-SL_EBACKEND] = { 500, "backend", "the backend could not store the message" },
	[-SL_EPROTO] = { 400, "protocol", "protocol violation" },
	[-SL_ETOODEEP] = { 400, "too_deep",
		"the JSON is nested too deeply; see limits.json_depth in /transports" },
	[-SL_ENOLEASE] = { 404, "no_check_channel",
		"the channel is not lent, or no longer; use /check/channel for a name that begins with ~" },
	[-SL_ELEASEFULL] = { 429, "check_full", "this channel has all the subscribers it may have; try again later" },
	[-SL_ELEASESPENT] = { 429, "check_used_up", "this channel has carried all it may carry; use /check/channel for another one" },
	[-SL_EFORBIDDEN] = { 403, "forbidden", "permission is missing" },
	[-SL_ELIMITED] = { 429, "rate_limited", "the client asks for more than it may have; try again later" },
	[-SL_EUNKNOWN] = { 500, "unknown_outcome",
		"the log did not answer in time, so the message may be stored or not" },
	{ 500, "internal", "unknown error" }, /* last: any other number */
};

static size_t
find(int err)
{
	size_t unknown = sizeof errors / sizeof *errors - 1;
	return err <= 0 && err > -(int)unknown ? (size_t)-err : unknown;
}

const char *
sl_strerror(int err)
{
	return errors[find(err)].text;
}

const char *
sl_err_code(int err)
{
	return errors[find(err)].code;
}

unsigned
sl_err_http_status(int err)
{
	return errors[find(err)].http_status;
}
