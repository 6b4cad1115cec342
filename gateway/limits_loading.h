/* Limits loading: what one client may do, as the options say.
 * Owner: a value, which borrows the configuration's list. Thread: any. Errors: none. */
#ifndef SL_LIMITS_LOADING_H
#define SL_LIMITS_LOADING_H

#include "core/owners.h"

struct sl_config;

struct sl_limits sl_limits_loading_get(const struct sl_config *config);

#endif
