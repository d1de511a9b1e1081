package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"testing"
	"time"
)

// A key that is another certificate's is told where it is named.
func TestKeyOfAnotherCertificate(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, kind string, der []byte, err error) {
		t.Helper()
		if err == nil {
			err = os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"own", "other"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		write(name+".key", "PRIVATE KEY", der, err)
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
		der, err = x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		write(name+".crt", "CERTIFICATE", der, err)
	}
	for key, want := range map[string]string{
		"own.key":   "",
		"other.key": "config.yaml:4:3: tls.key: is not the key of tls.cert: private key does not match public key",
	} {
		const file = "config.yaml"
		if err := os.WriteFile(file, []byte("tls:\n  mode: require\n  cert: own.crt\n  key: "+key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := source{file: file}.load(nil, Config.checkFiles)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}
