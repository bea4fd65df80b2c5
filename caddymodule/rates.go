package caddymodule

// This file reads and resolves exchange rates and the spread, exactly.

import (
	"fmt"
	"strings"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// readRates reads
//
//	rates {
//		CODE RATE
//	}
func (a *App) readRates(l lines) error {
	if err := l.none("rates {"); err != nil {
		return err
	}
	a.Rates = map[string]Decimal{}
	for nesting := l.Nesting(); l.NextBlock(nesting); {
		code := l.Val()
		a.note(l, rateLine(code))
		if _, twice := a.Rates[code]; twice {
			return l.Errf("there are two rates for %s: keep one of them", code)
		}
		rate, err := l.one(code + " 1.25")
		if err != nil {
			return err
		}
		a.Rates[code] = Decimal(rate)
	}
	if len(a.Rates) == 0 {
		return l.Err("there is no rate in rates: write what one unit of each asset is worth, compared with each other, such as USD 1 and EUR 1.08, on lines of their own")
	}
	return nil
}

// rateLine names the line of a rate.
func rateLine(code string) string { return "rate " + code }

func (a *App) resolveRates(s *settings, r resolver) (err error) {
	s.rates = make(map[string]connector.Rate, len(a.Rates))
	for code, text := range a.Rates {
		if err := (Asset{Code: code}).check(); err != nil {
			return a.at(rateLine(code), err)
		}
		if s.rates[code], err = r.rate(string(text), code); err != nil {
			return a.at(rateLine(code), err)
		}
	}
	if a.Spread == "" {
		return nil
	}
	if s.spread, err = r.spread(a.Spread); err != nil {
		return a.at("spread", err)
	}
	return nil
}

// newRates returns the rates of the config, which those that the API has set take the place of.
func (s *settings) newRates() (*connector.Rates, error) {
	rates, err := connector.NewRates(s.spread)
	if err != nil {
		return nil, err
	}
	return rates, rates.Replace(s.rates)
}

func (r resolver) rate(text, code string) (connector.Rate, error) {
	text, err := r.text(text, "the rate of "+code)
	if err != nil {
		return connector.Rate{}, err
	}
	if strings.Contains(text, standIn) {
		text = "1" // a placeholder that is not known yet
	}
	rate, err := connector.ParseRate(strings.TrimSpace(text))
	if err != nil {
		return rate, fmt.Errorf("the rate of %s is %q: write what one unit of it is worth, a decimal number above 0 with at most 40 digits on either side of the point, such as %s 1.25", code, text, code)
	}
	return rate, nil
}

// spread reads a percentage or a fraction; 0 is the zero Rate.
func (r resolver) spread(text string) (spread connector.Rate, err error) {
	if text, err = r.text(text, "spread"); err != nil {
		return spread, err
	}
	if strings.Contains(text, standIn) {
		return spread, nil
	}
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	if strings.Trim(number, "0") == "" && number != "" || strings.Trim(number, "0") == "." && len(number) > 2 {
		return spread, nil
	}
	if percent {
		number += "e-2"
	}
	if spread, err = connector.ParseRate(number); err == nil {
		_, err = connector.NewRates(spread)
	}
	if err != nil {
		return spread, fmt.Errorf("the spread %q cannot be used: write the part of each amount that the node keeps, from 0%% to less than 100%%, such as 2%% or 0.02", text)
	}
	return spread, nil
}

// checkAssets refuses what would need an exchange rate that there is not: such an account could not pay, and would only show it with its
// first packet.
func (a *App) checkAssets(s *settings) error {
	for i, account := range a.Accounts {
		asset := s.accounts[i].Asset
		if asset == (ilpcore.Asset{}) || s.asset == (ilpcore.Asset{}) || asset.Code == s.asset.Code {
			continue
		}
		if strings.Contains(asset.Code+s.asset.Code, standIn) { // it shows when the config is loaded
			continue
		}
		if s.rates[asset.Code] == (connector.Rate{}) || s.rates[s.asset.Code] == (connector.Rate{}) {
			return account.at("asset", fmt.Errorf("account %s counts in %s and the node in %s, and there is no exchange rate between the two: write both into rates, or use the same asset for both",
				account.Name, asset, s.asset))
		}
	}
	return nil
}
