/* Faults: what an obstacle can do wrong, and how that is written.
 * Owner: types are constants; a set is counted, its faults belong to it. Thread: one.
 * Errors: SL_EINVAL with a sentence that says what would be right, SL_ENOMEM, SL_ETOOBIG.
 *
 * NAME[=VALUE[,VALUE]][@QUALIFIER=VALUE]..., e.g. cut-idle=10s,rst@path=/ws@share=0.3.
 * A type is a row of hooks, all of them optional; they act through bench/obstacle/active.h. */
#ifndef SL_BENCH_OBSTACLE_FAULT_H
#define SL_BENCH_OBSTACLE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/obstacle/value.h"

#define OB_VALUES 2
#define OB_FAULTS_MAX 32      /* in a set */
#define OB_FAULT_TEXT_MAX 255

struct ob_active;

enum ob_way { OB_UP, OB_DOWN }; /* to the origin, to the client */

/* What a hook that may stop a connection says. */
enum ob_verdict {
	OB_GO,    /* nothing; the next fault is asked */
	OB_WAIT,  /* not now: ob_active_resume() follows */
	OB_TAKEN, /* this fault has answered, ended or repeated it */
};

/* Content of a body, or bytes of a tunnel. */
struct ob_piece {
	enum ob_way way;
	const char *bytes;
	size_t len;
	bool end; /* nothing follows */
};

struct ob_value_spec {
	enum ob_kind kind;
	const char *fallback; /* NULL: the value must be given */
};

struct ob_fault_type {
	const char *name;
	const char *sentence; /* what it does, seen from a client */
	const char *product;  /* the real thing that does so */
	struct ob_value_spec values[OB_VALUES];
	bool is_of_bodies; /* a tunnel's bytes do not concern it */
	bool repeats;      /* the request is kept, so that it can be sent again */

	/* A client has connected; before anything is read. With a path or a transport to match
	 * it is asked at the request's head instead. */
	enum ob_verdict (*on_open)(struct ob_active *active);
	/* The request's head is complete and may be changed; nothing has been sent on. */
	enum ob_verdict (*on_request_head)(struct ob_active *active);
	/* The request goes on to the origin, or a tunnel begins. */
	void (*on_begin)(struct ob_active *active);
	/* The response's head is complete and may be changed; nothing of it has been sent. */
	enum ob_verdict (*on_response_head)(struct ob_active *active);
	/* Bytes pass. The hook passes on what it lets through, now or later. */
	void (*on_up)(struct ob_active *active, const struct ob_piece *piece);
	void (*on_down)(struct ob_active *active, const struct ob_piece *piece);
	/* The most bytes that on_schedule wants to see at a time. */
	size_t (*grain)(const struct ob_active *active);
	/* When `len` bytes are sent that would be sent at `due_ms`. */
	uint64_t (*on_schedule)(struct ob_active *active, enum ob_way way, size_t len,
		uint64_t due_ms);
	void (*on_timer)(struct ob_active *active);
	/* The client has left; OB_WAIT: the origin is not told. */
	enum ob_verdict (*on_client_gone)(struct ob_active *active);
	/* The origin has left in the middle of a body; OB_TAKEN: the fault has seen to it. */
	enum ob_verdict (*on_origin_gone)(struct ob_active *active);
	/* The set it belongs to has just been put in force on a running connection. */
	void (*on_set)(struct ob_active *active);
};

struct ob_fault {
	const struct ob_fault_type *type;
	char text[OB_FAULT_TEXT_MAX + 1]; /* as it was given */
	struct ob_value values[OB_VALUES];
	uint64_t after_ms, until_ms;      /* since it was set; until_ms 0: for ever */
	uint64_t age_ms, bytes;           /* of the connection */
	uint32_t share;                   /* in millionths */
	char path[OB_WORD_MAX + 1], transport[OB_WORD_MAX + 1], method[OB_WORD_MAX + 1];
	uint64_t set_ms;                  /* when it was put in force */
	uint64_t asked;                   /* a counter for the type's own use */
	uint64_t applied;                 /* times it took effect */
};

struct ob_fault_set {
	unsigned refs;
	unsigned count;
	struct ob_fault faults[];
};

/* The families of types, each ended by a NULL name; the list by NULL. */
extern const struct ob_fault_type *const ob_fault_families[];

/* NULL for an unknown name. */
const struct ob_fault_type *ob_fault_type_find(const char *name, size_t len);

/* Appends e.g. "cut-idle=TIME,ENDING"; a value that need not be given stands in brackets. */
void ob_fault_type_synopsis(const struct ob_fault_type *type, char *text, size_t size);

/* Errors: SL_EINVAL with the reason in `why`. */
int ob_fault_parse(struct ob_fault *fault, const char *text, char *why, size_t why_size);

/* It matches only some requests: path, transport or method. */
bool ob_fault_is_of_requests(const struct ob_fault *fault);

/* Returns new, with one reference. Faults that stand in `before` (may be NULL) with the same
 * text keep their times and counts. Errors: SL_EINVAL, SL_ETOOBIG, SL_ENOMEM, with the reason in
 * `why`. */
int ob_fault_set_create(struct ob_fault_set **set, const char *const *texts, size_t count,
	const struct ob_fault_set *before, uint64_t now_ms, char *why, size_t why_size);
struct ob_fault_set *ob_fault_set_ref(struct ob_fault_set *set);
void ob_fault_set_unref(struct ob_fault_set *set);

#endif
