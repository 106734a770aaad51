/* stream.c - fuzz: the bytes of an XML stream, whole and in pieces, must be the same header,
 * elements and end; an element written out must be read again by the parser of framed XML. io
 *
 * The first byte says how large the pieces are, the second after how many events the stream begins
 * anew. */
#include <stdlib.h>

#include "xmpp/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SLOW_BYTES 2048 /* longer inputs come in larger pieces: slowness has a bound of its own */

static const struct xml_limits limits = {
        .bytes = 32768, .depth = 16, .attributes = 16, .elements = 256};
static const struct xml_limits again = {
        .bytes = 1u << 30, .depth = 16, .attributes = 64, .elements = 256};

static void read_again(struct str text)
{
	static struct xml_parser *parser;
	struct arena a;
	struct element *e;
	struct buf b;
	if (!parser && !(parser = xml_parser_new()))
		abort();
	arena_init(&a, 0);
	buf_init(&b, 0);
	if (xml_parse(parser, text, &again, &a, &e) != XML_FINE)
		abort();
	xml_write(&b, e, STR(""));
	if (!str_eq(buf_view(&b), text))
		abort();
	buf_done(&b);
	arena_done(&a);
}

static void tell(struct buf *told, enum stream_event e, const struct stream_item *item)
{
	buf_printf(told, "%d:", (int)e);
	if (item->bytes > limits.bytes)
		abort();
	if (e == STREAM_OPENED) {
		buf_printf(told, "%zu %s ", item->bytes, item->condition ? item->condition : "-");
		buf_str(told, item->to);
	} else if (e == STREAM_ELEMENT) {
		size_t from = told->n;
		xml_write(told, item->element, STR(""));
		read_again(str_sub(buf_view(told), from, told->n));
	}
	buf_putc(told, '\n');
}

static void read_stream(struct str in, size_t piece, unsigned restart, struct buf *told)
{
	struct stream_parser *p = stream_parser_new();
	enum stream_event e = STREAM_MORE;
	unsigned events = 0;
	if (!p)
		abort();
	buf_init(told, 0);
	while (in.n && e != STREAM_FAULT && e != STREAM_CLOSED) {
		struct str part = str_sub(in, 0, piece);
		struct stream_item item;
		in = str_sub(in, piece, in.n);
		do {
			e = stream_parser_next(p, &part, &limits, &item);
			if (e == STREAM_MORE)
				break;
			tell(told, e, &item);
			if (++events == restart)
				stream_parser_restart(p);
		} while (e != STREAM_FAULT && e != STREAM_CLOSED);
	}
	stream_parser_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	/* the end of a tag decides what may have been left open, such as a fault in half a name */
	struct buf text;
	buf_init(&text, 0);
	buf_add(&text, data + 2, size - 2);
	buf_putc(&text, '>');
	struct str in = buf_view(&text);
	size_t piece = 1 + data[0] + (in.n > SLOW_BYTES ? SLOW_BYTES : 0);
	struct buf whole, parts;
	read_stream(in, in.n, data[1], &whole);
	read_stream(in, piece, data[1], &parts);
	if (!str_eq(buf_view(&whole), buf_view(&parts)))
		abort();
	buf_done(&whole);
	buf_done(&parts);
	buf_done(&text);
	return 0;
}
