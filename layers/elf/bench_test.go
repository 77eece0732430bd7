package elf

import (
	"debug/elf"
	"fmt"
	"testing"
)

// BenchmarkCheck decodes and checks 150 layers of 20 objects with 8 needs each.
func BenchmarkCheck(b *testing.B) {
	base, tree := glibc()
	var encoded [][]byte
	for n := range 150 {
		r := &Record{}
		for k := range 20 {
			soname := fmt.Sprintf("lib%d-%d.so.1", n, k)
			o := with(lib("usr/lib/"+soname+".0.0", soname, "libc.so.6"), func(o *Object) {
				o.Versions = []VersionNeed{{"libc.so.6", []string{"GLIBC_2.2.5", "GLIBC_2.34"}}}
				for i := range 7 {
					o.Needed = append(o.Needed, fmt.Sprintf("lib%d-%d.so.1", (n+i*13)%150, (k+i)%20))
				}
			})
			tree[o.Path] = ""
			r.Objects = append(r.Objects, o)
		}
		data, err := r.MarshalBinary()
		if err != nil {
			b.Fatal(err)
		}
		encoded = append(encoded, data)
	}
	b.ReportAllocs()
	for b.Loop() {
		layers := []Layer{{"glibc", base}}
		for i, data := range encoded {
			var r Record
			if err := r.UnmarshalBinary(data); err != nil {
				b.Fatal(err)
			}
			layers = append(layers, Layer{fmt.Sprint(i), &r})
		}
		if misses := Check(layers, Config{Machine: elf.EM_X86_64}, tree.lookup); len(misses) > 0 {
			b.Fatal(misses[0])
		}
	}
}
