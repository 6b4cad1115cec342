/* Raise: whose limits are a multiple of everybody's: `WHO=FACTOR`, where WHO is an address, a network or
 * `subject:NAME`.
 * Owner: a list owns its entries. Thread: any, while nobody changes it. Errors: SL_EINVAL, SL_ENOMEM.
 *
 * The first entry that fits counts. A network of IPv6 longer than /64 stands for its whole /64, since limits
 * count a /64 as one client. NAME may end in `*`, for every subject that begins so. */
#ifndef SL_CONFIG_RAISE_H
#define SL_CONFIG_RAISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/network.h"

struct sl_buffer;

#define SL_RAISE_OFF 0          /* no limits */
#define SL_RAISE_MAX 1000000

struct sl_raise {
	char *subject;              /* owns; NULL: `network` says who */
	struct sl_network network;  /* as it was written */
	uint32_t factor;            /* 1 to SL_RAISE_MAX, or SL_RAISE_OFF */
};

struct sl_raise_list {
	struct sl_raise *raises;    /* owns */
	size_t count;
};

/* Appends `text`. */
int sl_raise_list_add(struct sl_raise_list *list, const char *text);

/* Appends the entry at `index` as add() takes it. */
void sl_raise_list_append_text(const struct sl_raise_list *list, size_t index, struct sl_buffer *out);

/* `out` holds nothing before; nothing either when it fails. */
int sl_raise_list_copy(struct sl_raise_list *out, const struct sl_raise_list *from);

/* Empties the list. */
void sl_raise_list_finish(struct sl_raise_list *list);

/* The factor of an address (IPv4 mapped into IPv6), or of a subject; 1 where no entry fits. */
uint32_t sl_raise_list_find_address(const struct sl_raise_list *list, const uint8_t ip[16]);
uint32_t sl_raise_list_find_subject(const struct sl_raise_list *list, const char *subject);

#endif
