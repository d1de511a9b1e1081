package pgbox

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// unpack writes what the npm tarball has under package/native into dir, and nothing outside of it. npm packages hold
// plain files only: the symbolic links that the libraries need are listed in pg-symlinks.json.
func unpack(tarball io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	gz, err := gzip.NewReader(tarball)
	if err != nil {
		return err
	}
	for files := tar.NewReader(gz); ; {
		header, err := files.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		name, native := strings.CutPrefix(header.Name, "package/native/")
		if !native || header.Typeflag == tar.TypeDir {
			continue
		}
		if header.Typeflag != tar.TypeReg {
			return fmt.Errorf("%s is not a plain file", header.Name)
		}
		if err := writeFile(root, name, header.FileInfo().Mode(), files); err != nil {
			return err
		}
	}
	if err := makeLinks(root); err != nil {
		return err
	}
	return openFolders(root)
}

func writeFile(root *os.Root, name string, mode fs.FileMode, content io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, copyErr := io.Copy(file, content)
	// Readable for everyone whatever our umask is: the server may run as somebody else.
	permissions := fs.FileMode(0o644)
	if mode&0o111 != 0 {
		permissions = 0o755
	}
	return errors.Join(copyErr, file.Chmod(permissions), file.Close())
}

// makeLinks does what the package's post-install script does: target becomes a link to source.
func makeLinks(root *os.Root) error {
	list, err := root.ReadFile("pg-symlinks.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(list, &links); err != nil {
		return fmt.Errorf("pg-symlinks.json: %w", err)
	}
	for _, link := range links {
		if err := makeLink(root, link.Source, link.Target); err != nil {
			return fmt.Errorf("pg-symlinks.json: %s: %w", link.Target, err)
		}
	}
	return nil
}

func makeLink(root *os.Root, source, target string) error {
	source, sourceInside := strings.CutPrefix(source, "native/")
	target, targetInside := strings.CutPrefix(target, "native/")
	if !sourceInside || !targetInside {
		return fmt.Errorf("lies outside of the package")
	}
	relative, err := filepath.Rel(filepath.Dir(target), source)
	if err != nil {
		return err
	}
	if err := root.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	if err := root.Symlink(relative, target); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	// root follows links only inside, so this refuses one that leads out, however it is spelled.
	_, err = root.Stat(target)
	return err
}

// openFolders lets everyone pass, whatever our umask is.
func openFolders(root *os.Root) error {
	return fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return root.Chmod(path, 0o755)
	})
}
