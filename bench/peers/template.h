/* Configuration files of peers, made from those in bench/peers/.
 * Owner: all is borrowed. Thread: any. Errors: SL_ENOENT (no template), SL_EIO. */
#ifndef SL_BENCH_PEERS_TEMPLATE_H
#define SL_BENCH_PEERS_TEMPLATE_H

struct bench_setting {
	const char *name; /* stands as @NAME@; NULL ends an array of these */
	const char *value;
};

/* Writes the file `from` to `to` with the names replaced, leaving out comment lines. */
int bench_template_write(const char *from, const char *to, const struct bench_setting *settings);

#endif
