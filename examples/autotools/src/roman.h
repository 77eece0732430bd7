#ifndef ROMAN_H
#define ROMAN_H

#include <stddef.h>

/* Writes n, 1 to 3999, as a Roman numeral. Returns 0, or -1 if n is out of
 * range or out is too small. */
int roman(unsigned n, char *out, size_t size);

#endif
