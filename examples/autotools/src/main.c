#include "config.h"
#include "roman.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	char text[32];

	if (argc != 2 || roman(strtoul(argv[1], NULL, 10), text, sizeof text) != 0) {
		fprintf(stderr, "usage: %s NUMBER (1 to 3999; " PACKAGE_STRING ")\n", argv[0]);
		return 2;
	}
	puts(text);
	return 0;
}
