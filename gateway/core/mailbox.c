#include "core/mailbox.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "util/err.h"

int
sl_mailbox_init(struct sl_mailbox *mailbox, size_t capacity)
{
	size_t rounded = 1;
	while (rounded < capacity)
		rounded *= 2;
	*mailbox = (struct sl_mailbox){ .capacity = rounded, .event_fd = -1 };
	/* Pages of a large calloc exist only once they are touched. */
	mailbox->ring = calloc(rounded, sizeof *mailbox->ring);
	if (!mailbox->ring)
		return SL_ENOMEM;
	mailbox->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (mailbox->event_fd < 0) {
		free(mailbox->ring);
		return SL_EIO;
	}
	pthread_mutex_init(&mailbox->task_lock, NULL);
	return 0;
}

void
sl_mailbox_finish(struct sl_mailbox *mailbox)
{
	assert(sl_mailbox_is_empty(mailbox));
	pthread_mutex_destroy(&mailbox->task_lock);
	close(mailbox->event_fd);
	free(mailbox->ring);
}

/* No wake-up is lost: the producer stores tail and then loads head, the consumer stores
 * head and then loads tail, all four sequentially consistent, so that at least one side
 * sees the other's store. Either the producer sees that everything before its message was
 * popped and wakes, or the consumer's last pop, the one that would answer 0, sees the
 * message. (Operations rather than fences, since ThreadSanitizer does not know fences.) */
int
sl_mailbox_push(struct sl_mailbox *mailbox, struct sl_message *message, bool *was_empty)
{
	size_t tail = atomic_load_explicit(&mailbox->tail, memory_order_relaxed);
	size_t head = atomic_load_explicit(&mailbox->head, memory_order_acquire);
	if (tail - head >= mailbox->capacity)
		return SL_EFULL;
	mailbox->ring[tail & (mailbox->capacity - 1)] = message;
	atomic_store_explicit(&mailbox->tail, tail + 1, memory_order_seq_cst);
	*was_empty = atomic_load_explicit(&mailbox->head, memory_order_seq_cst) == tail;
	return 0;
}

size_t
sl_mailbox_pop(struct sl_mailbox *mailbox, struct sl_message **out, size_t max)
{
	size_t head = atomic_load_explicit(&mailbox->head, memory_order_relaxed);
	size_t tail = atomic_load_explicit(&mailbox->tail, memory_order_seq_cst);
	size_t count = tail - head < max ? tail - head : max;
	for (size_t i = 0; i < count; i++)
		out[i] = mailbox->ring[(head + i) & (mailbox->capacity - 1)];
	if (count)
		atomic_store_explicit(&mailbox->head, head + count, memory_order_seq_cst);
	return count;
}

bool
sl_mailbox_is_empty(const struct sl_mailbox *mailbox)
{
	return atomic_load_explicit(&mailbox->head, memory_order_relaxed)
		== atomic_load_explicit(&mailbox->tail, memory_order_acquire);
}

void
sl_mailbox_post(struct sl_mailbox *mailbox, struct sl_task *task)
{
	assert(task->run);
	task->next = NULL;
	pthread_mutex_lock(&mailbox->task_lock);
	bool is_first = !mailbox->first;
	if (is_first)
		mailbox->first = task;
	else
		mailbox->last->next = task;
	mailbox->last = task;
	atomic_store_explicit(&mailbox->has_tasks, true, memory_order_release);
	pthread_mutex_unlock(&mailbox->task_lock);
	/* Behind an earlier task its poster's wake-up, made or still to be made, serves both. */
	if (is_first)
		sl_mailbox_wake(mailbox);
}

/* Neither waits, so neither is interrupted. */
void
sl_mailbox_wake(struct sl_mailbox *mailbox)
{
	eventfd_write(mailbox->event_fd, 1); /* fails at the counter's end: readable already */
}

void
sl_mailbox_rest(struct sl_mailbox *mailbox)
{
	eventfd_t count;
	eventfd_read(mailbox->event_fd, &count);
}

void
sl_mailbox_run_tasks(struct sl_mailbox *mailbox)
{
	if (!sl_mailbox_has_tasks(mailbox))
		return;
	pthread_mutex_lock(&mailbox->task_lock);
	struct sl_task *task = mailbox->first;
	mailbox->first = mailbox->last = NULL;
	atomic_store_explicit(&mailbox->has_tasks, false, memory_order_relaxed);
	pthread_mutex_unlock(&mailbox->task_lock);
	while (task) {
		struct sl_task *next = task->next; /* the task may free itself */
		task->run(task);
		task = next;
	}
}
