/* Gate: the one place where a request is judged: Host, Origin, path, method, room, parameters, who asks,
 * size, content; and charged (http/charge.h). Called once for each request, when its head is there. A function of the head and of what
 * it is given, which is changed in two ways only: `principals` remembers tokens that it has verified, and the
 * owner pays.
 * Owner: what comes out borrows the head's bytes, and holds a reference to who asks. Thread: the shard's.
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

/* What a request is judged by. */
struct sl_gate {
	const struct sl_config *config;
	const struct sl_access *access;
	const struct sl_routes *routes;
	bool is_full;        /* the connection was accepted above a limit */
	bool is_client_full; /* its client has as many requests as it may have through proxies */
	bool is_draining;
	bool lacks_tls;   /* the listener speaks TLS, and the client does not */
	bool is_for_admins; /* the listener is one of --admin-listen */
	struct sl_owner *owner; /* whom limits count where the principal says nobody: the link's; or NULL */
	uint64_t now_ms;        /* the monotonic clock */
	struct sl_principals *principals; /* NULL: everybody may do everything */
	int64_t now_s;    /* the wall clock's; where there are principals */
};

enum sl_gate_verdict {
	SL_GATE_SERVE,
	SL_GATE_OPTIONS, /* answered with what the path allows */
	SL_GATE_REFUSE,
};

/* What a refusal is about, where a transport may have a better answer to it (http/transport.h). */
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
	uint32_t retry_ms;            /* of a limit that will pay again: when; else 0 */
	enum sl_counter counter;      /* to be counted, beside the status; SL_COUNTER_COUNT: none */
};

struct sl_judgement {
	enum sl_gate_verdict verdict;
	struct sl_request request;    /* as far as it is understood: `cors` always */
	struct sl_gate_refusal refusal;
	uint64_t judged_ms;           /* when, on the monotonic clock */
};

/* Judges `head`, whose query is in `query` (query_len bytes behind the '?', decoded in place; may
 * be NULL). Bodies are judged by what the head says of them. */
void sl_gate_judge(struct sl_judgement *out, const struct sl_gate *gate, const struct sl_head *head,
	char *query, size_t query_len);

/* Lets go of who asked. Also for one that was never judged, all zero, and twice. */
void sl_judgement_finish(struct sl_judgement *judgement);

/* Refused behind the gate: an error that has a status of its own; a method for which there is no answer here. */
void sl_gate_refuse_err(struct sl_judgement *judgement, int err);
void sl_gate_refuse_method(struct sl_judgement *judgement);

/* A body turned out to be malformed, where its path is served to clients that read such an answer. */
void sl_gate_refuse_chunks(struct sl_judgement *judgement);

/* A chunked body that was to be served turned out longer than `body_max`. */
void sl_gate_refuse_size(struct sl_judgement *judgement);

/* A refusal or the answer to OPTIONS as a reply. */
void sl_gate_fill_reply(const struct sl_judgement *judgement, struct sl_reply *reply);

/* What goes with a refusal whoever has filled its status and body: Allow, the challenge, when to come back, and
 * who may read it. */
void sl_gate_add_fields(const struct sl_judgement *judgement, struct sl_reply *reply);

#endif
