#include "util/systemd.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/err.h"
#include "util/span.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define FDS_MAX 1024

/* A variable that is a decimal, or -1. */
static int
read_number(const char *name)
{
	const char *text = getenv(name);
	uint64_t value;
	bool is_number = text
		&& sl_span_to_number((struct sl_span){ text, strlen(text) }, INT_MAX, &value);
	return is_number ? (int)value : -1;
}

/* The names stand in the order of the descriptors, with colons between. */
static void
take_names(struct sl_systemd_socket *sockets, int count)
{
	const char *names = getenv("LISTEN_FDNAMES");
	for (int i = 0; names && i < count; i++) {
		size_t len = strcspn(names, ":");
		snprintf(sockets[i].name, sizeof sockets[i].name, "%.*s", (int)len, names);
		names = names[len] ? names + len + 1 : NULL;
	}
}

static int
take_fds(int count, struct sl_systemd_socket **sockets)
{
	if (count < 1 || count > FDS_MAX)
		return SL_EINVAL;
	struct sl_systemd_socket *taken = calloc((size_t)count, sizeof *taken);
	if (!taken)
		return SL_ENOMEM;
	for (int i = 0; i < count; i++) {
		int flags = fcntl(FIRST_FD + i, F_GETFD);
		if (flags < 0 || fcntl(FIRST_FD + i, F_SETFD, flags | FD_CLOEXEC) != 0) {
			free(taken);
			return SL_EINVAL;
		}
		taken[i].fd = FIRST_FD + i;
	}
	take_names(taken, count);
	*sockets = taken;
	return count;
}

int
sl_systemd_listen_fds(struct sl_systemd_socket **sockets)
{
	*sockets = NULL;
	int result = 0;
	if (getenv("LISTEN_FDS") && read_number("LISTEN_PID") == getpid())
		result = take_fds(read_number("LISTEN_FDS"), sockets);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return result;
}

void
sl_systemd_notify(const char *state)
{
	struct sockaddr_un manager = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	if (len < 2 || len >= sizeof manager.sun_path || (*path != '/' && *path != '@'))
		return;
	memcpy(manager.sun_path, path, len);
	if (*path == '@')
		manager.sun_path[0] = '\0'; /* the abstract name space, unix(7) */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	socklen_t address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&manager, address_len);
	close(fd);
}
