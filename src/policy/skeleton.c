/* skeleton.c - what a name looks like: roles.md 4.4. pure */
#include "base/err.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "policy/lookalikes.h"
#include "policy/name.h"

/* The ASCII character that cp passes for, or 0. */
static char lookalike(int32_t cp)
{
	size_t low = 0, high = sizeof lookalike_characters / sizeof *lookalike_characters;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (lookalike_characters[mid].from == cp)
			return lookalike_characters[mid].to;
		if (lookalike_characters[mid].from < cp)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

/* Latin, Greek and Cyrillic by block: there a mark is decoration, elsewhere it is a vowel. */
static bool is_european(int32_t cp)
{
	static const struct {
		int32_t from, to;
	} blocks[] = {
	        {0x0000, 0x02ff},   /* Latin, phonetic, modifier letters */
	        {0x0370, 0x052f},   /* Greek, Cyrillic */
	        {0x1c80, 0x1c8f},   /* Cyrillic */
	        {0x1d00, 0x1dbf},   /* phonetic */
	        {0x1e00, 0x1fff},   /* Latin, Greek */
	        {0x2c60, 0x2c7f},   /* Latin */
	        {0xa640, 0xa69f},   /* Cyrillic */
	        {0xa720, 0xa7ff},   /* Latin */
	        {0xab30, 0xab6f},   /* Latin */
	        {0x10780, 0x107bf}, /* Latin */
	        {0x1df00, 0x1dfff}, /* Latin */
	        {0x1e030, 0x1e08f}, /* Cyrillic */
	};
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		if (cp >= blocks[i].from && cp <= blocks[i].to)
			return true;
	}
	return false;
}

static bool is_selector(int32_t cp)
{
	return cp == 0x034f || (cp >= 0x180b && cp <= 0x180f) || (cp >= 0xfe00 && cp <= 0xfe0f) ||
	       (cp >= 0xe0100 && cp <= 0xe01ef);
}

static bool is_joiner(int32_t cp)
{
	return cp == 0x200c || cp == 0x200d;
}

/* Keeps what makes the look: mapped characters, letters, digits, and vowel signs. */
static void keep_look(struct str folded, struct buf *out)
{
	bool vowels = false; /* a mark here belongs to a letter where marks are vowels */
	size_t pos = 0;
	while (pos < folded.n) {
		int32_t cp = utf8_next(folded, &pos);
		char as = lookalike(cp);
		if (as) {
			buf_putc(out, as);
			vowels = false;
		} else if (utf8_is_letter(cp) || utf8_is_digit(cp)) {
			utf8_put(out, cp);
			vowels = utf8_is_letter(cp) && !is_european(cp);
		} else if (utf8_is_mark(cp)) {
			if (vowels && !is_selector(cp))
				utf8_put(out, cp);
		} else if (!is_joiner(cp)) { /* an invisible joiner does not detach a vowel sign */
			vowels = false;
		}
	}
}

/* The last step, on what is left; one pass from the left. */
static void apply_sequences(struct buf *look)
{
	size_t to = 0;
	for (size_t i = 0; i < look->n; i++) {
		char c = look->p[i];
		for (size_t k = 0; k < sizeof lookalike_sequences / sizeof *lookalike_sequences;
		        k++) {
			const struct lookalike_sequence *seq = &lookalike_sequences[k];
			if (i + 1 < look->n && c == seq->from[0] &&
			        look->p[i + 1] == seq->from[1]) {
				c = seq->to;
				i++;
				break;
			}
		}
		look->p[to++] = c;
	}
	look->n = to;
}

static void store(struct str look, struct name_skeleton *out)
{
	*out = (struct name_skeleton){.n = 0};
	if (look.n <= sizeof out->text) {
		if (look.n)
			memcpy(out->text, look.p, look.n);
		out->n = (uint16_t)look.n;
		return;
	}
	uint8_t digest[32];
	char hex[65];
	hash_sha256(look, digest);
	hash_hex(digest, 32, hex);
	out->text[0] = '#'; /* no skeleton has one: a digest equals digests only */
	memcpy(out->text + 1, hex, 64);
	out->n = 65;
}

int name_skeleton(struct str name, struct name_skeleton *out)
{
	struct buf folded, look;
	*out = (struct name_skeleton){.n = 0};
	buf_init(&folded, 0);
	buf_init(&look, 0);
	int err = utf8_nfkd_fold(name, &folded);
	if (!err) {
		keep_look(buf_view(&folded), &look);
		apply_sequences(&look);
		err = look.failed ? ERR_NOMEM : 0;
	}
	if (!err)
		store(buf_view(&look), out);
	buf_done(&folded);
	buf_done(&look);
	return err;
}
