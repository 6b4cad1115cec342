#include "core/tls_tickets.h"

#include "tests/unit/certificates.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/set_clock.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define HOUR_MS UINT64_C(3600000)

static char text[512];
static const struct sl_tls_error error = { text, sizeof text };

/* What a ticket is: its key's name, the IV, a sealed text and its MAC. */
struct ticket {
	unsigned char name[SL_TLS_TICKET_NAME_LEN], iv[SL_TLS_TICKET_IV_LEN];
	unsigned char sealed[32], mac[32];
};

static EVP_MAC_CTX *
new_mac(void)
{
	EVP_MAC *kind = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(kind);
	EVP_MAC_free(kind);
	return mac;
}

static void
authenticate(EVP_MAC_CTX *mac, const struct ticket *ticket, unsigned char out[32])
{
	size_t len;
	CU_ASSERT_EQUAL(EVP_MAC_init(mac, NULL, 0, NULL), 1);
	CU_ASSERT_EQUAL(EVP_MAC_update(mac, ticket->sealed, sizeof ticket->sealed), 1);
	CU_ASSERT_EQUAL(EVP_MAC_final(mac, out, &len, 32), 1);
}

static struct ticket
seal(struct sl_tls_tickets *tickets)
{
	struct ticket ticket;
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	EVP_MAC_CTX *mac = new_mac();
	int len, rest;
	CU_ASSERT_TRUE_FATAL(sl_tls_tickets_seal(tickets, ticket.name, ticket.iv, cipher, mac));
	CU_ASSERT_EQUAL(EVP_CIPHER_CTX_get_nid(cipher), NID_aes_256_cbc);
	EVP_EncryptUpdate(cipher, ticket.sealed, &len, (const unsigned char *)"what a session is made of", 25);
	EVP_EncryptFinal_ex(cipher, ticket.sealed + len, &rest);
	CU_ASSERT_EQUAL(len + rest, 32);
	authenticate(mac, &ticket, ticket.mac);
	EVP_CIPHER_CTX_free(cipher);
	EVP_MAC_CTX_free(mac);
	return ticket;
}

/* Opens it, and checks that what comes out went in. */
static enum sl_tls_ticket_age
open_ticket(struct sl_tls_tickets *tickets, const struct ticket *ticket)
{
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	EVP_MAC_CTX *mac = new_mac();
	unsigned char out[64], computed[32];
	int len = 0, rest = 0;
	enum sl_tls_ticket_age age = sl_tls_tickets_open(tickets, ticket->name, ticket->iv, cipher, mac);
	if (age != SL_TLS_TICKET_UNKNOWN) {
		authenticate(mac, ticket, computed);
		CU_ASSERT_EQUAL(memcmp(computed, ticket->mac, 32), 0);
		EVP_DecryptUpdate(cipher, out, &len, ticket->sealed, sizeof ticket->sealed);
		CU_ASSERT_EQUAL(EVP_DecryptFinal_ex(cipher, out + len, &rest), 1);
		CU_ASSERT_EQUAL(len + rest, 25);
		CU_ASSERT_EQUAL(memcmp(out, "what a session is made of", 25), 0);
	}
	EVP_CIPHER_CTX_free(cipher);
	EVP_MAC_CTX_free(mac);
	return age;
}

static void
test_tls_tickets_are_opened_by_the_keys_that_sealed_them(void)
{
	struct sl_tls_tickets *one = sl_tls_tickets_create(), *other = sl_tls_tickets_create();
	struct ticket first = seal(one), second = seal(one);
	CU_ASSERT_EQUAL(open_ticket(one, &first), SL_TLS_TICKET_CURRENT);
	CU_ASSERT_EQUAL(open_ticket(one, &second), SL_TLS_TICKET_CURRENT);
	CU_ASSERT_EQUAL(memcmp(first.name, second.name, sizeof first.name), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(first.iv, second.iv, sizeof first.iv), 0);
	CU_ASSERT_EQUAL(open_ticket(other, &first), SL_TLS_TICKET_UNKNOWN);
	sl_tls_tickets_destroy(one);
	sl_tls_tickets_destroy(other);
	sl_tls_tickets_destroy(NULL);
}

static void
test_tls_tickets_get_a_new_key_every_twelve_hours_and_two_old_ones_open(void)
{
	struct sl_tls_tickets *tickets = sl_tls_tickets_create();
	struct ticket made[5];
	for (int i = 0; i < 5; i++) {
		made[i] = seal(tickets);
		set_monotonic_ms += 12 * HOUR_MS - 1;
		CU_ASSERT_EQUAL(open_ticket(tickets, &made[i]), SL_TLS_TICKET_CURRENT);
		set_monotonic_ms += 1;
		for (int j = 0; j <= i; j++)
			CU_ASSERT_EQUAL(open_ticket(tickets, &made[j]),
				i - j < 2 ? SL_TLS_TICKET_OLD : SL_TLS_TICKET_UNKNOWN);
	}
	sl_tls_tickets_destroy(tickets);
}

/* Nobody asks for a day: the key is as old as if somebody had. */
static void
test_tls_tickets_keys_grow_old_though_nobody_comes(void)
{
	static const struct {
		unsigned hours;
		enum sl_tls_ticket_age age;
	} waits[] = { { 11, SL_TLS_TICKET_CURRENT }, { 12, SL_TLS_TICKET_OLD }, { 35, SL_TLS_TICKET_OLD },
		{ 36, SL_TLS_TICKET_UNKNOWN }, { 1000, SL_TLS_TICKET_UNKNOWN } };
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		struct sl_tls_tickets *tickets = sl_tls_tickets_create();
		struct ticket ticket = seal(tickets);
		set_monotonic_ms += waits[i].hours * HOUR_MS;
		CU_ASSERT_EQUAL(open_ticket(tickets, &ticket), waits[i].age);
		struct ticket next = seal(tickets);
		CU_ASSERT_EQUAL(open_ticket(tickets, &next), SL_TLS_TICKET_CURRENT);
		sl_tls_tickets_destroy(tickets);
	}
}

/* A line of 160 digits, all of them `digit`. */
static const char *
line(char digit)
{
	static char lines[4][161];
	static unsigned next;
	char *out = lines[next++ % 4];
	memset(out, digit, 160);
	return out;
}

static int
read_keys(struct sl_tls_ticket_keys *keys, const char *content)
{
	return sl_tls_ticket_keys_read(keys, certificates_write_text("keys", content), error);
}

static void
test_tls_tickets_read_keys_from_a_file(void)
{
	struct sl_tls_ticket_keys keys;
	char content[1024], digits[161];
	for (int i = 0; i < 80; i++)
		snprintf(digits + 2 * i, 3, i % 2 ? "%02X" : "%02x", (unsigned)i + 160);
	snprintf(content, sizeof content, "# the current one\n%s \r\n\n%s", digits, line('b'));
	CU_ASSERT_EQUAL_FATAL(read_keys(&keys, content), 0);
	CU_ASSERT_EQUAL(keys.count, 2);
	CU_ASSERT_EQUAL(keys.keys[0].name[0], 160);
	CU_ASSERT_EQUAL(keys.keys[0].mac[0], 176);
	CU_ASSERT_EQUAL(keys.keys[0].cipher[0], 208);
	CU_ASSERT_EQUAL(keys.keys[0].cipher[31], 239);
	CU_ASSERT_EQUAL(keys.keys[1].name[15], 0xbb);
}

static void
expect_refusal(const char *content, const char *why)
{
	struct sl_tls_ticket_keys keys;
	CU_ASSERT_EQUAL(read_keys(&keys, content), SL_EINVAL);
	if (!strstr(text, why))
		fprintf(stderr, "  %s\n", text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, why));
}

static void
test_tls_tickets_refuse_a_file_that_is_none(void)
{
	struct sl_tls_ticket_keys keys;
	char content[10 * 161 + 1] = "";
	expect_refusal("", "keys: the file holds no key");
	expect_refusal("\n# nothing\n", "keys: the file holds no key");
	snprintf(content, sizeof content, "%.159s\n", line('a'));
	expect_refusal(content, "keys: line 1 is not a key; use 160 hex digits");
	snprintf(content, sizeof content, "%s\n%sa\n", line('a'), line('b'));
	expect_refusal(content, "keys: line 2 is not a key");
	snprintf(content, sizeof content, "%.159sg", line('a'));
	expect_refusal(content, "keys: line 1 is not a key");
	content[0] = '\0';
	for (int i = 0; i < 9; i++) {
		strcat(content, line((char)('0' + i)));
		strcat(content, "\n");
	}
	expect_refusal(content, "keys: line 9 is one key too many; use at most 8");
	CU_ASSERT_EQUAL(sl_tls_ticket_keys_read(&keys, "/missing", error), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(text,
		"--tls-ticket-keys /missing: cannot read the file (No such file or directory); use the path of a file that sluice may read");
}

static void
test_tls_tickets_of_gateways_with_one_file_are_each_others(void)
{
	struct sl_tls_tickets *one = sl_tls_tickets_create(), *other = sl_tls_tickets_create();
	struct sl_tls_ticket_keys keys;
	char content[400];
	snprintf(content, sizeof content, "%s\n%s\n", line('1'), line('2'));
	CU_ASSERT_EQUAL_FATAL(read_keys(&keys, content), 0);
	sl_tls_tickets_use(one, &keys);
	snprintf(content, sizeof content, "%s\n%s\n", line('2'), line('1')); /* the change is half way */
	CU_ASSERT_EQUAL_FATAL(read_keys(&keys, content), 0);
	sl_tls_tickets_use(other, &keys);
	struct ticket first = seal(one), second = seal(other);
	CU_ASSERT_EQUAL(first.name[0], 0x11);
	CU_ASSERT_EQUAL(second.name[0], 0x22);
	CU_ASSERT_EQUAL(open_ticket(other, &first), SL_TLS_TICKET_OLD);
	CU_ASSERT_EQUAL(open_ticket(one, &second), SL_TLS_TICKET_OLD);
	set_monotonic_ms += 1000 * HOUR_MS;
	CU_ASSERT_EQUAL(open_ticket(one, &first), SL_TLS_TICKET_CURRENT); /* a file's stay as they are */
	sl_tls_tickets_use(one, NULL);
	CU_ASSERT_EQUAL(open_ticket(one, &first), SL_TLS_TICKET_UNKNOWN);
	sl_tls_tickets_destroy(one);
	sl_tls_tickets_destroy(other);
}

static void
test_tls_tickets_without_memory_are_an_error(void)
{
	struct sl_tls_ticket_keys keys;
	const char *path = certificates_write_text("keys", line('1'));
	for_each_failing_allocation(failing) {
		failing_expect(sl_tls_ticket_keys_read(&keys, path, error));
	}
	for_each_failing_allocation(failing) {
		struct sl_tls_tickets *tickets = sl_tls_tickets_create();
		failing_expect(tickets ? 0 : SL_ENOMEM);
		sl_tls_tickets_destroy(tickets);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_tls_tickets_are_opened_by_the_keys_that_sealed_them),
		UNIT_TEST(test_tls_tickets_get_a_new_key_every_twelve_hours_and_two_old_ones_open),
		UNIT_TEST(test_tls_tickets_keys_grow_old_though_nobody_comes),
		UNIT_TEST(test_tls_tickets_read_keys_from_a_file),
		UNIT_TEST(test_tls_tickets_refuse_a_file_that_is_none),
		UNIT_TEST(test_tls_tickets_of_gateways_with_one_file_are_each_others),
		UNIT_TEST(test_tls_tickets_without_memory_are_an_error),
		{ NULL, NULL },
	};
	return unit_main("tls_tickets", tests);
}
