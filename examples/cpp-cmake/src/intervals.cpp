#include "intervals.hpp"

#include <algorithm>

std::vector<Interval> merge(std::vector<Interval> in)
{
	std::sort(in.begin(), in.end(), [](auto &a, auto &b) { return a.first < b.first; });
	std::vector<Interval> out;
	for (auto &i : in) {
		if (!out.empty() && i.first <= out.back().last + 1)
			out.back().last = std::max(out.back().last, i.last);
		else
			out.push_back(i);
	}
	return out;
}
