#include "demo/cluster.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "demo/lanes.h"
#include "util/buffer.h"
#include "util/err.h"

#define MAGIC UINT32_C(0x534c4342)
#define VERSION 1u

/* One build's programs alone share a file, so its form may change with any. */
struct sl_cluster_node {
	char name[SL_CLUSTER_NAME_MAX + 1];
	uint32_t kind, port;
	_Atomic uint32_t state, is_wanted, leads, starts;
};

struct board {
	uint32_t magic, version, count;
	struct sl_cluster_node nodes[SL_CLUSTER_NODES];
};

struct sl_cluster {
	struct board *board; /* mapped */
	unsigned self;       /* the place of this gateway; of the supervisor SL_CLUSTER_NODES */
};

/* ---- the file ---- */

static struct board *
map(int fd)
{
	struct board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return board == MAP_FAILED ? NULL : board;
}

/* Takes `board`. */
static int
wrap(struct sl_cluster **out, struct board *board)
{
	struct sl_cluster *cluster = board ? calloc(1, sizeof *cluster) : NULL;
	if (!cluster) {
		if (board)
			munmap(board, sizeof *board);
		return board ? SL_ENOMEM : SL_EIO;
	}
	*cluster = (struct sl_cluster){ .board = board, .self = SL_CLUSTER_NODES };
	*out = cluster;
	return 0;
}

int
sl_cluster_create(struct sl_cluster **out, const char *path)
{
	int err = SL_EIO, fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return SL_EIO;
	if (ftruncate(fd, sizeof(struct board)) == 0)
		err = wrap(out, map(fd));
	close(fd);
	if (err == 0) {
		(*out)->board->magic = MAGIC;
		(*out)->board->version = VERSION;
	}
	return err;
}

static bool
is_name(const char *name)
{
	size_t len = strnlen(name, SL_CLUSTER_NAME_MAX + 1);
	return len > 0 && len <= SL_CLUSTER_NAME_MAX
		&& strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

static bool
is_sound(const struct board *board)
{
	if (board->magic != MAGIC || board->version != VERSION || board->count > SL_CLUSTER_NODES)
		return false;
	for (unsigned i = 0; i < board->count; i++)
		if (!is_name(board->nodes[i].name) || board->nodes[i].kind > SL_CLUSTER_NATS
				|| board->nodes[i].port > UINT16_MAX)
			return false;
	return true;
}

int
sl_cluster_open(struct sl_cluster **out, const char *path, uint16_t port)
{
	struct stat st;
	struct board *board = NULL;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return SL_EIO;
	int err = fstat(fd, &st) == 0 ? 0 : SL_EIO;
	if (err == 0 && st.st_size != sizeof *board)
		err = SL_EPROTO;
	if (err == 0 && !(board = map(fd)))
		err = SL_EIO;
	close(fd);
	struct sl_cluster *cluster = NULL;
	if (err == 0)
		err = wrap(&cluster, board);
	if (err != 0)
		return err;
	err = is_sound(board) ? SL_ENOENT : SL_EPROTO;
	for (unsigned i = 0; err == SL_ENOENT && i < board->count; i++)
		if (board->nodes[i].kind == SL_CLUSTER_GATEWAY && board->nodes[i].port == port) {
			cluster->self = i;
			*out = cluster;
			return 0;
		}
	sl_cluster_close(cluster);
	return err;
}

void
sl_cluster_close(struct sl_cluster *cluster)
{
	if (!cluster)
		return;
	munmap(cluster->board, sizeof *cluster->board);
	free(cluster);
}

/* ---- processes ---- */

int
sl_cluster_add(struct sl_cluster *cluster, const char *name, enum sl_cluster_kind kind, uint16_t port)
{
	struct board *board = cluster->board;
	if (!is_name(name))
		return SL_EINVAL;
	if (board->count == SL_CLUSTER_NODES)
		return SL_EFULL;
	struct sl_cluster_node *node = &board->nodes[board->count++];
	strcpy(node->name, name);
	node->kind = kind;
	node->port = port;
	atomic_store(&node->is_wanted, true);
	return 0;
}

struct sl_cluster_node *
sl_cluster_at(struct sl_cluster *cluster, unsigned n)
{
	return n < cluster->board->count ? &cluster->board->nodes[n] : NULL;
}

const char *
sl_cluster_name(const struct sl_cluster_node *node)
{
	return node->name;
}

enum sl_cluster_kind
sl_cluster_kind(const struct sl_cluster_node *node)
{
	return node->kind;
}

uint16_t
sl_cluster_port(const struct sl_cluster_node *node)
{
	return (uint16_t)node->port;
}

enum sl_cluster_state
sl_cluster_state(const struct sl_cluster_node *node)
{
	uint32_t state = atomic_load(&node->state);
	return state <= SL_CLUSTER_READY ? state : SL_CLUSTER_DOWN;
}

void
sl_cluster_set_state(struct sl_cluster_node *node, enum sl_cluster_state state)
{
	atomic_store(&node->state, state);
}

void
sl_cluster_count_start(struct sl_cluster_node *node)
{
	atomic_fetch_add(&node->starts, 1);
}

bool
sl_cluster_is_wanted(const struct sl_cluster_node *node)
{
	return atomic_load(&node->is_wanted);
}

void
sl_cluster_set_leader(struct sl_cluster *cluster, const struct sl_cluster_node *leader)
{
	for (unsigned i = 0; i < cluster->board->count; i++)
		atomic_store(&cluster->board->nodes[i].leads, leader == &cluster->board->nodes[i]);
}

/* ---- what a gateway asks for ---- */

/* Two that are killed in the same moment through both gateways: the supervisor asks this once more. */
static bool
is_last_gateway(const struct board *board, const struct sl_cluster_node *node)
{
	if (node->kind != SL_CLUSTER_GATEWAY)
		return false;
	for (unsigned i = 0; i < board->count; i++) {
		const struct sl_cluster_node *other = &board->nodes[i];
		if (other != node && other->kind == SL_CLUSTER_GATEWAY && atomic_load(&other->is_wanted)
				&& sl_cluster_state(other) >= SL_CLUSTER_AWAY)
			return false;
	}
	return true;
}

int
sl_cluster_want(struct sl_cluster *cluster, struct sl_span name, bool runs)
{
	struct board *board = cluster->board;
	for (unsigned i = 0; i < board->count; i++) {
		struct sl_cluster_node *node = &board->nodes[i];
		if (!sl_span_equals(name, node->name))
			continue;
		if (!runs && is_last_gateway(board, node))
			return SL_EFULL;
		atomic_store(&node->is_wanted, runs);
		return 0;
	}
	return SL_ENOENT;
}

bool
sl_cluster_feeds(const struct sl_cluster *cluster)
{
	if (!cluster)
		return true;
	for (unsigned i = 0; i < cluster->board->count; i++) {
		const struct sl_cluster_node *node = &cluster->board->nodes[i];
		if (node->kind == SL_CLUSTER_GATEWAY && sl_cluster_state(node) == SL_CLUSTER_READY)
			return i == cluster->self;
	}
	return false;
}

uint16_t
sl_cluster_find_other(const struct sl_cluster *cluster, unsigned n)
{
	for (unsigned i = 0; cluster && i < cluster->board->count; i++) {
		const struct sl_cluster_node *node = &cluster->board->nodes[i];
		if (node->kind == SL_CLUSTER_GATEWAY && i != cluster->self && n-- == 0)
			return (uint16_t)node->port;
	}
	return 0;
}

/* ---- what the page gets ---- */

void
sl_cluster_append_policy(const struct sl_cluster *cluster, struct sl_buffer *out)
{
	uint16_t port;
	for (unsigned n = 0; (port = sl_cluster_find_other(cluster, n)) != 0; n++)
		for (unsigned lane = 0; lane <= SL_LANES; lane++)
			sl_buffer_printf(out, " http://127.0.0.1:%u ws://127.0.0.1:%u", port + lane, port + lane);
}

static void
append_node(const struct sl_cluster_node *node, struct sl_buffer *out)
{
	static const char *const kinds[] = { "gateway", "nats" };
	static const char *const states[] = { "down", "starting", "away", "ready" };
	sl_buffer_printf(out, "{\"name\":\"%s\",\"kind\":\"%s\",\"state\":\"%s\",\"wanted\":%s,\"leads\":%s,"
		"\"starts\":%u", node->name, kinds[node->kind], states[sl_cluster_state(node)],
		sl_cluster_is_wanted(node) ? "true" : "false", atomic_load(&node->leads) ? "true" : "false",
		atomic_load(&node->starts));
	for (unsigned lane = 0; node->kind == SL_CLUSTER_GATEWAY && lane <= SL_LANES; lane++)
		sl_buffer_printf(out, "%s\"http://127.0.0.1:%u\"%s", lane ? "," : ",\"origins\":[",
			node->port + lane, lane < SL_LANES ? "" : "]");
	sl_buffer_append_char(out, '}');
}

void
sl_cluster_append_json(const struct sl_cluster *cluster, struct sl_buffer *out)
{
	const struct board *board = cluster->board;
	sl_buffer_printf(out, "{\"self\":\"%s\",\"nodes\":[", board->nodes[cluster->self].name);
	for (unsigned i = 0; i < board->count; i++) {
		sl_buffer_append_str(out, i ? "," : "");
		append_node(&board->nodes[i], out);
	}
	sl_buffer_append_str(out, "]}");
}
