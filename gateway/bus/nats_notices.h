/* Notices: what one node tells all, those that are away or not started yet included: a stream
 * `sluice-<bus>-nodes` that holds the newest message of each subject `sluice-nodes.<bus>.<name>`.
 * Owner: the backend. Thread: the worker's, unless a call says otherwise. Errors: as each call says. */
#ifndef SL_BUS_NATS_NOTICES_H
#define SL_BUS_NATS_NOTICES_H

#include <nats/nats.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"

struct sl_nats_notices;

#endif
