#include "http/revocation.h"

#include <assert.h>
#include <stdlib.h>

#include "auth/principals.h"
#include "auth/revocations.h"
#include "http/http.h"
#include "live/shard.h"
#include "util/err.h"

/* On its way to one shard. */
struct ending {
	struct sl_task task; /* first: run gets it */
	struct ending *next; /* before they are sent */
	struct sl_shard *shard;
	int64_t until_s;
	size_t len;
	char subject[SL_SUBJECT_MAX];
};

static void
end_streams(struct sl_task *task)
{
	struct ending *ending = (struct ending *)task;
	struct sl_shard *shard = ending->shard;
	if (shard->principals)
		sl_principals_revoke(shard->principals, (struct sl_span){ ending->subject, ending->len },
			ending->until_s);
	free(ending);
}

static void
drop(struct ending *first)
{
	while (first) {
		struct ending *next = first->next;
		free(first);
		first = next;
	}
}

/* One for each shard, or NULL with none left. */
static struct ending *
make_endings(const struct sl_http *http, const struct sl_revocation *revocation)
{
	struct ending *first = NULL;
	for (unsigned i = 0; i < http->shard_count; i++) {
		struct ending *ending = calloc(1, sizeof *ending);
		if (!ending) {
			drop(first);
			return NULL;
		}
		ending->task.run = end_streams;
		ending->next = first;
		ending->shard = http->shards[i];
		ending->until_s = revocation->until_s;
		ending->len = revocation->subject.len;
		memcpy(ending->subject, revocation->subject.bytes, ending->len);
		first = ending;
	}
	return first;
}

/* The table first: from then on nobody is let in, so that nothing is opened behind the back of a shard
 * that has ended what was open. */
int
sl_revocation_apply(const struct sl_http *http, const struct sl_revocation *revocation,
	int64_t now_s)
{
	assert(revocation->subject.len <= SL_SUBJECT_MAX);
	struct ending *next, *ending = make_endings(http, revocation);
	if (!ending)
		return SL_ENOMEM;
	int err = sl_revocations_add(http->revocations, revocation->subject, revocation->until_s,
		revocation->kept_s, now_s);
	if (err != 0) {
		drop(ending);
		return err;
	}
	for (; ending; ending = next) {
		next = ending->next; /* the shard frees it */
		sl_mailbox_post(&ending->shard->mailbox, &ending->task);
	}
	if (http->on_revoked)
		http->on_revoked();
	return 0;
}

int
sl_revocation_announce(const struct sl_http *http, const struct sl_revocation *revocation,
	int64_t now_s)
{
	return sl_revocation_apply(http, revocation, now_s);
}
