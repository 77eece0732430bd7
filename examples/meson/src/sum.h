#ifndef SUM_H
#define SUM_H

#include <stddef.h>

/* The CRC-32 of size bytes, as zlib computes it. */
unsigned long sum(const void *data, size_t size);

#endif
