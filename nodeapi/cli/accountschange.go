package cli

// This file is `paydoor node accounts create`, `update` and `update-settings`.

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func (e Environment) createCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "create NAME --asset-code CODE --asset-scale N [--SETTING VALUE...]", Short: "Makes an account",
		Long: `
Makes an account, which works at once and stays after a restart. Secrets need not be arguments, where other users could see them: "-"
reads one from stdin, env:NAME takes it from a variable, and --…-token-file from a file.`,
		Args: account("the name of the new account behind create"),
		RunE: e.runCreate,
	}
	addFieldFlags(cmd, true)
	return cmd
}

func (e Environment) runCreate(cmd *cobra.Command, args []string) error {
	c, err := e.client(cmd, adminToken)
	if err != nil {
		return err
	}
	defer c.close()
	said, err := e.settings(cmd, c)
	if err != nil {
		return err
	}
	if said["asset_code"] == nil || said["asset_scale"] == nil {
		return errors.New("write what the account counts, such as --asset-code USD --asset-scale 9")
	}
	said["username"] = args[0]
	r, err := sendJSON(http.MethodPost, "/accounts", said)
	if err != nil {
		return err
	}
	err = c.showAccount(cmd, r)
	if no, ok := errors.AsType[*refusal](err); ok && (no.Status == http.StatusConflict || strings.Contains(no.text, "already exists")) {
		return fmt.Errorf("%w; paydoor node accounts update changes it", err)
	}
	return err
}

func (e Environment) updateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "update NAME [--SETTING VALUE...] [--unset SETTING...]", Short: "Changes the settings of an account",
		Long: `
Changes what is given and leaves the rest. Secrets are given as for create. --unset takes a setting away, so that its default counts again: --unset
min-balance --unset ilp-over-http-url.`,
		Args: account("the name of the account behind update"),
		RunE: e.runUpdate,
	}
	addFieldFlags(cmd, true)
	cmd.Flags().StringArray("unset", nil, "A setting that gets its default again, such as min-balance; may be given several times")
	return cmd
}

// mergePatch has our node leave what the body does not give (RFC 7396). interledger-rs leaves it in any case.
const mergePatch = "application/merge-patch+json"

func (e Environment) runUpdate(cmd *cobra.Command, args []string) error {
	c, err := e.client(cmd, adminToken)
	if err != nil {
		return err
	}
	defer c.close()
	said, err := e.changes(cmd, c)
	if err != nil {
		return err
	}
	if said["asset_code"] == nil || said["asset_scale"] == nil { // which interledger-rs wants also where they stay
		if err := c.addAsset(cmd, args[0], said); err != nil {
			return err
		}
	}
	said["username"] = args[0]
	r, err := sendAs(mergePatch, http.MethodPut, accountPath(args[0], ""), said)
	if err != nil {
		return err
	}
	return c.showAccount(cmd, r)
}

// changes is settings for commands that do nothing without any, with what --unset takes away as null.
func (e Environment) changes(cmd *cobra.Command, c *client) (record, error) {
	said, err := e.settings(cmd, c)
	if err == nil {
		err = unset(cmd, said)
	}
	if err == nil && len(said) == 0 {
		return nil, fmt.Errorf("write what to change: %s --help lists the settings", cmd.CommandPath())
	}
	return said, err
}

// unset adds what --unset names, for commands that have it. A value alone takes nothing away, lest a variable of the shell that is not set does.
func unset(cmd *cobra.Command, said record) error {
	if cmd.Flags().Lookup("unset") == nil {
		return nil
	}
	names, err := cmd.Flags().GetStringArray("unset")
	if err != nil {
		return err
	}
	for _, name := range names {
		i := slices.IndexFunc(fields, func(f field) bool { return f.flag() == strings.TrimPrefix(name, "--") })
		switch {
		case i < 0:
			return fmt.Errorf("--unset %s: there is no such setting: %s --help lists them", clean(name), cmd.CommandPath())
		case fields[i].name == "asset_code", fields[i].name == "asset_scale":
			return fmt.Errorf("--unset %s: an account always counts something: write what by --%s", clean(name), fields[i].flag())
		case said[fields[i].name] != nil:
			return fmt.Errorf("--%s and --unset %s are two things: leave one out", fields[i].flag(), clean(name))
		}
		said[fields[i].name] = nil
	}
	return nil
}

// addAsset adds what the account counts now.
func (c *client) addAsset(cmd *cobra.Command, name string, said record) error {
	a, err := c.ask(cmd.Context(), request{method: http.MethodGet, path: accountPath(name, "")})
	if err != nil {
		return err
	}
	now, err := decodeRecord(a.body)
	if err != nil {
		return err
	}
	for member, names := range map[string][]string{"asset_code": {"asset_code", "assetCode"}, "asset_scale": {"asset_scale", "assetScale"}} {
		if said[member] == nil {
			said[member] = now.text(names...)
		}
	}
	return nil
}

func (e Environment) updateSettingsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "update-settings NAME [--SETTING VALUE...]", Short: "Changes those settings that the account's holder may change",
		Long: `
Changes links, tokens and settlement of an account, with the admin token or that of the account: --token-file names the file that holds it.`,
		Args: account("the name of the account behind update-settings"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.client(cmd, holder)
			if err != nil {
				return err
			}
			defer c.close()
			said, err := e.changes(cmd, c)
			if err != nil {
				return err
			}
			r, err := sendJSON(http.MethodPut, accountPath(args[0], "/settings"), said)
			if err != nil {
				return err
			}
			return c.showAccount(cmd, r)
		},
	}
	addFieldFlags(cmd, false)
	return cmd
}
