#include "bench/load/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/load/schedule.h"
#include "bench/load/tls.h"
#include "bench/load/usage.h"
#include "bench/load/wait.h"
#include "util/err.h"

#define EVENTS_A_TURN 128
#define OPENING_AT_ONCE 64
#define OPEN_WAIT_NS 10000000000u
#define STALL_NS 5000000000u /* until what is missing counts as lost */
#define PASS_LIMIT_NS 30000000000u /* after the schedule's end */
#define WAIT_MAX_NS 100000000u
#define TOKEN_S 3600

/* Signing takes longer than a request may wait. */
static int
make_tokens(struct bench_worker *worker)
{
	const struct bench_server *server = worker->plan.server;
	int64_t now_s = bench_wall_clock_s();
	for (unsigned i = 0; worker->plan.own_tokens && server->signer && i < worker->plan.readers; i++) {
		char subject[32];
		const struct bench_grant grant = { .subject = subject, .issued_s = now_s,
			.expires_s = now_s + TOKEN_S, .channels = "*" };
		snprintf(subject, sizeof subject, "reader-%u", worker->plan.first_reader + i);
		worker->readers[i].authorization = bench_signer_make_field(server->signer, &grant);
		if (!worker->readers[i].authorization)
			return SL_ENOMEM;
	}
	return 0;
}

int
bench_worker_init(struct bench_worker *worker, const struct bench_worker_plan *plan)
{
	const char *opened = plan->server->peer->opened[plan->transport];
	*worker = (struct bench_worker){ .plan = *plan, .wait.busy_polls = plan->busy_polls,
		.publisher.stream.fd = -1 };
	/* On a target WebSocket is tried first: proxies end kept HTTP connections every so often,
	 * and requests that are under way with them. */
	worker->plan.bursts |= !plan->server->peer->publish
		|| (plan->server->is_target && plan->server->peer->open_burst);
	worker->plan.channels += plan->channels == 0;
	worker->plan.poll_step += plan->poll_step == 0;
	bench_token_init(&worker->reader_opening, opened ? opened : "\r\n\r\n");
	worker->epoll = epoll_create1(EPOLL_CLOEXEC);
	worker->input = malloc(BENCH_INPUT_BYTES);
	worker->payloads = malloc(BENCH_BURST_MAX * plan->payload_len + 1);
	worker->readers = calloc(plan->readers + 1, sizeof *worker->readers);
	worker->tally = calloc(1, sizeof *worker->tally);
	if (!worker->input || !worker->payloads || !worker->readers || !worker->tally)
		return SL_ENOMEM;
	for (unsigned i = 0; i < plan->readers; i++) {
		worker->readers[i].stream.fd = -1;
		strcpy(worker->readers[i].cursor, plan->cursor ? plan->cursor : "");
	}
	/* So that nothing grows while it is measured. */
	sl_buffer_reserve(&worker->scratch, BENCH_BURST_MAX * (plan->payload_len + 512));
	int err = worker->epoll >= 0 ? sl_buffer_status(&worker->scratch) : SL_EIO;
	return err ? err : make_tokens(worker);
}

void
bench_worker_finish(struct bench_worker *worker)
{
	for (unsigned i = 0; worker->readers && i < worker->plan.readers; i++) {
		bench_stream_close(&worker->readers[i].stream);
		bench_tls_link_destroy(worker->readers[i].link);
		free(worker->readers[i].authorization);
		bench_http_finish(&worker->readers[i].http);
	}
	bench_stream_close(&worker->publisher.stream);
	bench_http_finish(&worker->publisher.http);
	if (worker->epoll >= 0)
		close(worker->epoll);
	if (worker->tally)
		free(worker->tally->last_ns);
	free(worker->tally);
	free(worker->readers);
	free(worker->payloads);
	free(worker->input);
	sl_buffer_finish(&worker->scratch);
}

unsigned
bench_worker_channel_of(const struct bench_worker *worker, const struct bench_reader *reader)
{
	return worker->plan.channels == 1 ? 0
		: worker->plan.first_reader + (unsigned)(reader - worker->readers);
}

void
bench_worker_name_channel(const struct bench_worker *worker, unsigned channel,
	char name[BENCH_CHANNEL_MAX])
{
	const char *base = worker->plan.channel;
	if (worker->plan.channels == 1)
		snprintf(name, BENCH_CHANNEL_MAX, "%s", base);
	else
		snprintf(name, BENCH_CHANNEL_MAX, "%.36s.%u", base, channel);
}

bool
bench_worker_sees_opening(const struct bench_worker *worker)
{
	const struct bench_peer *peer = worker->plan.server->peer;
	return !worker->plan.held && (peer->opened[worker->plan.transport] || peer->converse);
}

uint32_t
bench_worker_owes(const struct bench_worker *worker, const struct bench_reader *reader)
{
	return bench_schedule_dealt(worker->published, bench_worker_channel_of(worker, reader),
		worker->plan.channels);
}

int
bench_worker_watch(struct bench_worker *worker, struct bench_stream *stream, bool is_new,
	bool *for_write, uint64_t tag)
{
	bool wanted = bench_stream_wants_write(stream);
	if (!is_new && wanted == *for_write)
		return 0;
	struct epoll_event event = {
		.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.u64 = tag,
	};
	*for_write = wanted;
	return epoll_ctl(worker->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, stream->fd, &event)
		== 0 ? 0 : SL_EIO;
}

/* A subscriber that cannot go on is counted; the pass tells of it at its end. */
static void
serve_reader(struct bench_worker *worker, struct bench_reader *reader)
{
	if (reader->stream.fd < 0)
		return;
	int err = bench_reader_read(worker, reader);
	if (err) {
		worker->err = err;
		worker->closed_count++;
		bench_reader_close(worker, reader);
	}
}

/* One look at the sockets, waiting for at most `wait_ns`. */
static int
turn(struct bench_worker *worker, uint64_t wait_ns)
{
	struct epoll_event events[EVENTS_A_TURN];
	int err = 0, count = bench_wait_events(&worker->wait, worker->epoll, events, EVENTS_A_TURN,
		wait_ns < WAIT_MAX_NS ? wait_ns : WAIT_MAX_NS);
	if (count < 0)
		return SL_EIO;
	for (int i = 0; i < count && !err; i++) {
		if (events[i].data.u64 & BENCH_PUBLISHER_TAG)
			err = bench_publisher_link_read(worker);
		else
			serve_reader(worker, &worker->readers[events[i].data.u64]);
	}
	return err;
}

static int
wait_open(struct bench_worker *worker, unsigned open_count, bool publisher)
{
	uint64_t deadline = bench_now_ns() + OPEN_WAIT_NS;
	while (worker->open_count < open_count || (publisher && !worker->publisher.open)) {
		int err = turn(worker, WAIT_MAX_NS);
		if (err || worker->closed_count)
			return err ? err : worker->err;
		if (bench_now_ns() > deadline)
			return SL_EAGAIN;
	}
	return 0;
}

static int
open_publisher(struct bench_worker *worker)
{
	const struct bench_worker_plan *plan = &worker->plan;
	int err = bench_publisher_link_open(worker);
	if (!err)
		err = wait_open(worker, 0, true);
	if (!err || !plan->bursts || !plan->server->is_target || !plan->server->peer->publish)
		return err;
	bench_stream_close(&worker->publisher.stream);
	worker->plan.bursts = false;
	return bench_publisher_link_open(worker);
}

static int
open_all(struct bench_worker *worker)
{
	const struct bench_worker_plan *plan = &worker->plan;
	bool visible = bench_worker_sees_opening(worker);
	int err = plan->publishes ? open_publisher(worker) : 0;
	for (unsigned i = 0; i < plan->readers && !err; i++) {
		err = bench_reader_open(worker, &worker->readers[i]);
		if (!err && i >= OPENING_AT_ONCE)
			err = wait_open(worker, i + 1 - OPENING_AT_ONCE, false);
		/* The next ones wait until the server is through with these, so that its accept queue
		 * never overflows. */
		if (!visible && i % OPENING_AT_ONCE == OPENING_AT_ONCE - 1)
			bench_usage_settle(plan->server, &worker->wait);
	}
	return err ? err : wait_open(worker, plan->readers, false);
}

int
bench_worker_open(struct bench_worker *worker)
{
	struct bench_effort before = bench_effort_now(&worker->wait);
	int err = open_all(worker);
	bench_effort_add(&worker->opening, &before, &worker->wait);
	return err;
}

int
bench_worker_begin(struct bench_worker *worker)
{
	struct bench_effort before = bench_effort_now(&worker->wait);
	int err = 0;
	for (unsigned i = 0; i < worker->plan.readers && !err; i++)
		err = bench_reader_open(worker, &worker->readers[i]);
	bench_effort_add(&worker->opening, &before, &worker->wait);
	return err;
}

int
bench_worker_await(struct bench_worker *worker)
{
	struct bench_effort before = bench_effort_now(&worker->wait);
	int err = wait_open(worker, worker->plan.readers, false);
	bench_effort_add(&worker->opening, &before, &worker->wait);
	return err;
}

int
bench_worker_open_by(struct bench_worker *worker, const struct bench_schedule *schedule)
{
	uint64_t limit = bench_schedule_due(schedule, schedule->count) + OPEN_WAIT_NS;
	struct bench_effort before = bench_effort_now(&worker->wait);
	uint32_t next = 0;
	int err = 0;
	while (!err && (next < schedule->count || worker->delivered < schedule->count)) {
		uint64_t now = bench_now_ns(), due = bench_schedule_due(schedule, next);
		if (now > limit || worker->closed_count)
			return worker->closed_count ? worker->err : SL_EAGAIN;
		if (next < schedule->count && due <= now) {
			bench_histogram_record(&worker->tally->late, now - due);
			err = bench_reader_open(worker, &worker->readers[next++]);
		} else {
			err = turn(worker, next < schedule->count ? due - now : WAIT_MAX_NS);
		}
	}
	bench_effort_add(&worker->tally->effort, &before, &worker->wait);
	return err;
}

int
bench_worker_make_links(struct bench_worker *worker)
{
	for (unsigned i = 0; worker->plan.tls && i < worker->plan.readers; i++) {
		struct bench_reader *reader = &worker->readers[i];
		bench_tls_link_destroy(reader->link);
		reader->link = bench_tls_link_create(worker->plan.tls);
		if (!reader->link)
			return SL_ENOMEM;
	}
	return 0;
}

int
bench_worker_reopen_by(struct bench_worker *worker, const struct bench_schedule *schedule)
{
	uint64_t limit = bench_schedule_due(schedule, schedule->count) + OPEN_WAIT_NS;
	struct bench_effort before = bench_effort_now(&worker->wait);
	uint32_t next = 0;
	int err = 0;
	while (!err && (next < schedule->count || worker->open_count < worker->plan.readers)) {
		uint64_t now = bench_now_ns(), due = bench_schedule_due(schedule, next);
		if (now > limit || worker->closed_count)
			return worker->closed_count ? worker->err : SL_EAGAIN;
		if (next < schedule->count && due <= now) {
			bench_histogram_record(&worker->tally->late, now - due);
			err = bench_reader_reopen(worker, &worker->readers[next++]);
			/* Those that are under way are not kept waiting by those that are late. */
			if (!err)
				err = turn(worker, 0);
		} else {
			err = turn(worker, next < schedule->count ? due - now : WAIT_MAX_NS);
		}
	}
	bench_effort_add(&worker->tally->effort, &before, &worker->wait);
	return err;
}

int
bench_worker_prepare(struct bench_worker *worker, uint32_t writes)
{
	worker->tally->last_ns = calloc(writes + 1, sizeof *worker->tally->last_ns);
	worker->tally->writes = writes;
	return worker->tally->last_ns ? 0 : SL_ENOMEM;
}

/* Short polls are spread evenly over the interval, reader after reader, and due by a
 * schedule of their own: an answer that is late does not move them. */
static uint64_t
poll_due(const struct bench_worker *worker)
{
	if (!worker->polls || worker->plan.readers == 0)
		return UINT64_MAX;
	return worker->pass.poll_from_ns + (uint64_t)((double)worker->poll_turn
		* (double)worker->plan.poll_interval_ns / worker->plan.readers);
}

static int
begin_polls(struct bench_worker *worker, uint64_t now)
{
	int err = 0;
	while (!err && poll_due(worker) <= now) {
		uint64_t turn = worker->poll_turn++ * worker->plan.poll_step;
		err = bench_reader_poll(worker, &worker->readers[turn % worker->plan.readers]);
	}
	return err;
}

static int
publish_due(struct bench_worker *worker, uint32_t *next, uint64_t now)
{
	const struct bench_schedule *schedule = &worker->pass.schedule;
	int err = 0;
	while (!err && *next < schedule->count && bench_schedule_due(schedule, *next) <= now) {
		if (worker->pass.measured)
			bench_histogram_record(&worker->tally->late, now - bench_schedule_due(schedule, *next));
		err = bench_publisher_link_send(worker, schedule->first + *next * schedule->burst,
			schedule->burst);
		++*next;
		now = bench_now_ns();
	}
	return err;
}

static bool
is_complete(const struct bench_worker *worker)
{
	return worker->delivered >= worker->expected && worker->publisher.outstanding == 0;
}

static uint64_t
give_up_ns(const struct bench_worker *worker, uint64_t end_ns)
{
	uint64_t since = worker->last_delivery_ns > end_ns ? worker->last_delivery_ns : end_ns;
	uint64_t stall = STALL_NS + (worker->polls ? 2 * worker->plan.poll_interval_ns : 0);
	uint64_t limit = end_ns + PASS_LIMIT_NS;
	return since + stall < limit ? since + stall : limit;
}

static int
serve_pass(struct bench_worker *worker)
{
	const struct bench_pass *pass = &worker->pass;
	uint32_t next = worker->plan.publishes ? 0 : pass->schedule.count;
	uint64_t end = pass->schedule.count ? bench_schedule_due(&pass->schedule, pass->schedule.count) : 0;
	if (end < pass->hold_until_ns)
		end = pass->hold_until_ns;
	for (;;) {
		uint64_t now = bench_now_ns();
		int err = publish_due(worker, &next, now);
		if (!err)
			err = begin_polls(worker, now);
		if (err)
			return err;
		now = bench_now_ns();
		if (next >= pass->schedule.count && now >= pass->hold_until_ns && is_complete(worker))
			return 0;
		worker->gave_up = now > give_up_ns(worker, end);
		if (worker->gave_up)
			return 0;
		uint64_t until = poll_due(worker), due = UINT64_MAX;
		if (next < pass->schedule.count)
			due = bench_schedule_due(&pass->schedule, next);
		if (due < until)
			until = due;
		if (pass->hold_until_ns > now && pass->hold_until_ns < until)
			until = pass->hold_until_ns;
		err = turn(worker, until > now ? until - now : 0);
		if (err)
			return err;
	}
}

static void
note_published(struct bench_worker *worker, const struct bench_schedule *schedule)
{
	if (schedule->count == 0)
		return;
	worker->published = schedule->first + bench_schedule_messages(schedule);
	worker->expected = 0;
	for (unsigned i = 0; i < worker->plan.readers; i++)
		worker->expected += bench_worker_owes(worker, &worker->readers[i]);
}

int
bench_worker_run(struct bench_worker *worker, const struct bench_pass *pass)
{
	struct bench_effort before = bench_effort_now(&worker->wait);
	worker->pass = *pass;
	worker->polls = worker->plan.transport == BENCH_POLL;
	worker->poll_turn = 0;
	note_published(worker, &pass->schedule);
	int err = serve_pass(worker);
	worker->polls = false;
	worker->pass.measured = false;
	if (pass->measured)
		bench_effort_add(&worker->tally->effort, &before, &worker->wait);
	if (!err && worker->publisher.refused)
		err = SL_EBACKEND;
	return err ? err : worker->closed_count ? worker->err : 0;
}

static bool
has_poll_out(const struct bench_worker *worker)
{
	for (unsigned i = 0; worker->plan.transport == BENCH_POLL && i < worker->plan.readers; i++)
		if (worker->readers[i].waiting)
			return true;
	return false;
}

int
bench_worker_rest(struct bench_worker *worker, uint64_t ns)
{
	uint64_t start = bench_now_ns();
	for (uint64_t now = start; now < start + ns
		|| (has_poll_out(worker) && now < start + OPEN_WAIT_NS); now = bench_now_ns()) {
		uint64_t left = now < start + ns ? start + ns - now : 1000000;
		int err = turn(worker, left);
		if (err)
			return err;
	}
	return 0;
}

void
bench_worker_add_account(const struct bench_worker *worker, struct bench_account *account)
{
	bench_account_add(account, &worker->past);
	for (unsigned i = 0; i < worker->plan.readers; i++) {
		const struct bench_reader *reader = &worker->readers[i];
		const struct bench_counter *counter = &reader->counter;
		bench_account_add_stream(account, &reader->stream);
		account->down.heads += reader->heads_in;
		account->up.heads += reader->heads_out;
		account->down.payload += (uint64_t)(counter->seen + counter->doubled) * worker->plan.payload_len;
		account->messages += counter->seen;
	}
}
