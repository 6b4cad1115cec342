/* What went wrong, as one small number.
 * Owner: nobody, constants only. Thread: any. Errors: this is them.
 *
 * Functions that can fail return 0 or a negative enum sl_err; sl_bus_publish() also
 * returns SL_PENDING. */
#ifndef SL_UTIL_ERR_H
#define SL_UTIL_ERR_H

#define SL_PENDING 1 /* not an error: the answer comes later by callback */

enum sl_err {
	SL_ENOMEM = -1,        /* memory ran out */
	SL_EINVAL = -2,        /* a value is not of the form asked for */
	SL_ESYNTAX = -3,       /* bytes break the grammar of their format */
	SL_EUTF8 = -4,         /* text is not UTF-8 */
	SL_ETOOBIG = -5,       /* larger than a limit allows */
	SL_EFULL = -6,         /* a bounded table or queue is full; try later */
	SL_ENOENT = -7,        /* there is no such thing */
	SL_EAGAIN = -8,        /* nothing now; wait for readiness */
	SL_ECLOSED = -9,       /* the other side has gone */
	SL_EIO = -10,          /* the system refused; errno says why */
	SL_EDRAINING = -11,    /* the gateway is going down and takes no new work */
	SL_EBACKEND = -12,     /* the backend could not store the message */
	SL_EPROTO = -13,       /* the peer broke its protocol */
	SL_ETOODEEP = -14,     /* JSON that is nested deeper than a limit allows */
	SL_ENOLEASE = -15,     /* a leased channel that is not lent, or no longer */
	SL_ELEASEFULL = -16,   /* a leased channel that has all the connections it may have */
	SL_ELEASESPENT = -17,  /* a leased channel that has carried all it may carry */
	SL_EFORBIDDEN = -18,   /* whoever asks may not do that */
	SL_ELIMITED = -19,     /* whoever asks has had as much as one client may; try later */
	SL_EUNKNOWN = -20,     /* a message was sent to the log, and nobody knows whether it is stored */
};

/* A short English sentence without a full stop for `err` (0 gives "success"). */
const char *sl_strerror(int err);

/* The code that tells a client of it in an error object (PROTOCOL.md, errors). */
const char *sl_err_code(int err);

/* The HTTP status (RFC 9110, section 15) that tells a client of `err`. Never 408, 502,
 * 503 or 504: those always mean a hop between (PROTOCOL.md, errors). */
unsigned sl_err_http_status(int err);

#endif
