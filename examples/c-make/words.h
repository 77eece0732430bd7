#ifndef WORDS_H
#define WORDS_H

#include <stdio.h>

struct count {
	unsigned long lines, words, bytes;
};

/* Counts what is left of a stream. */
struct count count_stream(FILE *in);

#endif
