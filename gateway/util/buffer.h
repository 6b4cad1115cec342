/* A growable run of bytes.
 * Owner: the struct is the caller's, its bytes belong to it until finish or take.
 * Thread: one at a time. Errors: appending sets `failed` once memory ran out and later
 * appends do nothing, so that a caller checks once at the end. */
#ifndef SL_UTIL_BUFFER_H
#define SL_UTIL_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_buffer {
	char *bytes; /* owns; not terminated */
	size_t len, cap;
	bool failed;
};

#define SL_BUFFER_INIT { 0 }

void sl_buffer_init(struct sl_buffer *buf);
void sl_buffer_finish(struct sl_buffer *buf);

/* Forgets the content, keeps the memory. */
void sl_buffer_clear(struct sl_buffer *buf);

/* Makes room for `more` bytes behind `len`. Errors: SL_ENOMEM. */
int sl_buffer_reserve(struct sl_buffer *buf, size_t more);

void sl_buffer_append(struct sl_buffer *buf, const void *bytes, size_t len);
void sl_buffer_append_str(struct sl_buffer *buf, const char *str);
void sl_buffer_append_char(struct sl_buffer *buf, char c);
void sl_buffer_append_u64(struct sl_buffer *buf, uint64_t value);
void sl_buffer_printf(struct sl_buffer *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* `bytes` as a JSON string with its quotes (RFC 8259, section 7); the input is UTF-8. */
void sl_buffer_append_json_string(struct sl_buffer *buf, const char *bytes, size_t len);

/* Drops the first `len` bytes (at most all). */
void sl_buffer_consume(struct sl_buffer *buf, size_t len);

/* Returns the bytes as a string, which is the caller's from now on, or NULL when any append
 * failed. The buffer is empty then. */
char *sl_buffer_take_string(struct sl_buffer *buf);

/* 0, or SL_ENOMEM when any append failed. */
int sl_buffer_status(const struct sl_buffer *buf);

#endif
