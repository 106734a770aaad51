/* websocket_transport.c - a session's stream over WebSocket: one element per message (RFC 7395). io
 */
#include "base/err.h"
#include "base/mem.h"
#include "http/server.h"
#include "http/websocket.h"
#include "session/internal.h"
#include "xmpp/ns.h"

#define CLOSE_ELEMENT                                                                              \
	"<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" />" /* clients compare these bytes   \
	                                                           */

/* Nothing here is touched after an upward call, so it may go in any of them. */
struct websocket {
	struct transport t;
	struct ws *ws;
	bool secure;
};

static struct ws *ws_of(struct transport *t)
{
	return LIST_OWNER(t, struct websocket, t)->ws;
}

static int open_stream(struct transport *t, struct str from, struct str id)
{
	struct buf *b = session_begin(t->session);
	buf_puts(b, "<open xmlns='" NS_FRAMING "'");
	xml_attr(b, "from", from);
	xml_attr(b, "id", id);
	buf_puts(b, " version='1.0' xml:lang='en'/>");
	return b->failed ? ERR_NOMEM : ws_send(ws_of(t), buf_view(b), NULL);
}

static int send_element(struct transport *t, struct str head, struct block *tail)
{
	return ws_send(ws_of(t), head, tail);
}

static int send_copy(struct transport *t, struct str head, struct str tail)
{
	return ws_send_copy(ws_of(t), head, tail);
}

static void known(struct transport *t)
{
	ws_known(ws_of(t));
}

static void end(struct transport *t, enum session_end why, struct str error)
{
	struct websocket *w = LIST_OWNER(t, struct websocket, t);
	if (!str_absent(error))
		(void)ws_send_last(w->ws, error);
	(void)ws_send_last(w->ws, STR(CLOSE_ELEMENT));
	ws_close(w->ws, why == SESSION_SHUTDOWN ? WS_GOING_AWAY : WS_NORMAL, LINGER_MS);
	mem_free(w);
}

static void set_max_message(struct transport *t, size_t bytes)
{
	ws_set_max_message(ws_of(t), (uint32_t)bytes);
}

static bool is_secure(struct transport *t)
{
	return LIST_OWNER(t, struct websocket, t)->secure;
}

static const struct transport_ops ops = {
        .kind = TRANSPORT_WEBSOCKET,
        .name = "websocket",
        .open = open_stream,
        .send = send_element,
        .send_copy = send_copy,
        .known = known,
        .end = end,
        .set_max_message = set_max_message,
        .secure = is_secure,
};

static void on_message(void *arg, struct ws *ws, struct str text)
{
	(void)ws;
	const struct websocket *w = arg;
	struct session *s = w->t.session;
	struct sessions *ss = s->all;
	struct element *e = session_parse(s, text);
	if (element_is(e, "close", NS_FRAMING))
		session_closed(s);
	else if (element_is(e, "open", NS_FRAMING))
		session_opened(s, element_attr(e, "to"));
	else if (e)
		session_element(s, e, text);
	arena_reset(&ss->arena);
}

static void on_ended(void *arg, struct ws *ws, enum ws_end why)
{
	(void)ws;
	struct websocket *w = arg;
	struct session *s = w->t.session;
	enum session_end end_of = SESSION_PROTOCOL;
	if (why == WS_END_STALLED)
		end_of = SESSION_SLOW;
	else if (why == WS_END_AWAY)
		end_of = SESSION_CLOSED;
	else if (why == WS_END_CLOSED || why == WS_END_LOST || why == WS_END_SILENT)
		end_of = SESSION_LOST; /* without <close/> it may come back */
	else if (why == WS_END_TOO_LARGE)
		s->all->counters.limit_xml_bytes++;
	bool everyday = why == WS_END_AWAY || why == WS_END_CLOSED || why == WS_END_LOST;
	session_lost(s, end_of, everyday ? NULL : ws_end_text(why));
	mem_free(w);
}

void sessions_open(void *sessions, const struct http_request *r, struct ws *ws)
{
	struct websocket *w = mem_zalloc(sizeof *w);
	const struct session_arrival a = {.peer = r->peer,
	        .peer_loopback = r->peer_loopback,
	        .query = r->head->query,
	        .authorization = http_field(r->head, "authorization"),
	        .authorizations = http_field_count(r->head, "authorization"),
	        .region = r->region};
	if (w) {
		w->t.ops = &ops;
		w->ws = ws;
		w->secure = r->secure;
	}
	if (!w || !session_arrive(sessions, &w->t, &a)) {
		mem_free(w);
		ws_close(ws, WS_TRY_LATER, LINGER_MS);
		return;
	}
	ws_own(ws, &(struct ws_events){.arg = w, .message = on_message, .ended = on_ended});
}
