#include "tests/unit/failing_alloc.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

#define ROUNDS_MAX 100000 /* a scenario that still fails then will never pass */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
int __wrap_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void __wrap_free(void *memory);

static _Atomic unsigned fails_at, counted;
static _Atomic bool fails_on, has_failed;
static _Atomic long live;

/* Counts a call; false when it is one that fails. */
static bool
may_allocate(void)
{
	unsigned number = atomic_fetch_add(&counted, 1) + 1;
	unsigned first = fails_at;
	if (first == 0 || (fails_on ? number < first : number != first))
		return true;
	has_failed = true;
	return false;
}

static void *
count_live(void *memory)
{
	live += memory != NULL;
	return memory;
}

void *
__wrap_malloc(size_t size)
{
	return may_allocate() ? count_live(__real_malloc(size)) : NULL;
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return may_allocate() ? count_live(__real_calloc(count, size)) : NULL;
}

void *
__wrap_realloc(void *old, size_t size)
{
	if (!may_allocate())
		return NULL;
	bool is_first = old == NULL;
	void *memory = __real_realloc(old, size);
	live += is_first && memory;
	return memory;
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return may_allocate() ? count_live(__real_aligned_alloc(alignment, size)) : NULL;
}

char *
__wrap_strdup(const char *text)
{
	return may_allocate() ? count_live(__real_strdup(text)) : NULL;
}

char *
__wrap_strndup(const char *text, size_t len)
{
	return may_allocate() ? count_live(__real_strndup(text, len)) : NULL;
}

/* A failed asprintf leaves `*out` undefined: a value that crashes shows who uses it. */
static int __attribute__((format(printf, 2, 0)))
print(char **out, const char *format, va_list args)
{
	if (!may_allocate()) {
		memset(out, 0x5a, sizeof *out);
		return -1;
	}
	int written = vasprintf(out, format, args);
	live += written >= 0;
	return written;
}

int
__wrap_asprintf(char **out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int written = print(out, format, args);
	va_end(args);
	return written;
}

/* What asprintf is called where _FORTIFY_SOURCE is on. */
int
__wrap___asprintf_chk(char **out, int flag, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int written = print(out, format, args);
	va_end(args);
	return written;
}

void
__wrap_free(void *memory)
{
	live -= memory != NULL;
	__real_free(memory);
}

void
failing_alloc_set(unsigned n, bool is_lasting)
{
	fails_at = n;
	fails_on = is_lasting;
	has_failed = false;
	counted = 0;
}

void
failing_alloc_off(void)
{
	fails_at = 0;
}

unsigned
failing_alloc_count(void)
{
	return counted;
}

bool
failing_alloc_has_failed(void)
{
	return has_failed;
}

long
failing_alloc_live(void)
{
	return live;
}

bool
failing_next(struct failing *failing)
{
	failing_alloc_off();
	if (failing->n == 0) {
		failing->live = live;
	} else {
		CU_ASSERT_EQUAL(live, failing->live);
		failing->live = live; /* so that a leak is told once */
		CU_ASSERT_FATAL(failing->n < ROUNDS_MAX);
	}
	if (failing->n && !has_failed) {
		if (failing->is_lasting)
			return false;
		CU_ASSERT(failing->n > 1); /* else nothing was provoked at all */
		failing->is_lasting = true;
		failing->n = 0;
	}
	failing->n++;
	failing_alloc_set(failing->n, failing->is_lasting);
	return true;
}

void
failing_again(const struct failing *failing)
{
	failing_alloc_set(failing->n, failing->is_lasting);
}

void
failing_expect(int result)
{
	failing_alloc_off();
	CU_ASSERT_EQUAL(result, has_failed ? SL_ENOMEM : 0);
}
