package caddymodule

// This file asks the admin endpoint of the running server, found as Caddy's own commands find it.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

// addAddressFlags adds what names the admin endpoint.
func addAddressFlags(cmd *cobra.Command) {
	cmd.Flags().String("address", "", "The admin endpoint of the server, if it is neither localhost:2019 nor that of --config")
	cmd.Flags().StringP("config", "c", "", "The config that names the admin endpoint")
	cmd.Flags().StringP("adapter", "a", "", "The adapter of --config")
}

// errRefused is what the server said no with, or that it could not; Status is of its answer.
type errRefused struct {
	Status int
	text   string
}

func (e *errRefused) Error() string { return e.text }

// ask returns the body of the server's answer; the caller closes it. An answer of 400 and more is *errRefused.
func ask(cmd *cobra.Command, method, path string, body io.Reader) (*http.Response, error) {
	flags := caddycmd.Flags{FlagSet: cmd.Flags()}
	address, err := caddycmd.DetermineAdminAPIAddress(flags.String("address"), nil, flags.String("config"), flags.String("adapter"))
	if err != nil {
		return nil, notAsked{err}
	}
	if _, host, isURL := strings.Cut(address, "://"); isURL {
		return nil, notAsked{fmt.Errorf("the admin endpoint is written without http: --address %s", host)}
	}
	response, err := caddycmd.AdminAPIRequest(address, method, path, http.Header{"Connection": {"close"}}, body)
	if err == nil {
		return response, nil
	}
	switch text := err.Error(); { // Caddy keeps no more of the error
	case strings.Contains(text, "connection refused"), strings.Contains(text, "no such file"):
		return nil, notAsked{fmt.Errorf("no server answers at %s: start it, or name its admin endpoint with --address; with admin off in its config it has none, and cannot be asked", address)}
	case strings.HasPrefix(text, "performing request") && strings.Contains(text, ": dial "), strings.HasPrefix(text, "invalid admin address"):
		return nil, notAsked{err}
	}
	return nil, refused(err, address)
}

// errNotAsked says that nothing was sent to the server.
var errNotAsked = errors.New("the server was not asked")

// notAsked is an error that is errNotAsked, too.
type notAsked struct{ error }

func (notAsked) Is(target error) bool { return target == errNotAsked }

var refusal = regexp.MustCompile(`(?s)HTTP (\d{3}): (.*)$`)

// refused finds the server's words in the error of Caddy's client.
func refused(err error, address string) error {
	found := refusal.FindStringSubmatch(err.Error())
	if found == nil {
		return err
	}
	status, _ := strconv.Atoi(found[1])
	var said struct {
		Error string `json:"error"`
	}
	if json.Unmarshal([]byte(found[2]), &said) == nil && said.Error != "" {
		return &errRefused{status, said.Error}
	}
	if status == http.StatusNotFound {
		return &errRefused{status, "the server has no such endpoint: it is another program than paydoor, or an older version"}
	}
	return &errRefused{status, fmt.Sprintf("what answers %d at %s is no admin endpoint: name that of the server with --address", status, address)}
}

// askJSON reads the server's answer into value.
func askJSON(cmd *cobra.Command, method, path string, body io.Reader, value any) (err error) {
	response, err := ask(cmd, method, path, body)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if err := json.NewDecoder(response.Body).Decode(value); err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	return nil
}
