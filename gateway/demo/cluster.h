/* Cluster: what `scripts/demo --cluster` runs, as its programs see it: one file that all have mapped. The
 * supervisor (bench/cluster/) writes which of the processes run; a gateway writes which of them should. No gateway
 * starts or ends a process, and nothing can be asked for but that one of these few runs or does not.
 * Owner: the demo, or the supervisor. Thread: opened and closed on main's; otherwise any, in any process: what
 * changes is atomic, and nothing waits. Errors: SL_EIO with errno, SL_EPROTO (another kind of file), SL_ENOENT,
 * SL_EFULL, as said there. */
#ifndef SL_DEMO_CLUSTER_H
#define SL_DEMO_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/span.h"

#define SL_CLUSTER_NODES 8
#define SL_CLUSTER_NAME_MAX 15

struct sl_buffer;
struct sl_cluster;
struct sl_cluster_node;

enum sl_cluster_kind { SL_CLUSTER_GATEWAY, SL_CLUSTER_NATS };

/* READY and AWAY are what a gateway's /readyz says, or a NATS server's /healthz: that a leader is missing. */
enum sl_cluster_state { SL_CLUSTER_DOWN, SL_CLUSTER_STARTING, SL_CLUSTER_AWAY, SL_CLUSTER_READY };

/* ---- the supervisor's ---- */

/* Makes the file, which must not exist. Returns new in `*out`. */
int sl_cluster_create(struct sl_cluster **out, const char *path);

/* Before others open it: a process that should run. Errors: SL_EFULL, SL_EINVAL (a name: 1 to 15 of a-z and 0-9). */
int sl_cluster_add(struct sl_cluster *cluster, const char *name, enum sl_cluster_kind kind, uint16_t port);

void sl_cluster_set_state(struct sl_cluster_node *node, enum sl_cluster_state state);
/* The one that leads, among those of its kind; NULL: none. */
void sl_cluster_set_leader(struct sl_cluster *cluster, const struct sl_cluster_node *leader);
void sl_cluster_count_start(struct sl_cluster_node *node);
bool sl_cluster_is_wanted(const struct sl_cluster_node *node);

/* ---- a gateway's ---- */

/* As the gateway at `port`. Returns new in `*out`. Errors: also SL_ENOENT, it has no such gateway. */
int sl_cluster_open(struct sl_cluster **out, const char *path, uint16_t port);

/* If this gateway is the one that publishes what all see: the first that is ready. `cluster` NULL: true. */
bool sl_cluster_feeds(const struct sl_cluster *cluster);

/* The port of the nth gateway that is another; 0: there is none. `cluster` NULL: 0. */
uint16_t sl_cluster_find_other(const struct sl_cluster *cluster, unsigned n);

/* What the page's policy says besides, within connect-src: the other gateways and their lanes. */
void sl_cluster_append_policy(const struct sl_cluster *cluster, struct sl_buffer *out);

/* {"self":"a","nodes":[{"name":"a","kind":"gateway","state":"ready","wanted":true,"leads":false,"starts":1,
 * "origins":["http://127.0.0.1:P",...]},...]}; the origins of a gateway, its lanes' behind its own. */
void sl_cluster_append_json(const struct sl_cluster *cluster, struct sl_buffer *out);

/* Wants a process to run, or to be killed. Errors: SL_ENOENT, SL_EFULL (the last gateway that runs: nobody could
 * start another). */
int sl_cluster_want(struct sl_cluster *cluster, struct sl_span name, bool runs);

/* ---- of both ---- */

/* NULL is allowed; the file stays. */
void sl_cluster_close(struct sl_cluster *cluster);

/* The nth process; NULL: there is none. */
struct sl_cluster_node *sl_cluster_at(struct sl_cluster *cluster, unsigned n);
const char *sl_cluster_name(const struct sl_cluster_node *node);
enum sl_cluster_kind sl_cluster_kind(const struct sl_cluster_node *node);
uint16_t sl_cluster_port(const struct sl_cluster_node *node);
enum sl_cluster_state sl_cluster_state(const struct sl_cluster_node *node);

#endif
