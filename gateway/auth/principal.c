#include "auth/principal.h"

#include <string.h>

#include "auth/principal_state.h"
#include "bus/message.h"

static char every_channel[] = "*";

struct sl_principal sl_principal_everybody = {
	.claims = {
		.expires_s = SL_NEVER_S,
		.may = {
			[SL_ACT_SUBSCRIBE] = { every_channel, sizeof every_channel, 1 },
			[SL_ACT_PUBLISH] = { every_channel, sizeof every_channel, 1 },
		},
		.is_admin = true,
	},
};

void
sl_claims_finish(struct sl_claims *claims)
{
	for (int act = 0; act < SL_ACTS; act++)
		sl_patterns_finish(&claims->may[act]);
}

struct sl_principal *
sl_principal_ref(struct sl_principal *principal)
{
	if (principal->owner)
		principal->refs++;
	return principal;
}

void
sl_principal_unref(struct sl_principal *principal)
{
	if (principal && principal->owner && --principal->refs == 0)
		sl_principals_release(principal->owner, principal);
}

const struct sl_claims *
sl_principal_get_claims(const struct sl_principal *principal)
{
	return &principal->claims;
}

int
sl_principal_copy_claims(const struct sl_principal *principal, struct sl_claims *out)
{
	const struct sl_claims *claims = &principal->claims;
	*out = (struct sl_claims){ .issued_s = claims->issued_s, .expires_s = claims->expires_s,
		.is_admin = claims->is_admin };
	memcpy(out->subject, claims->subject, strlen(claims->subject) + 1);
	int err = 0;
	for (int act = 0; act < SL_ACTS && err == 0; act++)
		err = sl_patterns_copy(&out->may[act], &claims->may[act]);
	if (err != 0)
		sl_claims_finish(out);
	return err;
}

struct sl_owner *
sl_principal_get_owner(const struct sl_principal *principal)
{
	return principal->subject ? principal->subject->owner : NULL;
}

bool
sl_principal_is_anonymous(const struct sl_principal *principal)
{
	return principal->claims.subject[0] == '\0';
}

/* Who was sent away may do nothing while it stands in the line. Who expired may: a publish that is
 * refused is lost to its client, while one that its stream's end cuts off is sent again. */
bool
sl_principal_may(const struct sl_principal *principal, enum sl_act act, struct sl_span channel)
{
	if (!principal || principal->leave == SL_LEAVE_REVOKED)
		return false;
	return sl_channel_name_is_leased(channel.bytes) ||
		sl_patterns_match(&principal->claims.may[act], channel);
}
