package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"strings"
)

// checkFiles returns what is wrong with the files that the configuration names and pgsluice serve needs, all of it, as configErrors; nil if
// nothing is. They are looked at as they are now: whoever uses them reads them anew.
func (c Config) checkFiles() error {
	v := validation{}
	if root := c.Upstream.SSLRootCert; root != "" && root != "system" && c.Upstream.SSLMode != "disable" {
		v.authorities("upstream.sslrootcert", root)
	}
	if c.TLS.Mode != "off" {
		v.pair("tls.cert", c.TLS.Cert, "tls.key", c.TLS.Key)
		if c.TLS.ClientCA != "" {
			v.authorities("tls.client_ca", c.TLS.ClientCA)
		}
	}
	if c.Audit.isFile() && c.Mode != "pass" && len(v.errors) == 0 { // a file that is not there is made
		if trail, err := openTrailFile(c.Audit.File); err != nil {
			v.add("audit.file", "its directory must exist, and pgsluice may write there", "cannot be opened: %s", withoutPath(err))
		} else if err := trail.Close(); err != nil {
			v.add("audit.file", "", "cannot be closed: %s", withoutPath(err))
		}
	}
	return v.errors.orNil()
}

// isFile reports whether the trail goes to a file by its path.
func (a auditConfig) isFile() bool {
	return a.File != "" && a.File != "-" && !strings.HasPrefix(a.File, syslogPrefix)
}

// withoutPath is what the system says of a file, without its path: what stands in the place of one may be a secret.
func withoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func (v *validation) file(key, path string) (text []byte, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		v.add(key, "", "cannot be read: %s", withoutPath(err))
	}
	return text, err == nil
}

func (v *validation) authorities(key, path string) {
	if text, ok := v.file(key, path); ok && !x509.NewCertPool().AppendCertsFromPEM(text) {
		v.add(key, "", "holds no certificate in PEM form")
	}
}

// pair is a certificate and its key. What does not fit is said of the key: certificates are what others have given.
func (v *validation) pair(certKey, certPath, keyKey, keyPath string) {
	cert, certRead := v.file(certKey, certPath)
	key, keyRead := v.file(keyKey, keyPath)
	if !certRead {
		return
	}
	if err := firstCertificate(cert); err != nil {
		v.add(certKey, "", "%s", err)
		return
	}
	if !keyRead {
		return
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		v.add(keyKey, "", "is not the key of %s: %s", certKey, strings.TrimPrefix(err.Error(), "tls: "))
	}
}

// firstCertificate returns what is wrong with the certificate that a PEM file begins with.
func firstCertificate(text []byte) error {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return errors.New("holds no certificate in PEM form")
		}
		if text = rest; block.Type == "CERTIFICATE" {
			_, err := x509.ParseCertificate(block.Bytes)
			return err
		}
	}
}
