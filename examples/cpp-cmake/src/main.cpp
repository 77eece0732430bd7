#include "intervals.hpp"

#include <iostream>

int main()
{
	std::vector<Interval> in;
	for (Interval i; std::cin >> i.first >> i.last;)
		in.push_back(i);
	for (auto &i : merge(in))
		std::cout << i.first << ' ' << i.last << '\n';
}
