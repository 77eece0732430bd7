#include "intervals.hpp"

#include <cstdlib>
#include <iostream>

static void expect(std::vector<Interval> in, std::vector<Interval> want)
{
	if (merge(in) == want)
		return;
	std::cerr << "merge gave another answer\n";
	std::exit(1);
}

int main()
{
	expect({}, {});
	expect({{5, 6}, {1, 2}}, {{1, 2}, {5, 6}});
	expect({{1, 4}, {3, 8}, {9, 9}, {20, 21}}, {{1, 9}, {20, 21}});
}
