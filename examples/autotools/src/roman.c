#include "config.h"
#include "roman.h"

#include <string.h>

int roman(unsigned n, char *out, size_t size)
{
	static const struct {
		unsigned value;
		const char *text;
	} digits[] = {
		{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"},
		{40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"},
	};
	size_t used = 0;

	if (n < 1 || n > 3999)
		return -1;
	for (size_t i = 0; n > 0; i++) {
		size_t length = strlen(digits[i].text);

		for (; n >= digits[i].value; n -= digits[i].value) {
			if (used + length >= size)
				return -1;
			memcpy(out + used, digits[i].text, length);
			used += length;
		}
	}
	out[used] = '\0';
	return 0;
}
