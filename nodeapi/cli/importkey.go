package cli

// This file is `paydoor node import-key` and `encrypt`: secrets that another node has encrypted, and ones that this one encrypts.

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

func (e Environment) importKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "import-key KEYSTORE [--key-file FILE]", Short: "Lets the node read secrets that another node has encrypted",
		Long: `
Gives the node the AES key of a Java connector, so that it can take that connector's account settings with their secrets as they are: those
that begin with enc:KEYSTORE:, such as enc:JKS:. The key is 64 hex digits or base64 of 32 bytes, from stdin or a file.`,
		Args: exactly(1, "the name of the keystore behind import-key, as it is in the secrets: JKS of enc:JKS:…; the key itself goes to stdin"),
		RunE: e.runImportKey,
	}
	cmd.Flags().String("key-file", "-", "The file with the key; default: stdin")
	return cmd
}

func (e Environment) runImportKey(cmd *cobra.Command, args []string) error {
	text, err := secretFrom(cmd, "the key", option(cmd, "key-file"))
	if err != nil {
		return err
	}
	if !isKey(text) {
		return errors.New("that is no AES-256 key: write 64 hex digits, or base64 of 32 bytes")
	}
	c, err := e.client(cmd, adminToken)
	if err != nil {
		return err
	}
	defer c.close()
	c.hide(text)
	_, err = c.ask(cmd.Context(), request{
		method: http.MethodPut, path: "/encryption/keys/" + url.PathEscape(args[0]), header: plainBody(), body: []byte(text),
	})
	if err != nil {
		return err
	}
	return output(cmd, nil, func(w io.Writer) error {
		row(w, fmt.Sprintf("The node reads secrets that begin with enc:%s: from now on.", clean(args[0])))
		return nil
	})
}

// isKey says whether text is a key of 32 bytes.
func isKey(text string) bool {
	if b, err := hex.DecodeString(text); err == nil {
		return len(b) == 32
	}
	for _, form := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if b, err := form.DecodeString(text); err == nil {
			return len(b) == 32
		}
	}
	return false
}

func plainBody() http.Header { return http.Header{"Content-Type": {"text/plain; charset=utf-8"}} }

func (e Environment) encryptCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "encrypt [--secret-file FILE]", Short: "Encrypts a secret with the node's key, for account settings",
		Long: `
Prints a secret in the form enc:…, which account settings take instead of the secret, and which only this node can read. The secret comes from
stdin or a file.`,
		Args: exactly(0, "nothing behind encrypt: the secret goes to stdin, or into a file that --secret-file names"),
		RunE: e.runEncrypt,
	}
	cmd.Flags().String("secret-file", "-", "The file with the secret; default: stdin")
	return cmd
}

func (e Environment) runEncrypt(cmd *cobra.Command, _ []string) error {
	secret, err := secretFrom(cmd, "the secret", option(cmd, "secret-file"))
	if err != nil {
		return err
	}
	c, err := e.client(cmd, adminToken)
	if err != nil {
		return err
	}
	defer c.close()
	c.hide(secret)
	a, err := c.ask(cmd.Context(), request{method: http.MethodPost, path: "/encryption/encrypt", header: plainBody(), body: []byte(secret)})
	if err != nil {
		return err
	}
	sealed := bytes.TrimSpace(a.body)
	if !bytes.HasPrefix(sealed, []byte("enc:")) || bytes.ContainsAny(sealed, "\r\n\x1b ") {
		return errAnswer
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", sealed)
	return err
}
