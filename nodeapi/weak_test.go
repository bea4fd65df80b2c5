package nodeapi

import (
	"strings"
	"testing"
)

// TestEnginesOfThisMachine are refused by an API that connects to the public Internet only, also where a number or a name hides the address.
func TestEnginesOfThisMachine(t *testing.T) {
	for host, refused := range map[string]bool{
		"engine.example": false, "8.8.8.8": false,
		"localhost": true, "LOCALHOST": true, "engine.localhost.": true, "127.0.0.1": true, "127.1": true, "0x7f000001": true, "[::1]": true, "10.0.0.1": true,
	} {
		err := (&API{publicOnly: true}).checkEngineURL("engine", "https://"+host+":3000/", true, "http", "https")
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), "is not on the public Internet") {
			t.Errorf("%s: %v", host, err)
		}
		if err := (&API{}).checkEngineURL("engine", "https://"+host+":3000/", true, "http", "https"); err != nil {
			t.Errorf("%s, with allow_private: %v", host, err)
		}
	}
}
