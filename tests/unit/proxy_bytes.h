/* PROXY headers of version 2, made for tests.
 * Owner: static. Thread: main. Errors: none. */
#ifndef SL_TESTS_PROXY_BYTES_H
#define SL_TESTS_PROXY_BYTES_H

#include <stdint.h>
#include <string.h>

#define PROXY_V2_START "\r\n\r\n\0\r\nQUIT\n"
#define PROXY_LOCAL 0x20
#define PROXY_CLIENT 0x21

/* 192.0.2.1:4711 asks 198.51.100.2:443. */
#define PROXY_TCP4 "\xc0\x00\x02\x01\xc6\x33\x64\x02\x12\x67\x01\xbb"
#define PROXY_TCP4_LEN 12
/* 2001:db8::1 asks ::1, ports as above. */
#define PROXY_TCP6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x67\x01\xbb"
#define PROXY_TCP6_LEN 36
/* PP2_TYPE_SSL: the client speaks TLS and has shown no certificate. */
#define PROXY_SSL "\x20\x00\x05\x01\x00\x00\x00\x01"
#define PROXY_SSL_LEN 8

/* Returns the length of the header. */
static inline size_t
proxy_v2(char *out, int command, int family, const void *payload, size_t len)
{
	memcpy(out, PROXY_V2_START, 12);
	out[12] = (char)command;
	out[13] = (char)family;
	out[14] = (char)(len >> 8);
	out[15] = (char)len;
	if (len)
		memcpy(out + 16, payload, len);
	return 16 + len;
}

#endif
