/* Raw: the user of sockets at `engine.io/`. Messages are payloads of the channels that its handshake names; with one
 * channel, what its client sends is published there; with none, its client has each message back.
 * Owner: constants. Thread: any. Errors: none; who may not publish is closed. */
#ifndef SL_CLIENTS_EIO_RAW_H
#define SL_CLIENTS_EIO_RAW_H

#include "clients/engine_io/eio_family.h"

extern const struct sl_eio_family sl_eio_raw_family;

#endif
