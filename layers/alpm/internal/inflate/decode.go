package inflate

import "encoding/binary"

// order is that in which a dynamic block gives the lengths of the codes of code
// lengths.
var order = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamicHeader reads the codes of a block.
func (z *Reader) dynamicHeader() error {
	head, err := z.take(14)
	if err != nil {
		return err
	}
	lits, dists, codes := 257+int(head&31), 1+int(head>>5&31), 4+int(head>>10)
	if lits > 286 || dists > 30 {
		return ErrCorrupt
	}
	var codeLengths [19]uint8
	for _, symbol := range order[:codes] {
		n, err := z.take(3)
		if err != nil {
			return err
		}
		codeLengths[symbol] = uint8(n)
	}
	if _, ok := build(z.tables.code[:], nil, codeBits, codeLengths[:], codeEntries[:], false); !ok {
		return ErrCorrupt
	}
	var lengths [286 + 30]uint8
	if err := z.readLengths(lengths[:lits+dists]); err != nil {
		return err
	}
	if lengths[256] == 0 || !z.tables.build(lengths[:lits], lengths[lits:lits+dists]) {
		return ErrCorrupt
	}
	return nil
}

// readLengths reads code lengths, runs of which are shortened.
func (z *Reader) readLengths(lengths []uint8) error {
	for i := 0; i < len(lengths); {
		symbol, err := z.codeSymbol()
		if err != nil {
			return err
		}
		value, extra, repeat := uint8(0), uint(0), 1
		switch symbol {
		case 16:
			if i == 0 {
				return ErrCorrupt
			}
			value, extra, repeat = lengths[i-1], 2, 3
		case 17:
			extra, repeat = 3, 3
		case 18:
			extra, repeat = 7, 11
		default:
			value = symbol
		}
		if extra > 0 {
			more, err := z.take(extra)
			if err != nil {
				return err
			}
			repeat += int(more)
		}
		if repeat > len(lengths)-i {
			return ErrCorrupt
		}
		for range repeat {
			lengths[i] = value
			i++
		}
	}
	return nil
}

// codeSymbol decodes one symbol of the code of code lengths, whose codes end
// within the input even where fewer than seven bits are left.
func (z *Reader) codeSymbol() (uint8, error) {
	for {
		entry := z.tables.code[z.bits&(1<<z.bitsLen-1)&(1<<codeBits-1)]
		if n := uint(entry & takeMask); n > 0 && n <= z.bitsLen {
			z.bits >>= n
			z.bitsLen -= n
			return uint8(entry >> from), nil
		}
		if z.bitsLen >= codeBits {
			return 0, ErrCorrupt
		}
		if err := z.addByte(); err != nil {
			return 0, err
		}
	}
}

// decode decodes a compressed block until it ends or out is full.
func (z *Reader) decode() error {
	for z.inBlock && z.filled <= outSize-outSlack {
		if z.end-z.pos < inSlack {
			z.fill()
		}
		before := z.filled
		limit := z.end - 16
		if z.pos >= limit { // only at the end of all input: little by little
			limit = z.pos + 1
		}
		err := z.run(limit)
		left := z.end - (z.pos - int(z.bitsLen/8))
		if left < 0 || err != nil && left < longest && z.srcErr != nil {
			z.filled = before // it was the zeros behind the input
			return noEOF(z.srcErr)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// longest is the most bytes that a symbol takes with its distance: 48 bits.
const longest = 6

// run is the inner loop: it decodes while input before limit is left. Every
// refill gives 56 bits.
func (z *Reader) run(limit int) (err error) {
	in, out, t := &z.in, &z.out, &z.tables
	buf, n, pos, w := z.bits, z.bitsLen, z.pos, z.filled
	for w <= outSize-outSlack && pos < limit {
		buf |= binary.LittleEndian.Uint64(in[pos:pos+8]) << (n & 63)
		pos += int((63 - n) >> 3)
		n |= 56
		e := t.lit[buf&(1<<litBits-1)]
		if e&literal != 0 {
			buf >>= e & takeMask
			n -= uint(e & takeMask)
			out[w] = byte(e >> from)
			w++
			e = t.lit[buf&(1<<litBits-1)]
			if e&literal != 0 {
				buf >>= e & takeMask
				n -= uint(e & takeMask)
				out[w] = byte(e >> from)
				w++
				e = t.lit[buf&(1<<litBits-1)]
				if e&literal != 0 {
					buf >>= e & takeMask
					n -= uint(e & takeMask)
					out[w] = byte(e >> from)
					w++
					continue
				}
			}
			buf |= binary.LittleEndian.Uint64(in[pos:pos+8]) << (n & 63)
			pos += int((63 - n) >> 3)
			n |= 56
		}
		if e&subtable == subtable {
			e = t.litSub[e>>from&fromMask+uint32(buf>>litBits)&(1<<(maxCode-litBits)-1)]
		}
		saved := buf
		buf >>= e & takeMask
		n -= uint(e & takeMask)
		if e&literal != 0 {
			out[w] = byte(e >> from)
			w++
			continue
		}
		if e&special != 0 {
			if z.inBlock = e&endMark != endMark; z.inBlock {
				err = ErrCorrupt
			}
			break
		}
		length := int(e>>from) + int(saved&(1<<(e&takeMask)-1)>>(e>>codeFrom&codeMask))

		e = t.dist[buf&(1<<distBits-1)]
		if e&subtable == subtable {
			e = t.distSub[e>>from&fromMask+uint32(buf>>distBits)&(1<<(maxCode-distBits)-1)]
		}
		saved = buf
		buf >>= e & takeMask
		n -= uint(e & takeMask)
		distance := int(e>>from&fromMask) + int(saved&(1<<(e&takeMask)-1)>>(e>>codeFrom&codeMask))
		if e&special != 0 || distance > w {
			err = ErrCorrupt
			break
		}
		copyMatch(out, w, distance, length)
		w += length
	}
	z.bits, z.bitsLen, z.pos, z.filled = buf, n, pos, w
	return err
}

// copyMatch repeats length bytes from distance before w; it may write up to
// seven bytes more.
func copyMatch(out *[outSize]byte, w, distance, length int) {
	src, end := w-distance, w+length
	switch {
	case distance >= 8:
		for w < end {
			binary.LittleEndian.PutUint64(out[w:w+8], binary.LittleEndian.Uint64(out[src:src+8]))
			w, src = w+8, src+8
		}
	case distance == 1:
		word := uint64(out[src]) * 0x0101010101010101
		for w < end {
			binary.LittleEndian.PutUint64(out[w:w+8], word)
			w += 8
		}
	default:
		for w < end {
			out[w] = out[src]
			w, src = w+1, src+1
		}
	}
}
