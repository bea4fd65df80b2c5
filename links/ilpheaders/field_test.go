package ilpheaders

import (
	"errors"
	"testing"
	"time"
)

// The condition of the draft's example.
const seedCondition = "x73kz0AGyqYqhw/c5LqMhSgpcOLF3rBS8GdR52hLpB8="

func TestParseHash(t *testing.T) {
	want, err := parseHash(seedCondition)
	if err != nil || formatHash(want) != seedCondition {
		t.Fatalf("%x, %v", want, err)
	}
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"unpadded":                    {"x73kz0AGyqYqhw/c5LqMhSgpcOLF3rBS8GdR52hLpB8", nil},
		"base64url":                   {"x73kz0AGyqYqhw_c5LqMhSgpcOLF3rBS8GdR52hLpB8", nil},
		"base64url, padded":           {"x73kz0AGyqYqhw_c5LqMhSgpcOLF3rBS8GdR52hLpB8=", nil},
		"empty":                       {"", ErrBase64},
		"cut short":                   {"x73kz0AGyqYqhw/c5LqMhSgpcOLF3rBS8GdR52hLpB", ErrBase64},
		"one too long":                {"x73kz0AGyqYqhw/c5LqMhSgpcOLF3rBS8GdR52hLpB8A", ErrBase64},
		"padded twice":                {seedCondition + "=", ErrBase64},
		"padding inside":              {"x73kz0AGyqYqhw/c5LqMhSgpcOLF3rBS8GdR52hLpB=", ErrBase64},
		"both alphabets":              {"x73kz0AGyqYqhw/c5LqMhSgpcOLF3rBS8GdR52hL-B8=", ErrBase64},
		"bits that stand for nothing": {"x73kz0AGyqYqhw/c5LqMhSgpcOLF3rBS8GdR52hLpB9=", ErrBase64},
		"line break":                  {"x73kz0AGyqYqhw/c5LqMhSgpcOLF3rBS8GdR52hLpB\n=", ErrBase64},
		"space":                       {"x73kz0AGyqYqhw/c5LqMhSgpcOLF3rBS8GdR52hLpB8 ", ErrBase64},
		"hex":                         {"c7bde4cf4006caa62a870fdce4ba8c85282970e2c5deb052f06751e7684ba41f", ErrBase64},
		"two, joined":                 {seedCondition + ", " + seedCondition, ErrBase64},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseHash(test.text)
			if !errors.Is(err, test.want) || err == nil && got != want || err != nil && got != [32]byte{} {
				t.Errorf("%x, %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestParseTime(t *testing.T) {
	at := time.Date(2017, 12, 7, 18, 47, 59, 0, time.UTC)
	for name, test := range map[string]struct {
		text  string
		milli time.Duration // -1: refused
	}{
		"the draft's":         {"2017-12-07T18:47:59.015Z", 15},
		"without fraction":    {"2017-12-07T18:47:59Z", 0},
		"tenths":              {"2017-12-07T18:47:59.5Z", 500},
		"microseconds":        {"2017-12-07T18:47:59.015999Z", 15},
		"nanoseconds":         {"2017-12-07T18:47:59.015999999Z", 15},
		"UTC as an offset":    {"2017-12-07T18:47:59.015+00:00", 15},
		"another offset":      {"2017-12-07T18:47:59.015+01:00", -1},
		"no zone":             {"2017-12-07T18:47:59.015", -1},
		"ten digits":          {"2017-12-07T18:47:59.0159999999Z", -1},
		"point alone":         {"2017-12-07T18:47:59.Z", -1},
		"comma":               {"2017-12-07T18:47:59,015Z", -1},
		"letter in fraction":  {"2017-12-07T18:47:59.0a5Z", -1},
		"sign in fraction":    {"2017-12-07T18:47:59.+15Z", -1},
		"lower case":          {"2017-12-07t18:47:59z", -1},
		"space for T":         {"2017-12-07 18:47:59Z", -1},
		"space in front":      {" 2017-12-07T18:47:59Z", -1},
		"no seconds":          {"2017-12-07T18:47Z", -1},
		"date alone":          {"2017-12-07Z", -1},
		"month 13":            {"2017-13-07T18:47:59Z", -1},
		"day 30 of February":  {"2017-02-30T18:47:59Z", -1},
		"hour 24":             {"2017-12-07T24:00:00Z", -1},
		"leap second":         {"2016-12-31T23:59:60Z", -1},
		"year of five digits": {"12017-12-07T18:47:59Z", -1},
		"sign in year":        {"+017-12-07T18:47:59Z", -1},
		"Interledger's":       {"20171207184759015", -1},
		"milliseconds since":  {"1512672479015", -1},
		"HTTP's":              {"Thu, 07 Dec 2017 18:47:59 GMT", -1},
		"Z alone":             {"Z", -1},
		"empty":               {"", -1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseTime(test.text)
			if test.milli < 0 {
				if !errors.Is(err, ErrTime) {
					t.Errorf("%v, %v", got, err)
				}
				return
			}
			if want := at.Add(test.milli * time.Millisecond); err != nil || !got.Equal(want) || got.Location() != time.UTC {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
		})
	}
}

func TestFormatTime(t *testing.T) {
	east := time.FixedZone("", 3600)
	if got, err := formatTime(time.Date(2017, 12, 7, 19, 47, 59, 15_999_999, east)); err != nil || got != "2017-12-07T18:47:59.015Z" {
		t.Errorf("%s, %v", got, err)
	}
	for _, year := range []int{-1, 10_000} {
		if got, err := formatTime(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)); !errors.Is(err, ErrTime) {
			t.Errorf("year %d: %s, %v", year, got, err)
		}
	}
}
