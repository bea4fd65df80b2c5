package nodeapi

// This file encrypts the secrets of accounts for the disk, in the form enc:… that the Java connector uses.

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

var (
	// ErrSealed says that a text begins with enc: and is no encrypted secret.
	ErrSealed = errors.New("not an encrypted secret: it has the form enc:KEYSTORE:KEYRING:ALIAS:VERSION:aes_gcm:BASE64URL")
	// ErrNoKey says that a secret is encrypted with a key that this node does not have.
	ErrNoKey = errors.New("encrypted with a key that this node does not have; import it with paydoor node import-key, or give the secret itself")
)

// ownKeyError is an ErrNoKey about a key that cannot be imported, since it is derived from a secret of the node.
type ownKeyError struct{}

func (ownKeyError) Error() string {
	return "encrypted while the node had another secret: put its receiver.secret of that time back, or write that behind the new one into the " +
		"secret line of the ilp block; or give the account's secret anew"
}

func (ownKeyError) Is(target error) bool { return target == ErrNoKey }

// Sealed is an encrypted secret: enc:KEYSTORE:KEYRING:ALIAS:VERSION:aes_gcm:BASE64URL, where the last part is the length of the
// initialization vector as four bytes, the vector, and the output of AES-256-GCM without additional data. Those that this package makes
// have the keystore "paydoor". "" is no secret.
type Sealed string

const (
	sealedPrefix = "enc:"
	ownHead      = "enc:paydoor:node:secret:1:aes_gcm:"
	vectorSize   = 12
	keySize      = 32
	sealingLabel = "paydoor/account-secrets/v1"
)

// Keeper encrypts secrets and decrypts them. It is safe for concurrent use.
type Keeper struct {
	random io.Reader

	mu       sync.RWMutex
	own      []cipher.AEAD          // the first seals, any opens
	imported map[string]cipher.AEAD // of other nodes, by keystore
}

// NewKeeper returns a Keeper whose keys are derived from the node's secrets, of which the first is in use and the others are still
// honoured, as they are for quotes. random is cryptographically secure.
func NewKeeper(secrets [][]byte, random io.Reader) *Keeper {
	k := &Keeper{random: random, imported: make(map[string]cipher.AEAD)}
	k.Use(secrets)
	return k
}

// Use replaces the node's secrets, as a new configuration may.
func (k *Keeper) Use(secrets [][]byte) {
	own := make([]cipher.AEAD, 0, len(secrets))
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(sealingLabel))
		own = append(own, mustAEAD(mac.Sum(nil)))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.own = own
}

// mustAEAD is for keys whose size is known to be right.
func mustAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// Import lets secrets open that another node has encrypted with the 32-byte AES key, under this keystore name ("JKS").
func (k *Keeper) Import(keystore string, key []byte) error {
	if keystore == "" || strings.ContainsAny(keystore, ": ") || strings.EqualFold(keystore, "paydoor") {
		return fmt.Errorf("%w: a keystore has a name such as jks", ErrSealed)
	}
	if len(key) != keySize {
		return fmt.Errorf("the key has %d bytes, not the %d of AES-256", len(key), keySize)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.imported[strings.ToLower(keystore)] = mustAEAD(key)
	return nil
}

// Seal encrypts a secret. "" stays "".
func (k *Keeper) Seal(secret string) (Sealed, error) {
	if secret == "" {
		return "", nil
	}
	message := make([]byte, 4+vectorSize, 4+vectorSize+len(secret)+16)
	binary.BigEndian.PutUint32(message, vectorSize)
	if _, err := io.ReadFull(k.random, message[4:]); err != nil {
		return "", fmt.Errorf("encrypting a secret: %w", err)
	}
	message = k.keys("paydoor")[0].Seal(message, message[4:4+vectorSize], []byte(secret), nil)
	return Sealed(ownHead + base64.URLEncoding.EncodeToString(message)), nil
}

// Take turns what a client sends into what is kept: a secret in the clear is encrypted, one that begins with enc: has to open, and is
// encrypted with this node's own key if it was not already. Errors: ErrSealed, ErrNoKey.
func (k *Keeper) Take(given string) (Sealed, error) {
	if !strings.HasPrefix(given, sealedPrefix) {
		return k.Seal(given)
	}
	secret, err := k.Open(Sealed(given))
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(given, ownHead) {
		return Sealed(given), nil
	}
	return k.Seal(secret)
}

// Open decrypts. Errors: ErrSealed, and ErrNoKey also where the text was altered: the two cannot be told apart.
func (k *Keeper) Open(s Sealed) (string, error) {
	if s == "" {
		return "", nil
	}
	keystore, message, err := s.parse()
	if err != nil {
		return "", err
	}
	vector, sealed := message[4:4+vectorSize], message[4+vectorSize:]
	for _, key := range k.keys(keystore) {
		if secret, err := key.Open(nil, vector, sealed, nil); err == nil {
			return string(secret), nil
		}
	}
	if keystore == "paydoor" {
		return "", ownKeyError{}
	}
	return "", ErrNoKey
}

func (k *Keeper) keys(keystore string) []cipher.AEAD {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if keystore == "paydoor" {
		return k.own
	}
	if key, ok := k.imported[keystore]; ok {
		return []cipher.AEAD{key}
	}
	return nil
}

// parse returns the name of the keystore, in small letters, and the message: the vector's length, the vector, and the rest.
func (s Sealed) parse() (keystore string, message []byte, err error) {
	fields := strings.Split(string(s), ":")
	if len(fields) != 7 || fields[0] != "enc" || !strings.EqualFold(fields[5], "aes_gcm") {
		return "", nil, ErrSealed
	}
	message, err = base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(fields[6], "="))
	if err != nil || len(message) < 4+vectorSize || binary.BigEndian.Uint32(message) != vectorSize {
		return "", nil, ErrSealed
	}
	return strings.ToLower(fields[1]), message, nil
}
