/* fetch.c - HTTP GET for keys, on libcurl's multi interface. io */
#include "token/fetch.h"

#include <stdio.h>

#include "base/mem.h"
#include "token/libcurl.h"

#define REDIRECTS_MAX 3
#define HEADER_BYTES (64 * 1024)
#define CONNECT_MS 5000

struct fetch {
	struct libcurl curl;
	struct fetch_settings settings;
	CURLM *multi;
	struct curl_slist *accept;
	struct request *requests; /* under way */
};

struct request {
	struct request *next;
	CURL *easy;
	void *tag;
	struct buf body;
	size_t header_bytes;
	unsigned redirects;
	uint64_t left_ms; /* of the time that the whole may take */
	bool too_long;
	char cache_control[128];
	char error[CURL_ERROR_SIZE];
};

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct request *r = arg;
	buf_add(&r->body, data, size * n);
	if (!r->body.failed)
		return size * n;
	r->too_long = r->body.n + size * n > r->body.max;
	return 0; /* ends the transfer */
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	static const struct str name = {"cache-control:", 14};
	struct request *r = arg;
	struct str line = str_from(data, size * n);
	r->header_bytes += line.n;
	if (r->header_bytes > HEADER_BYTES) {
		r->too_long = true;
		return 0;
	}
	if (str_starts(line, STR("HTTP/"))) /* another answer begins */
		r->cache_control[0] = '\0';
	if (str_eq_ascii_nocase(str_sub(line, 0, name.n), name)) {
		struct str value = str_trim(str_sub(line, name.n, line.n));
		size_t have = strlen(r->cache_control);
		snprintf(r->cache_control + have, sizeof r->cache_control - have, "%s%.*s",
		        have ? "," : "", STR_FMT(value));
	}
	return line.n;
}

static bool set_long(const struct fetch *f, CURL *c, CURLoption o, long v)
{
	return f->curl.curl_easy_setopt(c, o, v) == CURLE_OK;
}

static bool set_text(const struct fetch *f, CURL *c, CURLoption o, const char *v)
{
	return f->curl.curl_easy_setopt(c, o, v) == CURLE_OK;
}

static bool set_up(struct fetch *f, struct request *r, const char *url, size_t max_bytes)
{
	const struct fetch_settings *s = &f->settings;
	CURL *c = r->easy;
	const char *scheme = strncmp(url, "https:", 6) == 0 ? "https" : "http";
	bool ok = set_text(f, c, CURLOPT_URL, url) &&
	          set_text(f, c, CURLOPT_PROTOCOLS_STR, scheme) &&
	          set_text(f, c, CURLOPT_PROXY, s->proxy ? s->proxy : "") &&
	          set_text(f, c, CURLOPT_USERAGENT, s->agent);
	ok = ok && (!s->ca_file || set_text(f, c, CURLOPT_CAINFO, s->ca_file));
	ok = ok && set_long(f, c, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
	     set_long(f, c, CURLOPT_SSL_VERIFYPEER, 1) && set_long(f, c, CURLOPT_SSL_VERIFYHOST, 2);
	ok = ok && set_long(f, c, CURLOPT_NOSIGNAL, 1) &&
	     set_long(f, c, CURLOPT_FOLLOWLOCATION, 0) &&
	     set_long(f, c, CURLOPT_TIMEOUT_MS, (long)r->left_ms) &&
	     set_long(f, c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	/* a name that resolves slowly must not hold up the others when it is given up */
	ok = ok && set_long(f, c, CURLOPT_QUICK_EXIT, 1);
	r->body.max = max_bytes;
	return ok && f->curl.curl_easy_setopt(c, CURLOPT_HTTPHEADER, f->accept) == CURLE_OK &&
	       f->curl.curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       f->curl.curl_easy_setopt(c, CURLOPT_WRITEDATA, r) == CURLE_OK &&
	       f->curl.curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       f->curl.curl_easy_setopt(c, CURLOPT_HEADERDATA, r) == CURLE_OK &&
	       f->curl.curl_easy_setopt(c, CURLOPT_ERRORBUFFER, r->error) == CURLE_OK &&
	       f->curl.curl_easy_setopt(c, CURLOPT_PRIVATE, r) == CURLE_OK;
}

struct fetch *fetch_new(const struct fetch_settings *s)
{
	struct fetch *f = mem_zalloc(sizeof *f);
	if (!f)
		return NULL;
	f->settings = *s;
	if (!libcurl_load(&f->curl) || f->curl.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		mem_free(f);
		return NULL;
	}
	f->multi = f->curl.curl_multi_init();
	f->accept = f->curl.curl_slist_append(
	        NULL, "Accept: application/json, application/x-pem-file, */*");
	if (f->multi && f->accept)
		return f;
	fetch_free(f);
	return NULL;
}

static void request_free(struct fetch *f, struct request *r)
{
	struct request **at = &f->requests;
	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
	if (r->easy) {
		f->curl.curl_multi_remove_handle(f->multi, r->easy);
		f->curl.curl_easy_cleanup(r->easy);
	}
	buf_done(&r->body);
	mem_free(r);
}

void fetch_free(struct fetch *f)
{
	if (!f)
		return;
	while (f->requests)
		request_free(f, f->requests);
	if (f->multi)
		f->curl.curl_multi_cleanup(f->multi);
	f->curl.curl_slist_free_all(f->accept);
	f->curl.curl_global_cleanup();
	mem_free(f);
}

bool fetch_start(struct fetch *f, const char *url, size_t max_bytes, void *tag)
{
	struct request *r = mem_zalloc(sizeof *r);
	if (!r)
		return false;
	buf_init(&r->body, max_bytes);
	r->tag = tag;
	r->left_ms = f->settings.timeout_ms;
	r->next = f->requests;
	f->requests = r;
	r->easy = f->curl.curl_easy_init();
	if (r->easy && set_up(f, r, url, max_bytes) &&
	        f->curl.curl_multi_add_handle(f->multi, r->easy) == CURLM_OK)
		return true;
	request_free(f, r);
	return false;
}

void fetch_turn(struct fetch *f, uint32_t wait_ms)
{
	int n;
	/* what was just added is due at once, so it ends the waiting; whatever is done by
	 * curl_multi_perform is taken before there is more of it */
	(void)f->curl.curl_multi_poll(f->multi, NULL, 0, (int)wait_ms, NULL);
	(void)f->curl.curl_multi_perform(f->multi, &n);
}

void fetch_wake(struct fetch *f)
{
	(void)f->curl.curl_multi_wakeup(f->multi);
}

static bool same_part(const struct fetch *f, CURLU *a, CURLU *b, CURLUPart part)
{
	char *x = NULL, *y = NULL;
	bool same = f->curl.curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	            f->curl.curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	            str_eq_ascii_nocase(str_c(x), str_c(y));
	f->curl.curl_free(x);
	f->curl.curl_free(y);
	return same;
}

/* Scheme, host and port (RFC 6454 5), and nobody's password. */
static bool same_origin(const struct fetch *f, const char *from, const char *to)
{
	CURLU *a = f->curl.curl_url(), *b = f->curl.curl_url();
	char *user = NULL;
	bool same = a && b && f->curl.curl_url_set(a, CURLUPART_URL, from, 0) == CURLUE_OK &&
	            f->curl.curl_url_set(b, CURLUPART_URL, to, 0) == CURLUE_OK &&
	            same_part(f, a, b, CURLUPART_SCHEME) && same_part(f, a, b, CURLUPART_HOST) &&
	            same_part(f, a, b, CURLUPART_PORT) &&
	            f->curl.curl_url_get(b, CURLUPART_USER, &user, 0) != CURLUE_OK;
	f->curl.curl_free(user);
	f->curl.curl_url_cleanup(a);
	f->curl.curl_url_cleanup(b);
	return same;
}

/* Goes on where the answer points to; false: *why says why not. */
static bool follow(struct fetch *f, struct request *r, const char **why)
{
	char *to = NULL, *from = NULL;
	double used = 0;
	*why = "it redirects without saying where to";
	if (f->curl.curl_easy_getinfo(r->easy, CURLINFO_REDIRECT_URL, &to) != CURLE_OK || !to ||
	        f->curl.curl_easy_getinfo(r->easy, CURLINFO_EFFECTIVE_URL, &from) != CURLE_OK ||
	        !from)
		return false;
	*why = "it redirects to another origin";
	if (!same_origin(f, from, to))
		return false;
	*why = "it redirects too often";
	(void)f->curl.curl_easy_getinfo(r->easy, CURLINFO_TOTAL_TIME, &used);
	uint64_t used_ms = (uint64_t)(used * 1000);
	if (++r->redirects > REDIRECTS_MAX || used_ms >= r->left_ms)
		return false;
	r->left_ms -= used_ms;
	char *url = mem_strndup(to, strlen(to)); /* `to` is the handle's */
	f->curl.curl_multi_remove_handle(f->multi, r->easy);
	buf_reset(&r->body);
	r->header_bytes = 0;
	bool ok = url && set_text(f, r->easy, CURLOPT_URL, url) &&
	          set_long(f, r->easy, CURLOPT_TIMEOUT_MS, (long)r->left_ms) &&
	          f->curl.curl_multi_add_handle(f->multi, r->easy) == CURLM_OK;
	mem_free(url);
	*why = "out of memory";
	return ok;
}

static const char *error_text(const struct fetch *f, const struct request *r, CURLcode code)
{
	return r->error[0] ? r->error : f->curl.curl_easy_strerror(code);
}

static void give(struct fetch *f, struct request *r, struct fetch_result *out)
{
	out->tag = r->tag;
	memcpy(out->cache_control, r->cache_control, sizeof out->cache_control);
	out->body = r->body;
	buf_init(&r->body, 0);
	request_free(f, r);
}

/* False: it goes on. */
static bool ended(struct fetch *f, struct request *r, CURLcode code, struct fetch_result *out)
{
	long status = 0;
	const char *why = "";
	*out = (struct fetch_result){0};
	(void)f->curl.curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	out->status = (int)status;
	if (r->too_long) {
		out->refused = true;
		snprintf(out->why, sizeof out->why, "the answer is longer than %zu bytes",
		        r->body.max);
	} else if (code != CURLE_OK) {
		snprintf(out->why, sizeof out->why, "%.150s", error_text(f, r, code));
	} else if (status >= 300 && status < 400) {
		if (follow(f, r, &why))
			return false;
		out->refused = true;
		snprintf(out->why, sizeof out->why, "%s", why);
	} else {
		out->arrived = true;
		if (status != 200)
			snprintf(out->why, sizeof out->why, "it answered %ld", status);
	}
	give(f, r, out);
	return true;
}

bool fetch_take(struct fetch *f, struct fetch_result *out)
{
	CURLMsg *m;
	int left;
	while ((m = f->curl.curl_multi_info_read(f->multi, &left))) {
		struct request *r = NULL;
		CURLcode code = m->data.result;
		if (m->msg != CURLMSG_DONE ||
		        f->curl.curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r) !=
		                CURLE_OK ||
		        !r)
			continue;
		if (ended(f, r, code, out))
			return true;
	}
	return false;
}
