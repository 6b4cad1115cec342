#include "bench/obstacle/events.h"

#include <string.h>

/* Columns of a line of an event; up to the name's end they count its matching bytes. */
enum { NAME_END = 5 /* of "data:" */, VALUE, OTHER };

static enum ob_event_form
form_of(const struct ob_head *response, const char *transport)
{
	unsigned status = ob_head_status(response);
	if (status < 200 || status > 299)
		return OB_NO_EVENTS;
	if (ob_head_has_type(response, "text/event-stream"))
		return OB_EVENTS;
	if (ob_head_has_type(response, "application/x-ndjson"))
		return OB_LINES;
	bool is_poll = strcmp(transport, "longpoll") == 0 || strcmp(transport, "poll") == 0;
	return is_poll ? OB_ANSWER : OB_NO_EVENTS;
}

void
ob_events_begin(struct ob_events *events, const struct ob_head *response, const char *transport)
{
	*events = (struct ob_events){ .form = form_of(response, transport) };
}

static bool
is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

static bool
begins_with(const struct ob_events *events, char c)
{
	if (events->is_inside || events->form == OB_NO_EVENTS)
		return false;
	return events->form == OB_ANSWER
		|| (events->form == OB_LINES ? c != '\n' : !is_line_end(c));
}

static bool
has_content_at(const struct ob_events *events, char c)
{
	if (!events->is_inside || events->has_content)
		return false;
	return events->form != OB_EVENTS || events->column == VALUE
		|| (events->column == NAME_END && c != ' ');
}

static void
feed_event(struct ob_events *events, char c)
{
	bool is_second_half = events->is_after_cr && c == '\n';
	events->is_after_cr = c == '\r';
	if (is_second_half)
		return;
	if (is_line_end(c)) {
		if (events->column == 0)
			events->is_inside = events->has_content = false;
		events->column = 0;
	} else if (events->column < NAME_END) {
		events->column = c == "data:"[events->column] ? events->column + 1 : OTHER;
	} else {
		events->column = events->column == NAME_END && c == ' ' ? VALUE : OTHER;
	}
}

static void
feed(struct ob_events *events, char c)
{
	if (events->form == OB_EVENTS)
		feed_event(events, c);
	else if (events->form == OB_LINES && c == '\n')
		events->is_inside = events->has_content = false;
}

enum ob_event_step
ob_events_next(struct ob_events *events, const char **bytes, size_t *len, const char **part,
	size_t *part_len)
{
	*part = *bytes;
	*part_len = 0;
	for (; *len; ++*bytes, --*len, ++*part_len) {
		bool begins = begins_with(events, **bytes);
		if (!begins && !has_content_at(events, **bytes)) {
			feed(events, **bytes);
			continue;
		}
		if (*part_len)
			break;
		*(begins ? &events->is_inside : &events->has_content) = true;
		return begins ? OB_EVENT_BEGIN : OB_EVENT_CONTENT;
	}
	return *part_len ? OB_EVENT_BYTES : OB_EVENT_MORE;
}
