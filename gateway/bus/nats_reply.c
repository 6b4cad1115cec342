#include "bus/nats_reply.h"

#include <stdbool.h>

#include "util/err.h"

#define PREFIX "$JS.ACK."
#define SHORT_FORM 7 /* tokens behind the prefix */
#define LONG_FORM 9  /* and one more that may follow */
#define TOKENS_MAX (LONG_FORM + 1)

/* Cuts at the dots; returns the number of tokens, 0 if one is empty or there are too many. */
static unsigned
cut(struct sl_span tokens[TOKENS_MAX], struct sl_span text)
{
	unsigned count = 0;
	const char *at = text.bytes, *end = text.bytes + text.len;
	for (;;) {
		const char *dot = memchr(at, '.', (size_t)(end - at));
		const char *stop = dot ? dot : end;
		if (stop == at || count == TOKENS_MAX)
			return 0;
		tokens[count++] = (struct sl_span){ at, (size_t)(stop - at) };
		if (!dot)
			return count;
		at = dot + 1;
	}
}

int
sl_nats_reply_parse(struct sl_nats_reply *out, struct sl_span subject)
{
	const size_t prefix_len = sizeof PREFIX - 1;
	if (subject.len <= prefix_len || memcmp(subject.bytes, PREFIX, prefix_len) != 0)
		return SL_EINVAL;
	struct sl_span tokens[TOKENS_MAX];
	unsigned count = cut(tokens,
		(struct sl_span){ subject.bytes + prefix_len, subject.len - prefix_len });
	if (count != SHORT_FORM && count != LONG_FORM && count != LONG_FORM + 1)
		return SL_EINVAL;
	const struct sl_span *token = count == SHORT_FORM ? tokens : tokens + 2;
	uint64_t delivered, time_ns;
	struct sl_nats_reply reply = { .stream = token[0], .consumer = token[1] };
	bool is_right = sl_span_to_number(token[2], UINT64_MAX, &delivered) &&
		sl_span_to_number(token[3], UINT64_MAX, &reply.sseq) &&
		sl_span_to_number(token[4], UINT64_MAX, &reply.dseq) &&
		sl_span_to_number(token[5], INT64_MAX, &time_ns) &&
		sl_span_to_number(token[6], UINT64_MAX, &reply.pending);
	if (!is_right || delivered == 0 || reply.sseq == 0 || reply.dseq == 0)
		return SL_EINVAL;
	reply.time_ns = (int64_t)time_ns;
	*out = reply;
	return 0;
}
