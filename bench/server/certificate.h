/* A certificate for a server that the bench starts itself: made anew, signed by its own key, good for
 * a day.
 * Owner: the caller's paths; the files are the caller's to remove. Thread: any.
 * Errors: SL_EIO (errno says why), SL_ENOMEM. */
#ifndef SL_BENCH_CERTIFICATE_H
#define SL_BENCH_CERTIFICATE_H

/* Writes the certificate and its ECDSA key (P-256) as PEM files; the certificate is for localhost and
 * for the IPv4 or IPv6 address `ip`. */
int bench_certificate_write(const char *certificate_path, const char *key_path, const char *ip);

#endif
