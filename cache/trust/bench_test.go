package trust

import (
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// BenchmarkOpen reads Arch's keyring: 164 keys, 1.7 MB.
func BenchmarkOpen(b *testing.B) {
	openArch(b)
	for b.Loop() {
		if _, err := Open(debianKeyring); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpenAndJudge is what a build pays that has packages of 30 people: the
// keyring is read, and what the masters certified of these people is checked.
func BenchmarkOpenAndJudge(b *testing.B) {
	people := openArch(b).Trusted(day(2023, 11, 13))[:30]
	for b.Loop() {
		k, err := Open(debianKeyring)
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range people {
			if _, f := k.stands(k.find(p.Fingerprint), instant(day(2023, 11, 13).Unix())); f != nil {
				b.Fatal(f)
			}
		}
	}
}

// BenchmarkVerify checks signatures on a small file, once the key is known.
func BenchmarkVerify(b *testing.B) {
	for name, config := range map[string]packet.Config{
		"RSA-4096": {Algorithm: packet.PubKeyAlgoRSA, RSABits: 4096},
		"Ed25519":  {Algorithm: packet.PubKeyAlgoEdDSA},
	} {
		e := newEntity(b, day(2021, 1, 1), config)
		k := mustParse(b, Files{Name: "keys", Keys: serialized(b, e)})
		sig := signWith(b, e.PrivateKey, day(2021, 1, 1), file)
		verify := func() {
			if _, err := k.Verify("bash", strings.NewReader(file), sig, time.Time{}); err != nil {
				b.Error(err)
			}
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				verify()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
		})
		b.Run(name+"-parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					verify()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
		})
	}
}

// BenchmarkHash is the price of the package's bytes.
func BenchmarkHash(b *testing.B) {
	e := newEntity(b, day(2021, 1, 1), packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	k := mustParse(b, Files{Name: "keys", Keys: serialized(b, e)})
	v, err := k.Verifier("bash", signWith(b, e.PrivateKey, day(2021, 1, 1), file))
	if err != nil {
		b.Fatal(err)
	}
	chunk := make([]byte, 1<<20)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		v.Write(chunk)
	}
}
