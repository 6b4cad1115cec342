#include "bus/nats_login.h"

#include <unistd.h>

#include "tests/unit/nats_place.h"

#define SEED "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
#define FILES 3

static char paths[FILES][32];

/* The n-th file holds `text` from now on. */
static const char *
put(unsigned n, const char *text)
{
	FILE *file = fopen(paths[n], "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(text, file);
	fclose(file);
	return paths[n];
}

/* What check says to these options; "" where all is well. */
static const char *
check(const char *const *options)
{
	static char error[512];
	struct sl_config config;
	const char *argv[12] = { "sluice" };
	int argc = 1;
	while (*options)
		argv[argc++] = *options++;
	CU_ASSERT_EQUAL_FATAL(sl_config_parse(&config, argc, (char **)(uintptr_t)argv), 0);
	int err = sl_nats_login_check(&config, error, sizeof error);
	if (err == 0)
		*error = '\0';
	else
		CU_ASSERT_EQUAL(err, SL_EINVAL);
	sl_config_finish(&config);
	return error;
}

#define CHECK(...) check((const char *const[]){ __VA_ARGS__, NULL })
#define expect_refused(begin, ...) do { \
	const char *error_ = CHECK(__VA_ARGS__); \
	CU_ASSERT_EQUAL(strncmp(error_, begin, strlen(begin)), 0); \
	if (strncmp(error_, begin, strlen(begin)) != 0) \
		printf("\n%s\n", error_); \
} while (0)

static void
test_nats_login_takes_one_way_to_log_in(void)
{
	CU_ASSERT_STRING_EQUAL(CHECK("--nats", "nats://a,tls://b:1"), "");
	CU_ASSERT_STRING_EQUAL(CHECK("--nats", "nats://jo:secret@a,nats://token@b"), "");
	CU_ASSERT_STRING_EQUAL(CHECK("--nats-user", "jo", "--nats-password", put(0, "secret\nmore")), "");
	CU_ASSERT_STRING_EQUAL(CHECK("--nats-token", put(0, "secret")), "");
	CU_ASSERT_STRING_EQUAL(CHECK("--nats-nkey", put(0, "# mine\n" SEED "\n")), "");
	CU_ASSERT_STRING_EQUAL(CHECK("--nats-creds", put(0, "-----BEGIN NATS USER JWT-----\nx.y.z\n------END NATS "
		"USER JWT------\n-----BEGIN USER NKEY SEED-----\n" SEED "\n------END USER NKEY SEED------\n")), "");
}

static void
test_nats_login_refuses_options_that_contradict_each_other(void)
{
	put(0, "secret");
	put(1, SEED);
	expect_refused("--nats-user: --nats-password is missing; use both", "--nats-user", "jo");
	expect_refused("--nats-password: --nats-user is missing; use both", "--nats-password", paths[0]);
	expect_refused("--nats-cert: --nats-key is missing; use both", "--nats-cert", paths[0]);
	expect_refused("--nats-key: --nats-cert is missing; use both", "--nats-key", paths[0]);
	expect_refused("--nats-nkey: --nats-token is there already", "--nats-token", paths[0], "--nats-nkey", paths[1]);
	expect_refused("--nats-token: a URL of --nats", "--nats", "nats://a,nats://other@b", "--nats-token", paths[0]);
}

static void
test_nats_login_refuses_files_that_are_not_what_they_should_be(void)
{
	expect_refused("--nats-token /nowhere/token: cannot read the file (No such file", "--nats-token", "/nowhere/token");
	expect_refused("--nats-token /tmp/", "--nats-token", put(0, "\nsecret"));
	char large[5000];
	memset(large, 'a', sizeof large - 1);
	large[sizeof large - 1] = '\0';
	expect_refused("--nats-token /tmp/", "--nats-token", put(0, large));
	expect_refused("--nats-nkey /tmp/", "--nats-nkey", put(0, "SUABC"));
	expect_refused("--nats-creds /tmp/", "--nats-creds", put(0, SEED));
	expect_refused("--nats-ca /tmp/", "--nats-ca", put(0, "no certificate"));
	expect_refused("--nats-cert /tmp/", "--nats-cert", put(0, "no"), "--nats-key", put(1, "no"));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_login_takes_one_way_to_log_in),
		UNIT_TEST(test_nats_login_refuses_options_that_contradict_each_other),
		UNIT_TEST(test_nats_login_refuses_files_that_are_not_what_they_should_be),
		{ NULL, NULL },
	};
	for (unsigned i = 0; i < FILES; i++) {
		strcpy(paths[i], "/tmp/test_nats_login.XXXXXX");
		if (close(mkstemp(paths[i])) != 0)
			return 2;
	}
	int status = unit_main("nats_login", tests);
	for (unsigned i = 0; i < FILES; i++)
		unlink(paths[i]);
	return status;
}
