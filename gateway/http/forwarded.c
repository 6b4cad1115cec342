#include "http/forwarded.h"

#include <string.h>

#include "http/head.h"
#include "util/network.h"

/* The lines of one list field. */
struct lines {
	struct sl_span last[SL_FORWARDED_LINES_MAX]; /* a ring */
	size_t count;                                /* of all there were */
	size_t left;                                 /* in the ring, and not read yet */
	struct sl_span rest;                         /* of the line that is read, from its left end */
};

/* What one proxy said. */
struct hop {
	struct sl_span node, scheme; /* absent: not said */
};

enum node { NODE_IP, NODE_HIDDEN, NODE_BAD };

bool
sl_forwarded_trusts(const struct sl_network_list *trusted, const struct sl_address *address)
{
	return address->family == AF_UNIX ? trusted->has_unix :
		trusted->count > 0 && sl_network_list_has(trusted, address->bytes);
}

/* ---- lists, from the right ---- */

static void
note_line(struct lines *lines, struct sl_span value)
{
	lines->last[lines->count++ % SL_FORWARDED_LINES_MAX] = value;
	if (lines->left < SL_FORWARDED_LINES_MAX)
		lines->left++;
}

/* True when there is a line to read from. */
static bool
has_rest(struct lines *lines)
{
	while (lines->rest.len == 0 && lines->left > 0) {
		lines->left--;
		lines->count--;
		lines->rest = lines->last[lines->count % SL_FORWARDED_LINES_MAX];
	}
	return lines->rest.len > 0;
}

/* Where the quoted text begins whose closing quote stands before `end`, or NULL. A quote that a
 * backslash hides is not looked for: no proxy writes one, and the element is malformed then. */
static const char *
find_quote(const char *start, const char *end)
{
	return end - start < 2 ? NULL : memrchr(start, '"', (size_t)(end - 1 - start));
}

/* Takes the last element, which may be empty. Where a quote is never opened everything left of it
 * belongs to the element. */
static struct sl_span
take_last(struct sl_span *rest, bool has_quotes)
{
	const char *start = rest->bytes, *end = start + rest->len, *at = end;
	while (at > start && at[-1] != ',') {
		const char *opening = has_quotes && at[-1] == '"' ? find_quote(start, at) : at - 1;
		at = opening ? opening : start;
	}
	rest->len = at > start ? (size_t)(at - 1 - start) : 0;
	return sl_span_trim(at, end);
}

/* The next element leftwards that is not empty (RFC 9110, section 5.6.1.2). */
static bool
take_element(struct lines *lines, bool has_quotes, struct sl_span *element)
{
	while (has_rest(lines)) {
		*element = take_last(&lines->rest, has_quotes);
		if (element->len > 0)
			return true;
	}
	return false;
}

/* ---- one element ---- */

static enum node
read_node(struct sl_address *out, struct sl_span node, bool is_bare_allowed)
{
	uint8_t ip[16];
	uint16_t port;
	const char *colon = memrchr(node.bytes, ':', node.len);
	struct sl_span name = node;
	if (node.bytes[0] != '[' && colon)
		name.len = (size_t)(colon - node.bytes);
	if (node.bytes[0] == '_' || sl_span_is_word(name, "unknown"))
		return NODE_HIDDEN;
	/* A port may be hidden where its address is not. */
	if (colon && node.bytes + node.len - colon > 1 && colon[1] == '_')
		node.len = (size_t)(colon - node.bytes);
	if (!sl_network_parse_host(ip, &port, node, is_bare_allowed))
		return NODE_BAD;
	sl_address_set_ip(out, ip, port);
	return NODE_IP;
}

static enum sl_forwarded_scheme
read_scheme(struct sl_span scheme, bool *is_bad)
{
	if (sl_span_is_word(scheme, "https") || sl_span_is_word(scheme, "wss"))
		return SL_SCHEME_HTTPS;
	if (sl_span_is_word(scheme, "http") || sl_span_is_word(scheme, "ws"))
		return SL_SCHEME_HTTP;
	*is_bad |= scheme.bytes != NULL;
	return SL_SCHEME_UNSAID;
}

/* A token, or a quoted text without escapes; empty where it is neither. */
static struct sl_span
take_value(const char **at, const char *end)
{
	const char *start = *at;
	if (start < end && *start == '"') {
		start++;
		const char *closing = memchr(start, '"', (size_t)(end - start));
		if (!closing || memchr(start, '\\', (size_t)(closing - start)))
			return (struct sl_span){ start, 0 };
		*at = closing + 1;
		return (struct sl_span){ start, (size_t)(closing - start) };
	}
	while (*at < end && sl_head_is_token_char((unsigned char)**at))
		++*at;
	return (struct sl_span){ start, (size_t)(*at - start) };
}

/* One name=value. Each name counts once. */
static bool
take_pair(const char **at, const char *end, struct hop *hop)
{
	struct sl_span name = { *at, 0 };
	while (*at < end && sl_head_is_token_char((unsigned char)**at))
		++*at;
	name.len = (size_t)(*at - name.bytes);
	if (name.len == 0 || *at == end || **at != '=')
		return false;
	++*at;
	struct sl_span value = take_value(at, end);
	struct sl_span *field = sl_span_is_word(name, "for") ? &hop->node :
		sl_span_is_word(name, "proto") ? &hop->scheme : NULL;
	if (value.len == 0 || (field && field->bytes))
		return false;
	if (field)
		*field = value;
	return true;
}

static const char *
skip_blanks(const char *at, const char *end)
{
	while (at < end && sl_is_blank(*at))
		at++;
	return at;
}

/* forwarded-element (RFC 7239, section 4), with blanks around its semicolons. */
static bool
read_pairs(struct sl_span element, struct hop *hop)
{
	const char *at = element.bytes, *end = at + element.len;
	while (at < end) {
		if (*at != ';' && !take_pair(&at, end, hop))
			return false;
		at = skip_blanks(at, end);
		if (at < end && *at != ';')
			return false;
		at = at < end ? skip_blanks(at + 1, end) : end;
	}
	return true;
}

/* ---- the walk ---- */

/* One step to the left. False when it ends here. */
static bool
take_hop(struct sl_forwarded *out, struct sl_span element)
{
	bool is_rfc7239 = out->kind == SL_FORWARDED_RFC7239;
	struct hop hop = { .node = element };
	if (is_rfc7239) {
		hop.node = (struct sl_span){ 0 };
		out->scheme = SL_SCHEME_UNSAID;
		out->is_bad = !read_pairs(element, &hop);
	}
	if (is_rfc7239 && !out->is_bad)
		out->scheme = read_scheme(hop.scheme, &out->is_bad);
	if (out->is_bad || !hop.node.bytes)
		return false;
	enum node node = read_node(&out->client, hop.node, !is_rfc7239);
	out->is_bad = node == NODE_BAD;
	return node == NODE_IP;
}

/* Returns how many elements were looked at. */
static size_t
walk(struct sl_forwarded *out, struct lines *lines, const struct sl_network_list *trusted)
{
	struct sl_span element;
	size_t hops = 0;
	while (hops < SL_FORWARDED_HOPS_MAX && sl_forwarded_trusts(trusted, &out->client) &&
			take_element(lines, out->kind == SL_FORWARDED_RFC7239, &element)) {
		hops++;
		if (!take_hop(out, element))
			break;
	}
	return hops;
}

/* The scheme that the proxy wrote beside the address, if each wrote one; else the leftmost: a proxy
 * may have replaced what it got. */
static void
pick_scheme(struct sl_forwarded *out, struct lines *schemes, size_t hops)
{
	struct sl_span scheme = { 0 }, next;
	for (size_t i = 0; i < (hops ? hops : 1) && take_element(schemes, false, &next); i++)
		scheme = next;
	out->scheme = read_scheme(scheme, &out->is_bad);
}

void
sl_forwarded_read(struct sl_forwarded *out, const struct sl_head *head,
	const struct sl_network_list *trusted, const struct sl_address *source)
{
	struct lines x_for = { .count = 0 }, x_proto = { .count = 0 }, forwarded = { .count = 0 };
	struct sl_span rest = head->lines, name, value;
	while (sl_head_next(&rest, &name, &value)) {
		if (sl_span_is_word(name, "X-Forwarded-For"))
			note_line(&x_for, value);
		else if (sl_span_is_word(name, "X-Forwarded-Proto"))
			note_line(&x_proto, value);
		else if (sl_span_is_word(name, "Forwarded"))
			note_line(&forwarded, value);
	}
	*out = (struct sl_forwarded){ .client = *source };
	if (x_for.count > 0 || forwarded.count == 0) {
		out->kind = x_for.count > 0 ? SL_FORWARDED_X : SL_FORWARDED_NONE;
		pick_scheme(out, &x_proto, walk(out, &x_for, trusted));
	} else {
		out->kind = SL_FORWARDED_RFC7239;
		walk(out, &forwarded, trusted);
	}
}
