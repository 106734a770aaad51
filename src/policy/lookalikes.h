/* lookalikes.h - characters and sequences that look alike (roles.md 4.4). pure
 *
 * Made by tools/gen-lookalikes from tests/vectors/lookalikes.json and lookalikes-more.json. Sorted by code
 * point: NFKD and case folding come first, each code point then stands for one ASCII character. */
#pragma once
#include <stdint.h>

struct lookalike {
	int32_t from;
	char to;
};
static const struct lookalike lookalike_characters[] = {
	{0x0030, 'o'}, {0x0031, 'l'}, {0x0069, 'l'}, {0x007c, 'l'}, {0x00f8, 'o'}, {0x0111, 'd'},
	{0x0127, 'h'}, {0x0131, 'l'}, {0x0142, 'l'}, {0x0167, 't'}, {0x0180, 'b'}, {0x01b6, 'z'},
	{0x01c0, 'l'}, {0x0251, 'a'}, {0x0261, 'g'}, {0x0268, 'l'}, {0x0269, 'l'}, {0x026a, 'l'},
	{0x0289, 'u'}, {0x03b1, 'a'}, {0x03b2, 'b'}, {0x03b3, 'y'}, {0x03b5, 'e'}, {0x03b6, 'z'},
	{0x03b7, 'h'}, {0x03b9, 'l'}, {0x03ba, 'k'}, {0x03bc, 'm'}, {0x03bd, 'v'}, {0x03bf, 'o'},
	{0x03c1, 'p'}, {0x03c3, 'o'}, {0x03c4, 't'}, {0x03c5, 'u'}, {0x03c7, 'x'}, {0x03c9, 'w'},
	{0x03f3, 'j'}, {0x0430, 'a'}, {0x0432, 'b'}, {0x0433, 'r'}, {0x0435, 'e'}, {0x043a, 'k'},
	{0x043c, 'm'}, {0x043d, 'h'}, {0x043e, 'o'}, {0x043f, 'n'}, {0x0440, 'p'}, {0x0441, 'c'},
	{0x0442, 't'}, {0x0443, 'y'}, {0x0445, 'x'}, {0x0455, 's'}, {0x0456, 'l'}, {0x0458, 'j'},
	{0x0461, 'w'}, {0x0475, 'v'}, {0x04af, 'y'}, {0x04bb, 'h'}, {0x04cf, 'l'}, {0x0501, 'd'},
	{0x050d, 'g'}, {0x051b, 'q'}, {0x051d, 'w'}, {0x0566, 'q'}, {0x0570, 'h'}, {0x0578, 'n'},
	{0x057d, 'u'}, {0x0581, 'g'}, {0x0585, 'o'}, {0x13a0, 'd'}, {0x13a1, 'r'}, {0x13a2, 't'},
	{0x13a5, 'l'}, {0x13a9, 'y'}, {0x13aa, 'a'}, {0x13ab, 'j'}, {0x13ac, 'e'}, {0x13b3, 'w'},
	{0x13b7, 'm'}, {0x13bb, 'h'}, {0x13bd, 'y'}, {0x13c0, 'g'}, {0x13c2, 'h'}, {0x13c3, 'z'},
	{0x13cf, 'b'}, {0x13d2, 'r'}, {0x13d4, 'w'}, {0x13d5, 's'}, {0x13d9, 'v'}, {0x13da, 's'},
	{0x13de, 'l'}, {0x13df, 'c'}, {0x13e2, 'p'}, {0x13e6, 'k'}, {0x13e7, 'd'}, {0x13f3, 'g'},
	{0x13f4, 'b'}, {0x1d04, 'c'}, {0x1d0f, 'o'}, {0x1d1c, 'u'}, {0x1d20, 'v'}, {0x1d21, 'w'},
	{0x1d22, 'z'}, {0xa731, 's'},
};

struct lookalike_sequence {
	char from[2];
	char to;
};
static const struct lookalike_sequence lookalike_sequences[] = {
	{{'r', 'n'}, 'm'},
};
