#include "live/answer.h"

#include "bus/message.h"
#include "live/fanout.h"
#include "live/framing.h"
#include "live/shard.h"
#include "live/subscriber.h"

struct sl_wire *
sl_answer_get_wire(struct sl_subscriber *s, const struct sl_answer *answer)
{
	return answer->run ? sl_run_get_wire(answer->run, &s->shard->framer, answer->framing) : NULL;
}

size_t
sl_answer_frame(struct sl_subscriber *s, const struct sl_answer *answer, struct sl_buffer *out)
{
	struct sl_framer *framer = &s->shard->framer;
	if (answer->count == 0)
		return 0;
	if (answer->labels)
		return sl_framer_frame(framer, s->encoder, answer->labels, answer->messages,
			answer->count, out, framer->ends);
	return sl_framer_frame_alike(framer, s->encoder, framer->framings[answer->framing].label,
		answer->messages, answer->count, out, framer->ends);
}

/* Up to where the subscriber has everything once it has the first `framed` messages. */
static uint64_t
find_through(const struct sl_answer *answer, size_t framed)
{
	if (framed == answer->count)
		return answer->through;
	if (framed == 0)
		return 0;
	uint64_t last = answer->messages[framed - 1]->seq;
	/* The same message again, under another label. */
	return answer->messages[framed]->seq == last ? last - 1 : last;
}

void
sl_answer_settle(struct sl_subscriber *s, const struct sl_answer *answer, size_t framed)
{
	uint64_t through = find_through(answer, framed);
	for (size_t i = framed; answer->sources && i-- > 0 && answer->messages[i]->seq > through;)
		sl_fanout_raise_after(s, answer->sources[i], answer->messages[i]->seq);
	/* A cursor may lie above the head of a node that lags behind the others. */
	if (s->position < through)
		s->position = through;
}
