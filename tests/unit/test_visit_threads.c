/* Visits between shards that run (http/visit.h): clients that ask, hold, publish and leave at random moments, and a gateway
 * that stops among them. Each answer is the one to its own request, each visit is answered or left once, and nothing
 * of it is left: what a race would break, ThreadSanitizer and the leak checker tell. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/http_client.h"
#include "tests/unit/visit_family.h"
#include "transports/registry.h"
#include "util/clock.h"
#include "worker.h"

#define WORKERS 4
#define CLIENT_THREADS 2
#define CLIENTS 16 /* of a thread */
#define ANSWERS 2000 /* that a thread waits for */
#define STEPS_MAX 20000000
#define HELD 8

static struct live_world world;
static struct sl_worker *workers;
static struct sl_shard *shards[1 + WORKERS]; /* the first is the world's, which does not run */

/* ---- the family: a POST has what is held at its shard answered ---- */

struct place {
	struct sl_visit *held[HELD];
	unsigned next;
	unsigned long arrived, answered, left;
	char apart[64];
};

static struct place places[1 + WORKERS];
static _Atomic unsigned long dropped, gone_on, sent, wrong;

static void
answer(struct place *place, struct sl_visit *visit)
{
	struct sl_wire *wire = sl_wire_create(&visit->owner->framer, "!", 1);
	place->answered++;
	visit->reply.head.status = 200;
	visit->reply.head.content_type = "text/plain";
	sl_buffer_append(&visit->reply.body, visit->id.bytes, visit->id.len);
	if (visit->ops->on_answer)
		visit->result = malloc(1);
	sl_visit_answer_wire(visit, wire);
	sl_wire_unref(wire);
}

static void
answer_held(struct place *place, unsigned slot)
{
	struct sl_visit *visit = place->held[slot];
	place->held[slot] = NULL;
	if (visit)
		answer(place, visit);
}

static void
arrive(struct sl_visit *visit, struct sl_shard *owner)
{
	struct place *place = &places[owner->index];
	unsigned slot = place->next++ % HELD;
	place->arrived++;
	if (visit->kind == FAMILY_POST) {
		wrong += visit->body.len > 0 && memcmp(visit->body.bytes, visit->id.bytes, visit->body.len) != 0;
		answer_held(place, slot);
		answer(place, visit);
		return;
	}
	answer_held(place, slot);
	place->held[slot] = visit;
	visit->user = &place->held[slot];
}

static void
leave(struct sl_visit *visit, struct sl_shard *owner)
{
	struct sl_visit **slot = visit->user;
	places[owner->index].left++;
	wrong += *slot != visit;
	*slot = NULL;
}

static void
drop(struct sl_visit *visit)
{
	atomic_fetch_add(&dropped, 1);
	free(visit->result);
}

/* It is served on: as an answer, after which the next request is read. And another shard is told of it. */
static void
go_on(struct sl_visit *visit, struct sl_connection *connection)
{
	static const struct sl_visit_ops tell = { .arrive = arrive, .leave = leave };
	atomic_fetch_add(&gone_on, 1);
	free(visit->result);
	sl_buffer_append_char(&visit->reply.body, '!');
	if (sl_visit_send(visit->home, &(struct sl_visit_call){ .ops = &tell, .kind = FAMILY_POST,
			.owner = 1 + visit->home->index % WORKERS }) == 0)
		atomic_fetch_add(&sent, 1);
	sl_connection_send_reply(connection, &visit->reply);
}

static const struct sl_visit_ops plain_ops = { .arrive = arrive, .leave = leave };
static const struct sl_visit_ops going_ops = { .arrive = arrive, .leave = leave, .on_answer = go_on, .drop = drop };

static int
open_visit(struct sl_connection *connection, const struct sl_request *request)
{
	struct sl_span sid = request->params.own[FAMILY_SID];
	return sl_visit_begin(connection, &(struct sl_visit_call){
		.ops = request->params.own[FAMILY_UP].bytes ? &going_ops : &plain_ops,
		.owner = 1 + (unsigned)(sid.bytes[0] - '0') % WORKERS,
		.kind = sl_head_is_method(request->head, "POST") ? FAMILY_POST : FAMILY_GET,
		.id = sid,
		.body = request->body,
	});
}

static const struct sl_transport transport = {
	.name = "family", .path = "family/", .class = SL_CLASS_ENGINEIO_POLLING,
	.capabilities = SL_TAKES_BODY | SL_REFUSES | SL_HAS_SESSIONS, .get_body_max = family_get_body_max,
	.refuse = family_refuse, .open = open_visit,
};
static const struct sl_transport *const transports[] = { &transport, NULL };
static const struct sl_route routes[] = {
	{ .path = "family/", .methods = "GET, POST, OPTIONS", .kind = SL_ROUTE_DELIVER, .needs = SL_NEEDS_PRINCIPAL,
		.transports = transports, .has_no_channels = true, .own_params = family_params },
	{ .path = NULL },
};

/* ---- clients ---- */

struct coming {
	struct sl_task task; /* first */
	struct sl_front *front;
	int fd;
};

static void
come(struct sl_task *task)
{
	struct coming *coming = (struct coming *)task;
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	if (!sl_connection_create(coming->front, &(struct sl_arrival){ .fd = coming->fd, .peer = &peer }))
		close(coming->fd);
	free(coming);
}

struct caller {
	int fd; /* -1: none */
	char id[16]; /* of the request under way; "" none */
};

static void
call_up(struct caller *caller, unsigned worker)
{
	int fds[2];
	struct coming *coming = malloc(sizeof *coming);
	*caller = (struct caller){ .fd = -1 };
	if (!coming || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
		abort();
	caller->fd = fds[0];
	*coming = (struct coming){ .task.run = come, .front = &workers[worker].front, .fd = fds[1] };
	sl_mailbox_post(&workers[worker].shard.mailbox, &coming->task);
}

static void
ask(struct caller *caller, unsigned number, unsigned chance)
{
	char text[256];
	bool posts = chance & 1, goes_on = chance & 2;
	snprintf(caller->id, sizeof caller->id, "%u-%u", chance / 8 % WORKERS, number);
	int len = snprintf(text, sizeof text, "%s /family/?sid=%s%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
		posts ? "POST" : "GET", caller->id, goes_on ? "&up=1" : "", posts ? strlen(caller->id) : 0,
		posts ? caller->id : "");
	if (send(caller->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		caller->id[0] = '\0';
}

/* What has come must be the answer to what was asked. Returns how many answers came. */
static unsigned
listen_to(struct caller *caller)
{
	char text[2048], wanted[40];
	ssize_t len = recv(caller->fd, text, sizeof text - 1, MSG_DONTWAIT);
	if (len <= 0)
		return 0;
	text[len] = '\0';
	snprintf(wanted, sizeof wanted, "\r\n\r\n%s!", caller->id);
	bool is_right = strncmp(text, "HTTP/1.1 200 ", 13) == 0 && strstr(text, wanted);
	wrong += !is_right && !strstr(text, "draining");
	caller->id[0] = '\0';
	return 1;
}

static void *
run_clients(void *arg)
{
	struct caller callers[CLIENTS];
	unsigned chance = (unsigned)(uintptr_t)arg * 2654435761u + 1;
	for (unsigned i = 0; i < CLIENTS; i++)
		call_up(&callers[i], i % WORKERS);
	unsigned answers = 0;
	for (unsigned step = 0; answers < ANSWERS && step < STEPS_MAX; step++) {
		struct caller *caller = &callers[step % CLIENTS];
		chance = chance * 1103515245u + 12345u;
		unsigned drawn = chance >> 12;
		answers += listen_to(caller);
		if (drawn % 16 == 0) {
			close(caller->fd);
			call_up(caller, drawn / 16 % WORKERS);
		} else if (!caller->id[0]) {
			ask(caller, step, drawn);
		}
		if (step % CLIENTS == 0)
			usleep(200);
	}
	for (unsigned i = 0; i < CLIENTS; i += 2) /* the others are there when the gateway stops */
		close(callers[i].fd);
	return NULL;
}

/* ---- all of it ---- */

static void *
run_worker(void *arg)
{
	sl_worker_run(arg);
	return NULL;
}

static void
open_all(void)
{
	static const struct sl_route *const lists[] = { routes, sl_transport_routes, NULL };
	world_open(&world, NULL);
	workers = aligned_alloc(_Alignof(struct sl_worker), WORKERS * sizeof *workers);
	CU_ASSERT_PTR_NOT_NULL_FATAL(workers);
	memset(workers, 0, WORKERS * sizeof *workers);
	shards[0] = &world.shard;
	world.shard.has_drained = true;
	for (unsigned i = 0; i < WORKERS; i++)
		shards[1 + i] = &workers[i].shard;
	world.http.routes = (struct sl_routes){ lists };
	world.http.shards = shards;
	world.http.shard_count = 1 + WORKERS;
	for (unsigned i = 0; i < WORKERS; i++)
		CU_ASSERT_EQUAL_FATAL(sl_worker_init(&workers[i], 1 + i, 1 + WORKERS, world.bus, &world.http,
			world.settings), 0);
}

static void
test_visits_are_answered_or_left_once_whatever_the_moment(void)
{
	pthread_t threads[WORKERS], clients[CLIENT_THREADS];
	unsigned long arrived = 0, over = 0;
	open_all();
	for (unsigned i = 0; i < WORKERS; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, run_worker, &workers[i]), 0);
	for (uintptr_t i = 0; i < CLIENT_THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&clients[i], NULL, run_clients, (void *)(i + 1)), 0);
	for (unsigned i = 0; i < CLIENT_THREADS; i++)
		pthread_join(clients[i], NULL);
	for (unsigned i = 0; i < WORKERS; i++)
		sl_worker_drain(&workers[i], sl_clock_monotonic_ms() + 300);
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	sl_workers_close(workers, WORKERS);
	for (unsigned i = 1; i <= WORKERS; i++) {
		arrived += places[i].arrived;
		over += places[i].answered + places[i].left;
		for (unsigned j = 0; j < HELD; j++)
			CU_ASSERT_PTR_NULL(places[i].held[j]);
	}
	CU_ASSERT_EQUAL(arrived, over);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(arrived >= CLIENT_THREADS * ANSWERS && gone_on > 0 && sent == gone_on);
	for (unsigned i = 0; i < WORKERS; i++)
		sl_worker_finish(&workers[i]);
	free(workers);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_visits_are_answered_or_left_once_whatever_the_moment),
		{ NULL, NULL },
	};
	return unit_main("visit_threads", tests);
}
