package ilphttp

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/paydoor/paydoor/ilpcore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testFulfillment = [32]byte{1, 2, 3}

// testPrepare is a packet that expires in ten seconds and can be fulfilled with testFulfillment.
func testPrepare() ilpcore.Prepare {
	return ilpcore.Prepare{
		Amount: 107, ExpiresAt: time.Now().Add(10 * time.Second), Condition: sha256.Sum256(testFulfillment[:]),
		Destination: []byte("test.alice"), Data: []byte("end to end"),
	}
}

func encode(t testing.TB, p ilpcore.Prepare) []byte {
	t.Helper()
	b, err := p.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fulfilling answers with the fulfillment and the packet's own data: an echo that aliases the link's buffer.
var fulfilling = ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
	return ilpcore.Fulfill(testFulfillment, in.Data)
})
