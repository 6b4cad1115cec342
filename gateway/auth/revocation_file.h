/* Revocation file: keeps revocations over a restart. One line of JSON for each subject,
 * {"subject":"ann","until":1790000000,"kept":1790086430}, times in s since 1970 (auth/revocations.h).
 * Owner: the app. Thread: main's. Errors: as each call says. */
#ifndef SL_AUTH_REVOCATION_FILE_H
#define SL_AUTH_REVOCATION_FILE_H

#include <stddef.h>
#include <stdint.h>

struct sl_revocation_file;
struct sl_revocations;

#define SL_REVOCATION_RETRY_MS 5000 /* after a write that failed */

/* Adds what `path` (copied) holds to `revocations` (borrowed), and writes it again, to see that this
 * works. What cannot be read whole is refused: it would let somebody in again. Errors: SL_EINVAL,
 * SL_ENOMEM, with the sentence to tell in `error`. */
int sl_revocation_file_open(struct sl_revocation_file **out, const char *path,
	struct sl_revocations *revocations, int64_t now_s, char *error, size_t error_size);

/* NULL is allowed. */
void sl_revocation_file_close(struct sl_revocation_file *file);

/* Writes the file anew if something was added since, as a whole: it is replaced by a rename. A write that
 * fails is logged. Returns after how many ms it should run again, UINT64_MAX: not until something is
 * added. NULL is allowed. */
uint64_t sl_revocation_file_run(struct sl_revocation_file *file, int64_t now_s);

#endif
