#include "config.h"
#include "roman.h"

#include <stdio.h>
#include <string.h>

static int expect(unsigned n, const char *want)
{
	char got[32] = "";

	roman(n, got, sizeof got);
	if (strcmp(got, want) == 0)
		return 0;
	fprintf(stderr, "%u: got %s, want %s\n", n, got, want);
	return 1;
}

int main(void)
{
	char small[2];

	return expect(1, "I") + expect(4, "IV") + expect(1994, "MCMXCIV") + expect(3999, "MMMCMXCIX") +
	       expect(0, "") + (roman(8, small, sizeof small) != -1);
}
