/* Gate: the one place that judges a request: Host, Origin, path, method, room, parameters, principal, size,
 * content. It also charges the request (http/charge.h). Call it once for each request, when its head is there.
 * It is a function of the head and its arguments, with two effects only: `principals` remembers tokens that it
 * has verified, and the owner pays.
 * Owner: the result borrows the head's bytes, and holds a reference to the principal. Thread: the shard's.
 * Errors: refusals, as data. */
#ifndef SL_HTTP_GATE_H
#define SL_HTTP_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "http/request.h"
#include "util/metrics.h"

struct sl_access;
struct sl_config;
struct sl_owner;
struct sl_principals;
struct sl_reply;
struct sl_routes;

/* The facts by which a request is judged. */
struct sl_gate {
	const struct sl_config *config;
	const struct sl_access *access;
	const struct sl_routes *routes;
	bool is_full;        /* the connection was accepted above a limit */
	bool is_client_full; /* its client has as many requests through proxies as it may have */
	bool is_draining;
	bool lacks_tls;   /* the listener speaks TLS, and the client does not */
	bool is_for_admins; /* the listener is one of --admin-listen */
	struct sl_owner *owner; /* the owner that limits count if the principal has none: the link's; or NULL */
	uint64_t now_ms;        /* the monotonic clock */
	struct sl_principals *principals; /* NULL: every principal may do everything */
	int64_t now_s;    /* the wall clock's time; only with principals */
};

enum sl_gate_verdict {
	SL_GATE_SERVE,
	SL_GATE_OPTIONS, /* answered with the methods that the path allows */
	SL_GATE_REFUSE,
};

/* The subject of a refusal. A transport may have a better answer to some (http/transport.h). */
enum sl_gate_concern { SL_CONCERN_REQUEST, SL_CONCERN_ROOM, SL_CONCERN_PRINCIPAL };

#define SL_CHALLENGE_MAX 512

struct sl_gate_refusal {
	unsigned status;
	const char *code;             /* static */
	char message[1024];
	const char *allow;            /* Allow; NULL: none */
	char challenge[SL_CHALLENGE_MAX]; /* WWW-Authenticate; "": none */
	bool is_for_anybody;          /* a page of any origin may read it */
	enum sl_gate_concern concern;
	bool closes;
	uint32_t retry_ms;            /* the time after which a limit pays again; else 0 */
	enum sl_counter counter;      /* counted besides the status; SL_COUNTER_COUNT: none */
};

struct sl_judgement {
	enum sl_gate_verdict verdict;
	struct sl_request request;    /* as far as it was understood; `cors` always */
	struct sl_gate_refusal refusal;
	uint64_t judged_ms;           /* the time of the judgement, on the monotonic clock */
};

/* Judges `head`. Its query is in `query`: the query_len bytes behind the '?', decoded in place (may be NULL).
 * Judges a body by the head. */
void sl_gate_judge(struct sl_judgement *out, const struct sl_gate *gate, const struct sl_head *head,
	char *query, size_t query_len);

/* Drops the principal's reference. Also allowed before any judgement (all zero), and twice. */
void sl_judgement_finish(struct sl_judgement *judgement);

/* Refuse a request behind the gate: for an error with a status of its own, or for a method without an answer
 * here. */
void sl_gate_refuse_err(struct sl_judgement *judgement, int err);
void sl_gate_refuse_method(struct sl_judgement *judgement);

/* Refuses a body that turned out to be malformed, at a path whose clients read such an answer. */
void sl_gate_refuse_chunks(struct sl_judgement *judgement);

/* Refuses a chunked body that turned out longer than `body_max`. */
void sl_gate_refuse_size(struct sl_judgement *judgement);

/* Fills a reply for a refusal or the answer to OPTIONS. */
void sl_gate_fill_reply(const struct sl_judgement *judgement, struct sl_reply *reply);

/* Adds the fields of a refusal whose status and body are filled: Allow, the challenge, Retry-After and CORS. */
void sl_gate_add_fields(const struct sl_judgement *judgement, struct sl_reply *reply);

#endif
