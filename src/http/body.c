/* body.c - request bodies, decoded in place. pure */
#include "http/body.h"

#include "base/err.h"

static int refuse(struct body_reader *r, int status)
{
	r->status = status;
	return status == 413 ? ERR_LIMIT : ERR_BADMSG;
}

int body_start(struct body_reader *r, const struct http_head *h, size_t max)
{
	*r = (struct body_reader){
	        .max = max, .head = h->bytes, .end = h->bytes, .left = h->content_length};
	r->state = h->chunked ? BODY_SIZE : BODY_LENGTH;
	return !h->chunked && h->content_length > max ? refuse(r, 413) : ERR_OK;
}

/* The line that begins at `at`, without its CRLF. ERR_AGAIN: not all of it is here. */
static int find_line(struct body_reader *r, struct str in, size_t at, struct str *line)
{
	for (size_t i = at; i < in.n && i - at <= BODY_LINE_MAX; i++) {
		unsigned char c = (unsigned char)in.p[i];
		if (c == '\r') {
			if (i + 1 == in.n)
				return ERR_AGAIN;
			if (in.p[i + 1] != '\n')
				return refuse(r, 400);
			*line = str_sub(in, at, i);
			return ERR_OK;
		}
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return refuse(r, 400);
	}
	return in.n - at <= BODY_LINE_MAX ? ERR_AGAIN : refuse(r, 400);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Extensions are ignored (RFC 9112 7.1.1), but only where they begin with the ';' of one. */
static int read_size(struct body_reader *r, struct str line, size_t so_far)
{
	uint64_t size = 0;
	size_t i = 0;
	for (; i < line.n && hex(line.p[i]) >= 0; i++) {
		if (i == 8)
			return refuse(r, 413);
		size = size * 16 + (unsigned)hex(line.p[i]);
	}
	if (i == 0 || (i < line.n && line.p[i] != ';'))
		return refuse(r, 400);
	if (size > r->max - so_far)
		return refuse(r, 413);
	r->left = size;
	r->state = size ? BODY_DATA : BODY_TRAILER;
	return ERR_OK;
}

/* Moves data down over what was decoded before it. */
static void move_data(struct body_reader *r, struct buf *in, size_t *at)
{
	size_t n = in->n - *at < r->left ? in->n - *at : (size_t)r->left;
	if (*at != r->end)
		memmove(in->p + r->end, in->p + *at, n);
	r->end += n;
	*at += n;
	r->left -= n;
	if (r->left == 0)
		r->state = r->state == BODY_LENGTH ? BODY_DONE : BODY_DATA_END;
}

static int take_line(struct body_reader *r, struct buf *in, size_t *at)
{
	struct str line;
	int err = find_line(r, buf_view(in), *at, &line);
	if (err)
		return err;
	*at += line.n + 2;
	if (r->state == BODY_SIZE)
		return read_size(r, line, r->end - r->head);
	if (r->state == BODY_DATA_END) {
		r->state = BODY_SIZE;
		return line.n ? refuse(r, 400) : ERR_OK;
	}
	r->trailer += line.n;
	if (line.n == 0)
		r->state = BODY_DONE;
	else if (r->trailer > BODY_TRAILER_MAX || line.p[0] == ' ' || line.p[0] == '\t')
		return refuse(r, 400);
	return ERR_OK;
}

int body_take(struct body_reader *r, struct buf *in)
{
	size_t at = r->end;
	int err = ERR_OK;
	while (err == ERR_OK && r->state != BODY_DONE) {
		if (r->state == BODY_LENGTH || r->state == BODY_DATA) {
			move_data(r, in, &at);
			if (r->left)
				err = ERR_AGAIN;
		} else {
			err = take_line(r, in, &at);
		}
	}
	/* what is behind follows closely, so that the next call finds it at `end` */
	if (at != r->end) {
		memmove(in->p + r->end, in->p + at, in->n - at);
		in->n -= at - r->end;
	}
	return err;
}
