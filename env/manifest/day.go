package manifest

import (
	"fmt"
	"strings"
	"time"
)

// Latest is the word for the mirrors of today, where a day could stand.
const Latest = "latest"

// DayError says why a text is no day.
type DayError struct {
	Text string
	Hint string
}

func (e *DayError) Error() string {
	return fmt.Sprintf("%q is no day of the archive; %s", e.Text, e.Hint)
}

// ParseDay checks a day of the archive, YYYY-MM-DD, and gives it back. "latest"
// gives "". The error is a *DayError.
func ParseDay(s string) (string, error) {
	if s == Latest {
		return "", nil
	}
	if _, err := time.Parse(time.DateOnly, s); err == nil {
		return s, nil
	}
	return "", &DayError{Text: s, Hint: dayHint(s)}
}

func dayHint(s string) string {
	var y, m, d int
	shape := strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return '9'
		}
		return r
	}, s)
	switch shape {
	case "9999-99-99":
		fmt.Sscanf(s, "%d-%d-%d", &y, &m, &d)
		if m < 1 || m > 12 {
			return "the month is 01 to 12"
		}
		last := time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day()
		return fmt.Sprintf("%s %d has the days 01 to %d", time.Month(m), y, last)
	case "9999/99/99", "9999.99.99", "9999_99_99":
		return fmt.Sprintf(`write "%s-%s-%s"`, s[:4], s[5:7], s[8:])
	case "99999999":
		return fmt.Sprintf(`write "%s-%s-%s"`, s[:4], s[4:6], s[6:])
	case "9999-9-9", "9999-99-9", "9999-9-99":
		fmt.Sscanf(s, "%d-%d-%d", &y, &m, &d)
		return fmt.Sprintf(`write "%04d-%02d-%02d"`, y, m, d)
	}
	switch strings.ToLower(s) {
	case "today", "now", "current", "newest", "latest":
		return `write "latest" for the mirrors of today`
	}
	return `write the day as in "2026-11-20", or "latest"`
}
