package cli

// This file is `paydoor node accounts create`, `update` and `update-settings`.

import (
	"errors"
	"fmt"
	"net/http"
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
		Use: "update NAME [--SETTING VALUE...]", Short: "Changes the settings of an account",
		Long: `
Changes what is given and leaves the rest. Secrets are given as for create.`,
		Args: account("the name of the account behind update"),
		RunE: e.runUpdate,
	}
	addFieldFlags(cmd, true)
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

// changes is settings for commands that do nothing without any.
func (e Environment) changes(cmd *cobra.Command, c *client) (record, error) {
	said, err := e.settings(cmd, c)
	if err == nil && len(said) == 0 {
		return nil, fmt.Errorf("write what to change: %s --help lists the settings", cmd.CommandPath())
	}
	return said, err
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
