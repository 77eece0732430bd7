#pragma once

#include <vector>

struct Interval {
	int first, last; // both belong to it
	bool operator==(const Interval &o) const { return first == o.first && last == o.last; }
};

// Merges intervals that overlap or touch; the result is sorted.
std::vector<Interval> merge(std::vector<Interval> in);
