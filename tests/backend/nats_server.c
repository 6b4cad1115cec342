#include "tests/backend/nats_server.h"

#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/err.h"

#define PROGRAM "nats-server"
#define SYSTEM_PROGRAM "/usr/sbin/nats-server" /* a folder that users may not have in their PATH */
#define START_WAIT_MS 30000
#define NAP_NS 5000000
#define NOT_FOUND_STATUS 127
#define REMOVE_DEPTH 16

/* A server of JetStream reserves each stream's limit, by default up to three quarters of the disk. A folder in memory is
 * smaller than the limits of the tests' streams, which hold little. Returns 0 or SL_EIO. */
static int
write_config(const char *folder)
{
	char path[96];
	snprintf(path, sizeof path, "%s/conf", folder);
	FILE *file = fopen(path, "w");
	if (!file)
		return SL_EIO;
	fprintf(file, "jetstream { store_dir: \"%s\", max_mem: 64MB, max_file: 64GB }\n", folder);
	return fclose(file) == 0 ? 0 : SL_EIO;
}

/* -1 has the system choose; the server writes what it got into the ports file. */
static void
run_server(const char *folder, pid_t parent)
{
	char log[96], config[96];
	snprintf(log, sizeof log, "%s/log", folder);
	snprintf(config, sizeof config, "%s/conf", folder);
	const char *const argv[] = { PROGRAM, "--addr", "127.0.0.1", "--port", "-1", "--config", config,
		"--ports_file_dir", folder, "--log", log, NULL };
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(NOT_FOUND_STATUS - 1);
	execvp(PROGRAM, (char *const *)(uintptr_t)argv);
	execv(SYSTEM_PROGRAM, (char *const *)(uintptr_t)argv);
	_exit(NOT_FOUND_STATUS);
}

/* The server writes the file in one call; until it has, there is no JSON in it. */
static bool
read_ports(struct nats_server *server)
{
	char path[128];
	const char *url;
	snprintf(path, sizeof path, "%s/" PROGRAM "_%d.ports", server->folder, (int)server->pid);
	json_t *ports = json_load_file(path, 0, NULL);
	bool has_url = json_unpack(ports, "{s:[s]}", "nats", &url) == 0;
	if (has_url)
		snprintf(server->url, sizeof server->url, "%s", url);
	json_decref(ports);
	return has_url;
}

static int
wait_for_ports(struct nats_server *server)
{
	int status;
	for (unsigned naps = 0; naps < START_WAIT_MS / (NAP_NS / 1000000); naps++) {
		if (read_ports(server))
			return 0;
		if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
			server->pid = 0;
			return WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND_STATUS ? SL_ENOENT : SL_EIO;
		}
		nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
	}
	return SL_EIO;
}

static int
remove_file(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

static void
remove_folder(const char *folder)
{
	nftw(folder, remove_file, REMOVE_DEPTH, FTW_DEPTH | FTW_PHYS);
}

int
nats_server_start(struct nats_server *server)
{
	*server = (struct nats_server){ 0 };
	const char *parent_folder = getenv("TMPDIR");
	if (snprintf(server->folder, sizeof server->folder, "%s/sluice-nats-XXXXXX",
			parent_folder ? parent_folder : "/tmp") >= (int)sizeof server->folder
		|| !mkdtemp(server->folder) || write_config(server->folder) != 0)
		return SL_EIO;
	pid_t parent = getpid();
	fflush(NULL);
	server->pid = fork();
	if (server->pid == 0)
		run_server(server->folder, parent);
	int err = server->pid < 0 ? SL_EIO : wait_for_ports(server);
	if (err) {
		nats_server_stop(server);
		remove_folder(server->folder);
	}
	return err;
}

void
nats_server_stop(struct nats_server *server)
{
	if (server->pid <= 0)
		return;
	kill(server->pid, SIGKILL);
	while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
		;
	server->pid = 0;
	remove_folder(server->folder);
}

void
nats_server_pause(const struct nats_server *server)
{
	kill(server->pid, SIGSTOP);
	waitpid(server->pid, NULL, WUNTRACED); /* until its last thread has stopped */
}

void
nats_server_resume(const struct nats_server *server)
{
	kill(server->pid, SIGCONT);
}
