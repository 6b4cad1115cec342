/* uthash, set up for this project: include this instead of <uthash.h>, so that no table
 * can be flooded by chosen names and none ends the process when memory runs out.
 * Owner: whoever declares the table's head. Thread: that of the table. Errors: adding can
 * fail; ask with sl_table_holds() after every HASH_ADD. */
#ifndef SL_UTIL_TABLE_H
#define SL_UTIL_TABLE_H

#ifdef HASH_FUNCTION
#error "include util/table.h instead of uthash.h"
#endif

#include "util/hash.h"

#define HASH_FUNCTION(key, key_len, hash) ((hash) = sl_hash((key), (key_len)))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* False right after a HASH_ADD for which memory ran out: the table is as it was before and
 * the element still the caller's alone. `handle` is the element's UT_hash_handle field. */
#define sl_table_holds(element, handle) ((element)->handle.tbl != NULL)

#endif
