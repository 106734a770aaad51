/* pattern.c - Lua patterns, checked first and then matched with a budget of steps. pure
 *
 * The check proves that the pattern is well formed, so the matcher may walk it without further
 * questions; every index is still compared with the length. Recursion is as deep as the pattern has
 * quantifiers, at most 64. */
#include "policy/pattern.h"

struct pattern {
	struct str p;
	struct str s;
	unsigned steps; /* left */
};

/* Position behind the single-character item at i (a character, `%x`, or a set); 0 when it is
 * malformed. A set's first member may be `]`, as in Lua. */
static size_t item_end(struct str p, size_t i)
{
	if (p.p[i] == '%')
		return i + 1 < p.n ? i + 2 : 0;
	if (p.p[i] != '[')
		return i + 1;
	i++;
	if (i < p.n && p.p[i] == '^')
		i++;
	do {
		if (i >= p.n)
			return 0;
		if (p.p[i++] == '%') {
			if (i >= p.n)
				return 0;
			i++;
		}
	} while (i >= p.n || p.p[i] != ']');
	return i + 1;
}

static bool is_quantifier(char c)
{
	return c == '*' || c == '+' || c == '-' || c == '?';
}

/* Left out on purpose: captures, %b, %f and back references cost unbounded time or state. */
static bool item_supported(struct str p, size_t i)
{
	char c = p.p[i];
	if (c == '(' || c == ')')
		return false;
	if (c != '%')
		return true;
	c = i + 1 < p.n ? p.p[i + 1] : 0;
	return c != 'b' && c != 'f' && !(c >= '0' && c <= '9');
}

static bool pattern_ok(struct str p)
{
	size_t i = p.n && p.p[0] == '^' ? 1 : 0;
	if (p.n > PATTERN_BYTES_MAX)
		return false;
	while (i < p.n) {
		if (!item_supported(p, i))
			return false;
		size_t end = item_end(p, i);
		if (!end)
			return false;
		i = end < p.n && is_quantifier(p.p[end]) ? end + 1 : end;
	}
	return true;
}

static bool between(unsigned char c, char from, char to)
{
	return c >= (unsigned char)from && c <= (unsigned char)to;
}

static bool is_lower(unsigned char c)
{
	return between(c, 'a', 'z');
}
static bool is_upper(unsigned char c)
{
	return between(c, 'A', 'Z');
}
static bool is_digit(unsigned char c)
{
	return between(c, '0', '9');
}
static bool is_alnum(unsigned char c)
{
	return is_lower(c) || is_upper(c) || is_digit(c);
}
static bool is_graph(unsigned char c)
{
	return between(c, '!', '~');
}

/* Character classes of the C locale, by their lower-case letter; anything else stands for itself.
 */
static bool class_matches(char letter, unsigned char c)
{
	bool in;
	switch (ascii_lower(letter)) {
	case 'a':
		in = is_lower(c) || is_upper(c);
		break;
	case 'c':
		in = c < 32 || c == 127;
		break;
	case 'd':
		in = is_digit(c);
		break;
	case 'g':
		in = is_graph(c);
		break;
	case 'l':
		in = is_lower(c);
		break;
	case 'p':
		in = is_graph(c) && !is_alnum(c);
		break;
	case 's':
		in = c == ' ' || (c >= 9 && c <= 13);
		break;
	case 'u':
		in = is_upper(c);
		break;
	case 'w':
		in = is_alnum(c);
		break;
	case 'x':
		in = is_digit(c) || between(c, 'a', 'f') || between(c, 'A', 'F');
		break;
	case 'z': /* deprecated in Lua, but still there */
		in = c == 0;
		break;
	default:
		return (unsigned char)letter == c;
	}
	return is_upper((unsigned char)letter) ? !in : in;
}

/* p[i] is the `[`, p[end - 1] the closing bracket. */
static bool set_matches(struct str p, size_t i, size_t end, unsigned char c)
{
	size_t last = end - 1;
	bool in = true;
	i++;
	if (p.p[i] == '^') {
		in = false;
		i++;
	}
	for (; i < last; i++) {
		if (p.p[i] == '%') {
			if (class_matches(p.p[++i], c))
				return in;
		} else if (i + 2 < last && p.p[i + 1] == '-') {
			if (between(c, p.p[i], p.p[i + 2]))
				return in;
			i += 2;
		} else if ((unsigned char)p.p[i] == c) {
			return in;
		}
	}
	return !in;
}

static bool step(struct pattern *m)
{
	if (!m->steps)
		return false;
	m->steps--;
	return true;
}

static bool one_matches(struct pattern *m, size_t si, size_t pi, size_t end)
{
	if (!step(m) || si >= m->s.n)
		return false;
	unsigned char c = (unsigned char)m->s.p[si];
	switch (m->p.p[pi]) {
	case '.':
		return true;
	case '%':
		return class_matches(m->p.p[pi + 1], c);
	case '[':
		return set_matches(m->p, pi, end, c);
	default:
		return (unsigned char)m->p.p[pi] == c;
	}
}

static bool match_here(struct pattern *m, size_t si, size_t pi);

/* As many as possible, then fewer. */
static bool match_greedy(struct pattern *m, size_t si, size_t pi, size_t end, size_t least)
{
	size_t n = 0;
	while (one_matches(m, si + n, pi, end))
		n++;
	for (;; n--) {
		if (n < least)
			return false;
		if (match_here(m, si + n, end + 1))
			return true;
		if (n == 0 || !m->steps)
			return false;
	}
}

/* As few as possible, then more. */
static bool match_lazy(struct pattern *m, size_t si, size_t pi, size_t end)
{
	for (;; si++) {
		if (match_here(m, si, end + 1))
			return true;
		if (!one_matches(m, si, pi, end))
			return false;
	}
}

static bool match_here(struct pattern *m, size_t si, size_t pi)
{
	while (step(m)) {
		if (pi >= m->p.n)
			return si == m->s.n;
		if (m->p.p[pi] == '$' && pi + 1 == m->p.n)
			return si == m->s.n;
		size_t end = item_end(m->p, pi);
		char q = end < m->p.n ? m->p.p[end] : 0;
		switch (q) {
		case '*':
			return match_greedy(m, si, pi, end, 0);
		case '+':
			return match_greedy(m, si, pi, end, 1);
		case '-':
			return match_lazy(m, si, pi, end);
		case '?':
			if (one_matches(m, si, pi, end) && match_here(m, si + 1, end + 1))
				return true;
			pi = end + 1;
			break;
		default:
			if (!one_matches(m, si, pi, end))
				return false;
			si++;
			pi = end;
		}
	}
	return false;
}

enum pattern_result pattern_match_whole(struct str pattern, struct str text)
{
	struct pattern m = {pattern, text, PATTERN_STEPS_MAX};
	if (!pattern_ok(pattern))
		return PATTERN_INVALID;
	if (match_here(&m, 0, pattern.n && pattern.p[0] == '^' ? 1 : 0))
		return PATTERN_YES;
	return m.steps ? PATTERN_NO : PATTERN_STEPS;
}

bool pattern_has_lazy_dash(struct str p)
{
	size_t i = p.n && p.p[0] == '^' ? 1 : 0;
	if (!pattern_ok(p))
		return false;
	while (i < p.n) {
		size_t end = item_end(p, i);
		if (end < p.n && p.p[end] == '-')
			return true;
		i = end < p.n && is_quantifier(p.p[end]) ? end + 1 : end;
	}
	return false;
}
