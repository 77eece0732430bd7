package inflate

import "math/bits"

// An entry of a table says what the next bits of input mean:
//
//	bits  0–4   how many of them it takes, extra bits included
//	bits  8–11  how many of those are the code; in front of a subtable, how
//	            many bits choose in it
//	bits 16–30  the literal, the base of a length or distance, or where the
//	            subtable begins
//	bit  31     it is a literal
//	bit  15     it is none of that, but what bits 13 and 14 say; if nothing,
//	            no code begins so
const (
	literal  = 1 << 31
	special  = 1 << 15
	subtable = special | 1<<14
	endMark  = special | 1<<13

	takeMask = 31
	codeFrom = 8
	codeMask = 15
	from     = 16
	fromMask = 1<<15 - 1

	litBits  = 11
	distBits = 9
	codeBits = 7
	maxCode  = 15
)

// tables decode one block's symbols. Codes that do not fit the first tables go
// on in the others.
type tables struct {
	lit     [1 << litBits]uint32
	dist    [1 << distBits]uint32
	code    [1 << codeBits]uint32 // of the lengths of the other two's codes
	litSub  []uint32
	distSub []uint32
	isFixed bool
}

// What symbols mean, and the lengths of the codes of fixed blocks.
var (
	litEntries  [288]uint32
	distEntries [32]uint32
	codeEntries [19]uint32
	fixedLit    [288]uint8
	fixedDist   [32]uint8
)

func init() {
	for i := range 256 {
		litEntries[i] = literal | uint32(i)<<from
	}
	litEntries[256] = endMark
	base := uint32(3)
	for i := range 28 {
		extra := max(0, i/4-1)
		litEntries[257+i] = base<<from | uint32(extra)
		base += 1 << extra
	}
	litEntries[285] = 258 << from
	litEntries[286], litEntries[287] = special, special
	base = 1
	for i := range 30 {
		extra := max(0, i/2-1)
		distEntries[i] = base<<from | uint32(extra)
		base += 1 << extra
	}
	distEntries[30], distEntries[31] = special, special
	for i := range codeEntries {
		codeEntries[i] = uint32(i) << from
	}
	for i := range fixedLit {
		switch {
		case i < 144, i >= 280:
			fixedLit[i] = 8
		case i < 256:
			fixedLit[i] = 9
		default:
			fixedLit[i] = 7
		}
	}
	for i := range fixedDist {
		fixedDist[i] = 5
	}
}

func (t *tables) fixed() {
	if !t.isFixed {
		t.build(fixedLit[:], fixedDist[:])
		t.isFixed = true
	}
}

// build makes the tables for codes of these lengths; false if no such code
// exists.
func (t *tables) build(lit, dist []uint8) bool {
	t.isFixed = false
	var ok, okDist bool
	t.litSub, ok = build(t.lit[:], t.litSub[:0], litBits, lit, litEntries[:], false)
	t.distSub, okDist = build(t.dist[:], t.distSub[:0], distBits, dist, distEntries[:], true)
	return ok && okDist
}

// build fills a table of 1<<width entries and its subtables. With mayLack a
// code of one symbol, or none, is accepted too.
func build(table, sub []uint32, width int, lengths []uint8, entries []uint32, mayLack bool) ([]uint32, bool) {
	var counts [maxCode + 1]int
	for _, n := range lengths {
		counts[n]++
	}
	used := len(lengths) - counts[0]
	var next [maxCode + 2]uint32
	code := uint32(0)
	left := 1 // codes still to be had
	for n := 1; n <= maxCode; n++ {
		next[n] = code
		code = (code + uint32(counts[n])) << 1
		if left = left<<1 - counts[n]; left < 0 {
			return sub, false
		}
	}
	if left > 0 && !(mayLack && used <= 1) {
		return sub, false
	}
	for i := range table {
		table[i] = special
	}
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		reversed := int(bits.Reverse32(next[n]) >> (32 - n))
		next[n]++
		entry := entries[symbol] + uint32(n)<<codeFrom + uint32(n)
		if int(n) <= width {
			for i := reversed; i < len(table); i += 1 << n {
				table[i] = entry
			}
			continue
		}
		prefix := reversed & (len(table) - 1)
		if table[prefix] == special {
			table[prefix] = subtable | uint32(len(sub))<<from | uint32(maxCode-width)<<codeFrom
			for range 1 << (maxCode - width) {
				sub = append(sub, special)
			}
		}
		part := sub[table[prefix]>>from:][:1<<(maxCode-width)]
		for i := reversed >> width; i < len(part); i += 1 << (int(n) - width) {
			part[i] = entry
		}
	}
	return sub, true
}
