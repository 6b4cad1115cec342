/* Check channels: the channels that the check page borrows to try a path. Their names begin with
 * '~', they live for two minutes, and they carry little (live/lease.h). A name is signed (check/lent_name.h): what
 * another gateway has lent by the same secret is honoured here when it is used first, and counted here on its own.
 * Owner: the app. All shards share the table under a lock of its own (law 1), which is held for
 * look-ups only. Thread: any, unless a call says otherwise. Errors: as each call says.
 *
 * At a limit the gateway refuses the new channel; no channel makes room before it expires. Once a
 * second shard 0 removes expired channels, ends their subscribers on every shard with `bye
 * expired`, and drops their history. */
#ifndef SL_CHECK_CHANNELS_H
#define SL_CHECK_CHANNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "check/lent_name.h"

#define SL_CHECK_LIFE_MS 120000u
#define SL_CHECK_CONNECTIONS 5u  /* subscribers at a time */
#define SL_CHECK_MESSAGES 200u   /* in its life, as of the bytes of payload */
#define SL_CHECK_BYTES 1048576u
#define SL_CHECK_OF_ADDRESS 3u   /* channels that live; Unix sockets have no address */
#define SL_CHECK_TOTAL 200u
#define SL_CHECK_FOREIGN 1000u   /* that live, and that other gateways have lent */
#define SL_CHECK_NAME_LEN SL_LENT_NAME_LEN

struct sl_address;
struct sl_check_channels;
struct sl_http;
struct sl_lender;
struct sl_secret;
struct sl_shard;

struct sl_issue {
	char name[SL_CHECK_NAME_LEN + 1];
	/* With SL_EFULL: */
	uint64_t wait_ms;   /* until one expires */
	bool is_of_address; /* the address has all it may have; else all together do */
};

/* Becomes the lender of the shards of `http`, with a timer of shard 0 that expires channels. Main's
 * thread, before the shards run. Returns new in `*out`. Errors: SL_ENOMEM, SL_EIO. */
int sl_check_channels_create(struct sl_check_channels **out, struct sl_http *http,
	const struct sl_secret *secret);

/* Names are signed with a key of this secret from now on (which is not kept). What is known stays; what others have lent
 * by the old one and nobody has used here yet is unknown. NULL is allowed. Any thread. */
void sl_check_channels_set_secret(struct sl_check_channels *channels, const struct sl_secret *secret);

/* After the shards have stopped, before they are finished. NULL is allowed. */
void sl_check_channels_destroy(struct sl_check_channels *channels);

/* The table that is the shard's lender. */
struct sl_check_channels *sl_check_channels_of(const struct sl_shard *shard);

/* Makes a channel for a client of the shard. Errors: SL_EFULL, a limit; SL_EIO, no random bytes;
 * SL_ENOMEM. */
int sl_check_channels_issue(struct sl_check_channels *channels, struct sl_shard *shard,
	const struct sl_address *peer, struct sl_issue *out);

/* How many are in the table, expired ones among them until they are taken out. */
unsigned sl_check_channels_count(struct sl_check_channels *channels);

#endif
