#include "live/refusal.h"

#include <stdio.h>

#include "util/err.h"

void
sl_refusal_set(struct sl_refusal *refusal, const char *code, const char *message)
{
	refusal->code = code;
	refusal->is_final = false;
	snprintf(refusal->message, sizeof refusal->message, "%s", message);
}

void
sl_refusal_set_err(struct sl_refusal *refusal, int err)
{
	sl_refusal_set(refusal, sl_err_code(err), sl_strerror(err));
}
