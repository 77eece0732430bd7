#include "words.h"

int main(void)
{
	struct count n = count_stream(stdin);

	printf("%lu lines, %lu words, %lu bytes\n", n.lines, n.words, n.bytes);
	return ferror(stdin) != 0;
}
