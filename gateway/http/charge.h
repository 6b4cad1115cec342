/* Charge: what a request costs its owner (core/owners.h), and the refusal of one that cannot pay: the gate's last
 * question.
 * Owner: the judgement is the caller's; owners are borrowed from its principal and from the gate. Thread: the
 * shard's. Errors: refusals, as data. */
#ifndef SL_HTTP_CHARGE_H
#define SL_HTTP_CHARGE_H

#include <stdint.h>

#include "core/owners.h"

struct sl_gate;
struct sl_judgement;

/* What a request costs that libmicrohttpd answers (http/relay.h); others cost 1. */
#define SL_CHARGE_RELAYED 4

/* Once a request is judged: notes whose it is, and takes what it costs. Where that does not pay, the request is
 * refused with 429, whatever its judgement was. Exempt are questions of health, and publishes that will be
 * served: messages have limits of their own. A delivery request takes a subscribe for each channel too, or for each
 * eight where it is answered once and asked for again; and such a one that resumes needs bytes of history, which
 * a stream waits for. */
void sl_charge_request(struct sl_judgement *judgement, const struct sl_gate *gate);

/* A publish that was to be served is refused after all: it costs what other requests do. Nothing for others. */
void sl_charge_refused_publish(struct sl_judgement *judgement);

/* The judgement is a refusal from now on: the limit pays again in `wait_ms`. */
void sl_charge_refuse(struct sl_judgement *judgement, enum sl_limit limit, uint64_t wait_ms);

#endif
