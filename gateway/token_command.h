/* Token command: `sluice token`, which makes a token for trials.
 * Owner: the caller's buffer. Thread: main's. Errors: SL_EINVAL with the sentence to tell in `error`;
 * SL_ENOMEM. */
#ifndef SL_TOKEN_COMMAND_H
#define SL_TOKEN_COMMAND_H

#include <stdint.h>

#include "core/tls_file.h"
#include "util/buffer.h"

/* Appends the token that `argv` asks for (argv[0] is the command's name), issued at `now_s`, or the help
 * where that is asked for. What is made has been judged as a gateway does. */
int sl_token_command_make(struct sl_buffer *out, int argc, char **argv, int64_t now_s,
	struct sl_tls_error error);

/* The same on standard output, errors on standard error. Returns the exit status. */
int sl_token_command_run(int argc, char **argv);

#endif
