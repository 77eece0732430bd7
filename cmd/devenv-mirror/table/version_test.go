package table

import "testing"

func TestArchVersion(t *testing.T) {
	for debian, want := range map[string]string{
		"12.2.0-14+deb12u1":              "12.2.0-14.1",
		"1:1.2.13.dfsg-1":                "1.2.13-1",
		"2:6.2.1+dfsg1-1.1":              "6.2.1-1.1",
		"5.2.15-2+b13":                   "5.2.15-2.13",
		"3.0.22-1~deb12u2":               "3.0.22-1.2",
		"20230311+deb12u1":               "20230311-1.1",
		"1:2.39.5-0+deb12u3":             "2.39.5-1.3",
		"2.36-9+deb12u14":                "2.36-9.14",
		"2.4.1-1ubuntu0.3":               "2.4.1-1.3",
		"1.34+dfsg-1.2+deb12u1":          "1.34-1.201",
		"1.21~rc2-1":                     "1.21rc2-1",
		"2.4+20151223.gitfa8646d.1-2+b2": "2.4+20151223.gitfa8646d.1-2.2",
		"2.1-3-4":                        "2.1_3-4",
		"1.0":                            "1.0-1",
	} {
		if got := archVersion(debian); got != want {
			t.Errorf("%s: got %s, want %s", debian, got, want)
		}
	}
}

func TestEpochAndSuffix(t *testing.T) {
	if got := withEpochAndSuffix("12.2.0-14", 0, "+r753+g1cd744a6828f"); got != "12.2.0+r753+g1cd744a6828f-14" {
		t.Error(got)
	}
	if got := withEpochAndSuffix("1.2.13-1", 1, ""); got != "1:1.2.13-1" {
		t.Error(got)
	}
}
