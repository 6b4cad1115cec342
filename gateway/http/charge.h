/* Charge: the cost of a request to its owner (core/owners.h), and the refusal of a request that the owner
 * cannot pay. This is the gate's last question.
 * Owner: the judgement is the caller's; owners are borrowed from its principal and from the gate. Thread: the
 * shard's. Errors: refusals, as data. */
#ifndef SL_HTTP_CHARGE_H
#define SL_HTTP_CHARGE_H

#include <stdint.h>

#include "core/owners.h"

struct sl_gate;
struct sl_judgement;

/* The cost of a request that libmicrohttpd answers (http/relay.h); others cost 1. */
#define SL_CHARGE_RELAYED 4

/* Notes the owner of a judged request, and takes its cost from the owner's bucket. If the bucket does not pay,
 * the request is refused with 429, whatever its judgement was. Two kinds are free: questions of health, and
 * publishes that will be served, since messages have limits of their own.
 *
 * A delivery request also pays a subscribe for each channel. If its client asks again and again, it pays one
 * for each eight channels. A delivery request of this kind that resumes also needs bytes of history; a stream
 * waits for these. */
void sl_charge_request(struct sl_judgement *judgement, const struct sl_gate *gate);

/* A publish is refused after all: it now costs as much as other requests. Does nothing for other requests. */
void sl_charge_refused_publish(struct sl_judgement *judgement);

/* Makes the judgement a refusal: the limit pays again in `wait_ms`. */
void sl_charge_refuse(struct sl_judgement *judgement, enum sl_limit limit, uint64_t wait_ms);

#endif
