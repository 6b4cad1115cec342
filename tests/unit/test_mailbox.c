#include "core/mailbox.h"

#include <poll.h>
#include <pthread.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/messages.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static bool
is_readable(const struct sl_mailbox *mailbox)
{
	struct pollfd fd = { .fd = mailbox->event_fd, .events = POLLIN };
	return poll(&fd, 1, 0) == 1;
}

static void
push_new(struct sl_mailbox *mailbox, uint64_t seq, int expected, bool expected_was_empty)
{
	struct sl_message *message = make_message(seq, "c", "x");
	bool was_empty = false;
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_push(mailbox, message, &was_empty), expected);
	CU_ASSERT_EQUAL(was_empty, expected_was_empty);
}

static void
test_mailbox_pops_what_was_pushed_in_order(void)
{
	struct sl_mailbox mailbox;
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&mailbox, 3), 0);
	CU_ASSERT_EQUAL(mailbox.capacity, 4);
	uint64_t next = 1;
	for (uint64_t seq = 1; seq <= 30; seq += 3) {
		push_new(&mailbox, seq, 0, true);
		push_new(&mailbox, seq + 1, 0, false);
		push_new(&mailbox, seq + 2, 0, false);
		struct sl_message *popped[2];
		size_t count;
		while ((count = sl_mailbox_pop(&mailbox, popped, 2)))
			for (size_t i = 0; i < count; i++) {
				CU_ASSERT_EQUAL(popped[i]->seq, next++);
				sl_message_unref(popped[i]);
			}
	}
	CU_ASSERT_EQUAL(next, 31);
	CU_ASSERT_TRUE(sl_mailbox_is_empty(&mailbox));
	sl_mailbox_finish(&mailbox);
}

static void
test_mailbox_refuses_when_full_and_leaves_the_reference(void)
{
	struct sl_mailbox mailbox;
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&mailbox, 2), 0);
	struct sl_message *message = make_message(1, "c", "x"), *popped[3];
	bool was_empty;
	CU_ASSERT_EQUAL(sl_mailbox_push(&mailbox, sl_message_ref(message), &was_empty), 0);
	CU_ASSERT_EQUAL(sl_mailbox_push(&mailbox, sl_message_ref(message), &was_empty), 0);
	CU_ASSERT_EQUAL(sl_mailbox_push(&mailbox, message, &was_empty), SL_EFULL);
	CU_ASSERT_EQUAL(message->refs, 3);
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_pop(&mailbox, popped, 3), 2);
	drop_messages(popped, 2);
	CU_ASSERT_EQUAL(message->refs, 1);
	sl_message_unref(message);
	sl_mailbox_finish(&mailbox);
}

static void
test_mailbox_without_memory_has_no_descriptor(void)
{
	for_each_failing_allocation(failing) {
		struct sl_mailbox mailbox;
		int err = sl_mailbox_init(&mailbox, 8);
		failing_expect(err);
		CU_ASSERT_EQUAL(mailbox.event_fd >= 0, err == 0);
		if (err == 0)
			sl_mailbox_finish(&mailbox);
	}
}

struct noting_task {
	struct sl_task task;
	struct sl_mailbox *mailbox;
	struct sl_task *posts; /* posted when this one runs */
	int *clock;
	int ran_at;
};

static void
note(struct sl_task *task)
{
	struct noting_task *noting = (struct noting_task *)task;
	noting->ran_at = ++*noting->clock;
	if (noting->posts)
		sl_mailbox_post(noting->mailbox, noting->posts);
}

static void
test_mailbox_runs_tasks_in_order_and_those_posted_meanwhile_next_time(void)
{
	struct sl_mailbox mailbox;
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&mailbox, 2), 0);
	int clock = 0;
	struct noting_task third = { { .run = note }, &mailbox, NULL, &clock, 0 };
	struct noting_task second = { { .run = note }, &mailbox, NULL, &clock, 0 };
	struct noting_task first = { { .run = note }, &mailbox, &third.task, &clock, 0 };
	CU_ASSERT_FALSE(is_readable(&mailbox));
	sl_mailbox_post(&mailbox, &first.task);
	sl_mailbox_post(&mailbox, &second.task);
	CU_ASSERT_TRUE(is_readable(&mailbox));
	sl_mailbox_rest(&mailbox);
	CU_ASSERT_FALSE(is_readable(&mailbox));
	sl_mailbox_run_tasks(&mailbox);
	CU_ASSERT_EQUAL(first.ran_at, 1);
	CU_ASSERT_EQUAL(second.ran_at, 2);
	CU_ASSERT_EQUAL(third.ran_at, 0);
	CU_ASSERT_TRUE(is_readable(&mailbox));
	sl_mailbox_rest(&mailbox);
	sl_mailbox_run_tasks(&mailbox);
	CU_ASSERT_EQUAL(third.ran_at, 3);
	sl_mailbox_finish(&mailbox);
}

static void
free_task(struct sl_task *task)
{
	free(task);
}

static void
test_mailbox_lets_a_task_free_itself(void)
{
	struct sl_mailbox mailbox;
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&mailbox, 2), 0);
	for (int i = 0; i < 3; i++) {
		struct sl_task *task = malloc(sizeof *task);
		task->run = free_task;
		sl_mailbox_post(&mailbox, task);
	}
	sl_mailbox_run_tasks(&mailbox);
	CU_ASSERT_PTR_NULL(mailbox.first);
	sl_mailbox_finish(&mailbox);
}

#define WAKING_ROUNDS 50000

struct ping_pong {
	struct sl_mailbox mailbox;
};

static void *
push_one_at_a_time(void *arg)
{
	struct ping_pong *game = arg;
	for (uint64_t seq = 1; seq <= WAKING_ROUNDS; seq++) {
		struct sl_message *message = make_message(seq, "c", "x");
		bool was_empty;
		while (sl_mailbox_push(&game->mailbox, message, &was_empty) != 0)
			sched_yield();
		if (was_empty)
			sl_mailbox_wake(&game->mailbox);
	}
	return NULL;
}

/* A lost wake-up shows as a poll that times out with a message in the ring. */
static void
test_mailbox_never_loses_a_wake_up(void)
{
	struct ping_pong game;
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&game.mailbox, 4), 0);
	pthread_t pusher;
	pthread_create(&pusher, NULL, push_one_at_a_time, &game);
	uint64_t next = 1;
	while (next <= WAKING_ROUNDS) {
		struct pollfd fd = { .fd = game.mailbox.event_fd, .events = POLLIN };
		CU_ASSERT_EQUAL_FATAL(poll(&fd, 1, 20000), 1);
		sl_mailbox_rest(&game.mailbox);
		struct sl_message *popped[3];
		size_t count;
		while ((count = sl_mailbox_pop(&game.mailbox, popped, 3)))
			for (size_t i = 0; i < count; i++) {
				if (popped[i]->seq != next++)
					CU_FAIL_FATAL("out of order");
				sl_message_unref(popped[i]);
			}
	}
	pthread_join(pusher, NULL);
	sl_mailbox_finish(&game.mailbox);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_mailbox_pops_what_was_pushed_in_order),
		UNIT_TEST(test_mailbox_refuses_when_full_and_leaves_the_reference),
		UNIT_TEST(test_mailbox_without_memory_has_no_descriptor),
		UNIT_TEST(test_mailbox_runs_tasks_in_order_and_those_posted_meanwhile_next_time),
		UNIT_TEST(test_mailbox_lets_a_task_free_itself),
		UNIT_TEST(test_mailbox_never_loses_a_wake_up),
		{ NULL, NULL },
	};
	return unit_main("mailbox", tests);
}
