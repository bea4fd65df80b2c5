package cli

// This file reads the configuration in the wallet's directory, and says what is wrong with it.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/payer"
)

const configFile = "config.json"

// config is the file config.json in the wallet's directory.
type config struct {
	Uplink     string `json:"uplink"`
	Token      string `json:"uplink_token"`
	Method     string `json:"method"` // "stream" or "psk2"
	PerRequest units  `json:"max_per_request"`
	PerHost    units  `json:"max_per_host"`
	PerDay     units  `json:"max_per_day"`
}

// units is an amount in a configuration: a number, or a text for those above 2^53 that other programs would round.
type units amount.Amount

// UnmarshalJSON reads both forms. Who writes 0 may mean that nothing may be spent, or that all may.
func (u *units) UnmarshalJSON(b []byte) error {
	n, err := amount.Parse(strings.Trim(string(b), `"`))
	if err != nil || n == 0 {
		return errors.New("a cap is a positive whole number of base units; without the field there is none")
	}
	*u = units(n)
	return nil
}

// configFields are what config may have, for people.
const configFields = "it may have uplink, uplink_token, method, max_per_request, max_per_host and max_per_day"

// readConfig reads the file; one that is not there says nothing.
func readConfig(path string) (c config, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return config{}, nil
	}
	if err != nil {
		return config{}, fmt.Errorf("%w: %w", payer.ErrWallet, err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err = d.Decode(&c); err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errBehind
		}
	}
	if err != nil {
		return config{}, fmt.Errorf("%s: %w", path, configError(err))
	}
	info, err := os.Stat(path)
	if err != nil {
		return config{}, err
	}
	if secret := c.Token != "" || strings.Contains(c.Uplink, "@"); secret && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return config{}, fmt.Errorf("%s holds a token and can be read by other users: run chmod 600 on it", path)
	}
	return c, nil
}

// errBehind says that caps may stand where nobody reads them.
var errBehind = errors.New("something stands behind the end of the JSON object: remove it, or put it inside")

// configError says what is wrong without words of Go.
func configError(err error) error {
	if at, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("this is no JSON, from byte %d on (%w): put that right, or remove the file", at.Offset, err)
	}
	if of, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && of.Field != "" {
		return fmt.Errorf("%s has to be a text in quotes, not a %s", of.Field, of.Value)
	} else if ok {
		return fmt.Errorf("this has to be a JSON object, {…}: %s", configFields)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON is not complete: write {}, or remove the file")
	}
	if strings.Contains(err.Error(), "unknown field") {
		return fmt.Errorf("%w: %s", err, configFields)
	}
	return err
}
